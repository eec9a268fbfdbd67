"""The nouns: values, lists, limits and errors that every other part shares; and the lock of a file.

Standard library only.
"""
