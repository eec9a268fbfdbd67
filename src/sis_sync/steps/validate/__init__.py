"""Validate: find every fault of every row, and write its message."""
