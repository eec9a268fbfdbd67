"""Suggest: propose a mapping for a file with unknown columns."""
