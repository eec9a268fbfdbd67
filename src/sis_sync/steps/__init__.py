"""The verbs, one module a step: read, map, validate, plan, guard, report. No step calls the next."""
