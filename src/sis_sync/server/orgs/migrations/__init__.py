"""How the tables of `orgs` came to be."""
