"""Locks that end with their process. Another worker may resume a started job as soon as its lock is free.

PostgreSQL: a session advisory lock on the worker's own connection. A worker that loses its connection loses the lock
and its transaction together. SQLite: an operating system lock on a file in the data folder.
"""

import enum
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.db import connection

from sis_sync.core.file_lock import file_lock


@enum.unique  # two locks with the same number would be one lock
class LockGroup(enum.IntEnum):
    """The first half of an advisory lock's key. It separates our locks from each other and from all others."""

    JOBS = 0x515
    PASSWORDS = 0x516
    PURGE = 0x517


KEY_BITS = 31  # of the second half. If two school systems share a key, they only wait for each other.

END_FROZEN_HOLDER = """
SELECT pg_terminate_backend(held.pid)
FROM pg_locks held JOIN pg_stat_activity holder ON holder.pid = held.pid AND holder.datid = held.database
WHERE held.locktype = 'advisory' AND held.classid = %(group)s AND held.objid = %(key)s AND held.objsubid = 2
  AND held.granted AND held.pid <> pg_backend_pid() AND holder.datname = current_database()
  AND holder.state_change < clock_timestamp() - make_interval(secs => %(seconds)s)
  AND NOT EXISTS (
    SELECT 1 FROM jobs_job job JOIN runs_run run ON run.id = job.run_id
    WHERE job.state = 'running'
      AND CASE WHEN %(is_of_system)s THEN job.kind <> 'prepare' AND run.school_system_id = %(number)s
          ELSE job.kind = 'prepare' END
      AND job.beat_at > clock_timestamp() - make_interval(secs => %(seconds)s)
  )
"""


@contextmanager
def jobs_lock(school_system_id: int) -> Iterator[bool]:
    """Try once to take the lock on a school system's jobs, and yield True if it was free.

    The lock lasts until the block ends or the process dies.
    """
    is_postgresql = connection.vendor == "postgresql"
    name = f"jobs-of-{school_system_id}"
    with advisory_lock(LockGroup.JOBS, school_system_id) if is_postgresql else named_lock(name) as is_free:
        yield is_free


@contextmanager
def passwords_lock() -> Iterator[bool]:
    """Try once to take the installation's lock on hashing passwords, and yield True if it was free."""
    is_postgresql = connection.vendor == "postgresql"
    with advisory_lock(LockGroup.PASSWORDS, 0) if is_postgresql else named_lock("passwords") as is_free:
        yield is_free


@contextmanager
def purge_lock() -> Iterator[bool]:
    """Try once to take the installation's lock on purging, and yield True if it was free."""
    is_postgresql = connection.vendor == "postgresql"
    with advisory_lock(LockGroup.PURGE, 0) if is_postgresql else named_lock("purge") as is_free:
        yield is_free


@contextmanager
def advisory_lock(group: LockGroup, number: int) -> Iterator[bool]:
    """Try once to take a session advisory lock of PostgreSQL, and yield True if it was free."""
    key = [int(group), number % 2**KEY_BITS]
    if not _ask("SELECT pg_try_advisory_lock(%s, %s)", key):
        yield False
        return
    try:
        yield True
    finally:
        if connection.connection is not None and not connection.connection.closed:
            _ask("SELECT pg_advisory_unlock(%s, %s)", key)


def end_frozen_holder(school_system_id: int | None) -> bool:
    """End the connection of a worker that has a lock but shows no sign of life. Return True if there was one.

    The lock is the one on the school system's jobs, or for None the one on hashing passwords. The worker's transaction
    rolls back and the lock is free. Once the worker wakes up, it finds its connection closed. On SQLite only the end of
    the process frees its locks, so there its supervisor ends it.
    """
    if connection.vendor != "postgresql":
        return False
    with connection.cursor() as cursor:
        number = school_system_id or 0
        parameters = {
            "is_of_system": school_system_id is not None,
            "group": int(LockGroup.PASSWORDS if school_system_id is None else LockGroup.JOBS),
            "number": number,
            "key": number % 2**KEY_BITS,
            "seconds": settings.SIS_SYNC_FROZEN_SECONDS,
        }
        cursor.execute(END_FROZEN_HOLDER, parameters)
        return bool(cursor.fetchall())


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
