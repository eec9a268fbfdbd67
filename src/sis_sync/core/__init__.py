"""The base of all other packages: values, lists, limits, errors, atomic file writes and file locks.

It imports only the standard library.
"""
