"""School systems, their orgs, and the rights to manage them."""
