"""The engine: one SQL session with limits. It contains no school terms."""
