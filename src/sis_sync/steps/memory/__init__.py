"""The memory: a school system's accounts, and the lines of earlier files that changed none of them."""
