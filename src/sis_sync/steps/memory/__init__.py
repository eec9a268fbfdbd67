"""The memory: what the engine knows of a school system's accounts and of the lines that left them as they are."""
