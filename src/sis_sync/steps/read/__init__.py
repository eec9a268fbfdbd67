"""From the bytes of a file to records with their lines."""
