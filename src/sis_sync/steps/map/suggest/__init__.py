"""Proposes a mapping for a file of unknown columns."""
