"""The format of an API key: `sissync_`, a name of 8 characters, 32 random characters, a checksum of 6.

The checksum finds a mistyped key before it is stored, sent or looked up, and lets secret scanners find keys in files.
"""

import string
import zlib

ALPHABET = string.digits + string.ascii_letters
KIND = "sissync_"
NAME_LENGTH = 8
RANDOM_LENGTH = 32
CHECKSUM_LENGTH = 6
LENGTH = len(KIND) + NAME_LENGTH + RANDOM_LENGTH + CHECKSUM_LENGTH


def is_well_formed(text: str) -> bool:
    """Return True if the text has the format of an API key and its checksum is correct."""
    is_plain = text.isascii() and text.startswith(KIND) and text[len(KIND) :].isalnum() and len(text) == LENGTH
    return is_plain and checksum(text[:-CHECKSUM_LENGTH]) == text[-CHECKSUM_LENGTH:]


def checksum(body: str) -> str:
    """Return the CRC-32 of the body in 6 characters of base 62."""
    rest, characters = zlib.crc32(body.encode()), ""
    for _ in range(CHECKSUM_LENGTH):
        rest, place = divmod(rest, len(ALPHABET))
        characters = ALPHABET[place] + characters
    return characters
