"""Read: turn the bytes of a file into records with their lines."""
