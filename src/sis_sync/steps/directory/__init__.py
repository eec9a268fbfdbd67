"""The directory: the orgs and accounts that a file is compared with."""
