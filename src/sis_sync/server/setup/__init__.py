"""First start: one link, used once, makes the first school system and its manager."""
