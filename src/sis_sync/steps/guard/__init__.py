"""The limits that hold a plan."""
