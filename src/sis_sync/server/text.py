"""Trims and normalises typed values, in the same way as the cells of a file (section 1 of the file format)."""

import unicodedata

_LAST_SPACE = 0x3000
_ZERO_WIDTH = "\u180e\u200b\u200c\u200d\u2060\ufeff"
_DIRECTIONS = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"  # zero-width, too
_CONTROLS = "\t\n\v\f\r"
_SPACES = "".join(map(chr, (point for point in range(_LAST_SPACE + 1) if unicodedata.category(chr(point))[0] == "Z")))
EDGE_CHARACTERS = _SPACES + _ZERO_WIDTH + _DIRECTIONS + _CONTROLS


def tidy(value: str) -> str:
    """Return the value in Unicode NFC, without white space, NBSP and zero-width characters at both ends."""
    return unicodedata.normalize("NFC", value).strip(EDGE_CHARACTERS)


def address_key(email: str) -> str:
    """Return a typed address as it is compared: tidied, in lower case."""
    return tidy(email).lower()


def has_controls(value: str) -> bool:
    """True if the text contains a control character, or a surrogate, which no encoding can write."""
    return any(unicodedata.category(character) in ("Cc", "Cs") for character in value)
