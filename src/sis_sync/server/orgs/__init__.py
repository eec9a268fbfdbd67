"""School systems, their orgs, and the rights over them."""
