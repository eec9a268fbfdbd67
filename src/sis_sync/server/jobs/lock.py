"""Locks that end with their process. Another worker may resume a started job as soon as its lock is free.

PostgreSQL: a session advisory lock on the worker's own connection. A worker that loses its connection loses the lock
and its transaction together. SQLite: an operating system lock on a file in the data folder.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.db import connection

from sis_sync.core.file_lock import file_lock

# The first half of the advisory lock's key separates these locks from all others in this database.
JOB_LOCKS = 0x515
PASSWORDS_LOCK = 0x516


@contextmanager
def jobs_lock(school_system_id: int) -> Iterator[bool]:
    """Try once to take the lock on a school system's jobs, and yield True if it was free.

    The lock lasts until the block ends or the process dies.
    """
    is_postgresql = connection.vendor == "postgresql"
    name = f"jobs-of-{school_system_id}"
    with advisory_lock(JOB_LOCKS, school_system_id) if is_postgresql else named_lock(name) as is_free:
        yield is_free


@contextmanager
def passwords_lock() -> Iterator[bool]:
    """Try once to take the installation's lock on hashing passwords, and yield True if it was free."""
    is_postgresql = connection.vendor == "postgresql"
    with advisory_lock(PASSWORDS_LOCK, 0) if is_postgresql else named_lock("passwords") as is_free:
        yield is_free


@contextmanager
def advisory_lock(group: int, number: int) -> Iterator[bool]:
    """Try once to take a session advisory lock of PostgreSQL, and yield True if it was free."""
    # The second half of the key has 32 bits. If two school systems share one, they only wait for each other.
    key = [group, number % 2**31]
    if not _ask("SELECT pg_try_advisory_lock(%s, %s)", key):
        yield False
        return
    try:
        yield True
    finally:
        if connection.connection is not None and not connection.connection.closed:
            _ask("SELECT pg_advisory_unlock(%s, %s)", key)


def _ask(sql: str, parameters: list[int]) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        row = cursor.fetchone()
    return bool(row and row[0])


@contextmanager
def named_lock(name: str) -> Iterator[bool]:
    """Try once to lock a file in the data folder, and yield True if it was free."""
    path = lock_path(name)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with file_lock(path) as is_free:
        yield is_free


def lock_path(name: str) -> Path:
    """Return the file of a named lock."""
    return Path(settings.SIS_SYNC_DATA_FOLDER) / "locks" / f"{name}.lock"
