"""Guard: check the limits that hold a plan."""
