"""The orgs and accounts that a file is judged against."""
