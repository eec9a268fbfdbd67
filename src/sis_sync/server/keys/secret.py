"""The secret of an API key: `sissync_`, 8 characters that name the key, 32 random ones, a checksum of 6.

32 characters of 62 are 190 random bits. The checksum tells a mistyped key from an unknown one without a look
into the database, and lets secret scanners find keys in files.
"""

import hashlib
import secrets
import string
import zlib
from dataclasses import dataclass

ALPHABET = string.digits + string.ascii_letters
KIND = "sissync_"
NAME_LENGTH = 8
RANDOM_LENGTH = 32
CHECKSUM_LENGTH = 6
LENGTH = len(KIND) + NAME_LENGTH + RANDOM_LENGTH + CHECKSUM_LENGTH


@dataclass(frozen=True)
class NewSecret:
    """`text` is shown once and never stored; `prefix` names the key in pages and logs."""

    text: str
    prefix: str
    sha256: str


def make_secret() -> NewSecret:
    """A fresh one."""
    body = KIND + "".join(secrets.choice(ALPHABET) for _ in range(NAME_LENGTH + RANDOM_LENGTH))
    text = body + checksum(body)
    return NewSecret(text, prefix_of(text), sha256_of(text))


def is_well_formed(text: str) -> bool:
    """Whether it is spelled like one of our keys, its checksum included."""
    is_plain = text.isascii() and text.startswith(KIND) and text[len(KIND) :].isalnum() and len(text) == LENGTH
    return is_plain and checksum(text[:-CHECKSUM_LENGTH]) == text[-CHECKSUM_LENGTH:]


def prefix_of(text: str) -> str:
    """The part of a key that is no secret."""
    return text[: len(KIND) + NAME_LENGTH]


def sha256_of(text: str) -> str:
    """What is stored. A plain hash is enough: nobody can try 190 random bits."""
    return hashlib.sha256(text.encode()).hexdigest()


def checksum(body: str) -> str:
    """CRC-32 of the body, in 6 characters of base 62."""
    rest, characters = zlib.crc32(body.encode()), ""
    for _ in range(CHECKSUM_LENGTH):
        rest, place = divmod(rest, len(ALPHABET))
        characters = ALPHABET[place] + characters
    return characters
