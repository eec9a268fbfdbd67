"""The nouns: values, lists, limits and errors that every other part shares. Standard library only."""
