"""First start: the one-time link that makes the first school system and its manager."""
