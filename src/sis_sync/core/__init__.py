"""The nouns that every other part shares: values, lists, limits, errors; and files that are whole or locked.

Standard library only.
"""
