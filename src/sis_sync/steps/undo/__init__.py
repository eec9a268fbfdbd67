"""Undo: plan what takes an earlier run back, from the history of the accounts that it changed."""
