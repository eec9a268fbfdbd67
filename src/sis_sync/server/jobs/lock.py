"""Locks that die with their process: who holds that of a school system's jobs is alive, so without a holder a job that
was begun may be taken up.

PostgreSQL: a session advisory lock on the worker's own connection, so a worker that lost its connection lost
the lock and its transaction together. SQLite: a lock of the operating system on a file in the data folder.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.db import connection

from sis_sync.core.file_lock import file_lock

# The first half of the advisory lock's key keeps jobs apart from anything else that locks in this database.
JOB_LOCKS = 0x515


@contextmanager
def jobs_lock(school_system_id: int) -> Iterator[bool]:
    """Try to take the lock of a school system's jobs; gives whether it was free.

    Held until the block ends or the process dies.
    """
    is_postgresql = connection.vendor == "postgresql"
    name = f"jobs-of-{school_system_id}"
    with advisory_lock(JOB_LOCKS, school_system_id) if is_postgresql else named_lock(name) as is_free:
        yield is_free


@contextmanager
def advisory_lock(group: int, number: int) -> Iterator[bool]:
    """A PostgreSQL session advisory lock, tried once."""
    # The second half of the key has 32 bits; school systems that far apart only wait for each other.
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
    """A lock on a file of the data folder, tried once."""
    path = lock_path(name)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with file_lock(path) as is_free:
        yield is_free


def lock_path(name: str) -> Path:
    """The file behind a named lock."""
    return Path(settings.SIS_SYNC_DATA_FOLDER) / "locks" / f"{name}.lock"
