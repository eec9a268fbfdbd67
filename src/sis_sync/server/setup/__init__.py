"""First start: a one-time link makes the first school system and its manager."""
