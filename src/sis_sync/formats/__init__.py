"""How exports look: bytes, encodings, lines, headers, mappings and presets."""
