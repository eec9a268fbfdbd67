"""Trims and normalises typed values, in the same way as the cells of a file (section 1 of the file format)."""

import unicodedata

from sis_sync.engine.text_functions import WHITE_SPACE


def tidy(value: str) -> str:
    """Return the value in Unicode NFC, without white space, NBSP and zero-width characters at both ends."""
    return unicodedata.normalize("NFC", value).strip(WHITE_SPACE)


def address_key(email: str) -> str:
    """Return a typed address as it is compared: tidied, in lower case."""
    return tidy(email).lower()


def has_controls(value: str) -> bool:
    """True if the text contains a control character, or a surrogate, which no encoding can write."""
    return any(unicodedata.category(character) in ("Cc", "Cs") for character in value)
