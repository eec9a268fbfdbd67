"""The engine: one SQL session with limits. It knows no school words."""
