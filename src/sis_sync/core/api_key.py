"""How an API key is spelled: `sissync_`, 8 characters that name it, 32 random ones, a checksum of 6.

The checksum tells a mistyped key from an unknown one without a look into the database, before it is kept or sent, and
lets secret scanners find keys in files.
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
    """Whether it is spelled like one of our keys, its checksum included."""
    is_plain = text.isascii() and text.startswith(KIND) and text[len(KIND) :].isalnum() and len(text) == LENGTH
    return is_plain and checksum(text[:-CHECKSUM_LENGTH]) == text[-CHECKSUM_LENGTH:]


def checksum(body: str) -> str:
    """CRC-32 of the body, in 6 characters of base 62."""
    rest, characters = zlib.crc32(body.encode()), ""
    for _ in range(CHECKSUM_LENGTH):
        rest, place = divmod(rest, len(ALPHABET))
        characters = ALPHABET[place] + characters
    return characters
