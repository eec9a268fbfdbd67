"""The secret of an API key, spelled as `core/api_key.py` says. Its 32 characters of 62 are 190 random bits."""

import hashlib
import secrets
from dataclasses import dataclass

from sis_sync.core.api_key import ALPHABET, KIND, NAME_LENGTH, RANDOM_LENGTH, checksum


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


def prefix_of(text: str) -> str:
    """The part of a key that is no secret."""
    return text[: len(KIND) + NAME_LENGTH]


def sha256_of(text: str) -> str:
    """What is stored. A plain hash is enough: nobody can try 190 random bits."""
    return hashlib.sha256(text.encode()).hexdigest()
