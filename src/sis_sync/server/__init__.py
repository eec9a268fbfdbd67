"""The server: Django apps that keep a school system's orgs and accounts and carry runs through the steps."""
