"""Remembers the addresses that people ever had here, so that a mapping does not make them again for someone else.

Only a keyed hash of each address is stored. It stays after the person is removed. An address is added when its account
is deleted or gets another one; those that accounts have now are known anyway.
"""

import hashlib
from collections.abc import Iterable
from pathlib import Path

from django.conf import settings
from django.db import connection

from sis_sync.server.accounts.models import HeldAddress

BATCH = 5_000
# Not by the model: a run may release thousands of addresses, and as objects they cost more than writing them.
_REMEMBER = "INSERT INTO accounts_heldaddress (school_system_id, digest) VALUES (%s, %s) ON CONFLICT DO NOTHING"


def key_of(school_system_id: int) -> str:
    """Return the key of the hashes of a school system. Without the secret of this server, no one can compare them."""
    return hashlib.sha256(f"held addresses of {school_system_id}\n{settings.SECRET_KEY}".encode()).hexdigest()


def digest_of(address: str, *, key: str) -> str:
    """Return the keyed hash of an address, the same as `keyed_hash` of the engine makes of it in lower case."""
    inner = hashlib.sha256(f"{key}{address.lower()}".encode()).hexdigest()
    return hashlib.sha256(f"{key}{inner}".encode()).hexdigest()


def remember_addresses(*, school_system_id: int, addresses: Iterable[str]) -> None:
    """Remember addresses that are released."""
    key = key_of(school_system_id)
    remember_digests(school_system_id=school_system_id, digests=(digest_of(each, key=key) for each in addresses))


def remember_digests(*, school_system_id: int, digests: Iterable[str]) -> None:
    """Remember addresses by their keyed hashes. Those that are remembered already stay."""
    with connection.cursor() as cursor:
        cursor.executemany(_REMEMBER, [(school_system_id, digest) for digest in digests])


def write_digests(*, school_system_id: int, target: Path) -> None:
    """Write the hashes of a school system, one in a line, for the engine."""
    found = HeldAddress.objects.filter(school_system=school_system_id).order_by("digest")
    with target.open("w", encoding="ascii", newline="\n") as file:
        file.writelines(f"{digest}\n" for digest in found.values_list("digest", flat=True).iterator(BATCH))
