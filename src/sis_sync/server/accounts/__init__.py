"""Accounts: the people who can sign in."""
