"""The steps, one package or module per step: read, map, validate, plan, guard, report. No step calls the next."""
