"""Hashes and checks passwords with argon2id, at most two at a time in a process.

Each hash takes 100 MB of memory, and a processor for 0.3 s.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.contrib.auth.hashers import Argon2PasswordHasher, check_password, make_password

from sis_sync.server.accounts.models import Account
from sis_sync.server.errors import NotNow
from sis_sync.server.windows import Window

HASHES_AT_ONCE = 2
# So many may wait, which leaves threads of the web process free for other pages.
MOST_WAITING = 8
LONGEST_WAIT_SECONDS = 10.0
# If the queue is full, PLACE_WAITS_A_MINUTE people may wait PLACE_WAIT_SECONDS for a place in it, which is enough for a
# class that signs in together. They may hold all other threads, so anyone else is refused at once.
PLACE_WAIT_SECONDS = 4.0
PLACE_WAITS_A_MINUTE = 40

_running = threading.BoundedSemaphore(HASHES_AT_ONCE)
_admitted = threading.BoundedSemaphore(HASHES_AT_ONCE + MOST_WAITING)
_place_waits = Window(seconds=60)


class BoundedArgon2Hasher(Argon2PasswordHasher):
    """Argon2id that waits for its turn. Raise NotNow if too many wait, or if the turn does not come."""

    def encode(self, password: str, salt: str) -> str:
        """Return the hash of a new password."""
        with turn_to_hash():
            return super().encode(password, salt)

    def verify(self, password: str, encoded: str) -> bool:
        """Return True if this is the password of the hash."""
        with turn_to_hash():
            return super().verify(password, encoded)


def has_password(account: Account | None, password: str) -> bool:
    """True if this is the password of an account that may sign in."""
    if account is None or not account.is_active or not account.has_usable_password():
        make_password(password)  # as slow as a check: the response time must not reveal which addresses exist
        return False
    return check_password(password, account.password)


@contextmanager
def turn_to_hash() -> Iterator[None]:
    """Wait until fewer than two hashes are made in this process. Raise NotNow if too many wait."""
    if not _has_place():
        raise _busy()
    try:
        if not _running.acquire(timeout=LONGEST_WAIT_SECONDS):
            raise _busy()
        try:
            yield
        finally:
            _running.release()
    finally:
        _admitted.release()


def _has_place() -> bool:
    """Take a place in the queue. Return False if there is none and none becomes free soon."""
    if _admitted.acquire(blocking=False):
        return True
    if _place_waits.take("all", most=PLACE_WAITS_A_MINUTE):
        return False
    return _admitted.acquire(timeout=PLACE_WAIT_SECONDS)


def _busy() -> NotNow:
    return NotNow(
        "Very many people sign in at this moment, so the server could not look at the password. Nothing was changed.",
        fix="Try again in a few seconds.",
    )
