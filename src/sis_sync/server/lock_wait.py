"""How long a process waits while another one writes: the worker long, web requests briefly, marks not at all.

On SQLite one process writes at a time, and a large file is applied in one write.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

from sis_sync.core.place_faults import fault_of

WEB_LOCK_WAIT_SECONDS = 1.5
WEB_CONNECT_SECONDS = 2  # PostgreSQL; libpq waits for whole seconds only, and at least two


def wait_briefly(database: dict[str, Any]) -> None:
    """Change the entry of Django's DATABASES so that this process waits no longer than a web request may."""
    if database["ENGINE"].endswith("sqlite3"):
        database["OPTIONS"]["timeout"] = WEB_LOCK_WAIT_SECONDS
        return
    database["OPTIONS"].setdefault("connect_timeout", WEB_CONNECT_SECONDS)
    connection_created.connect(limit_lock_wait, dispatch_uid="lock_wait")


def limit_lock_wait(connection: BaseDatabaseWrapper, **_others: Any) -> None:
    """Limit how long statements of a new connection to PostgreSQL wait for a lock."""
    with connection.cursor() as cursor:  # not a startup option, which connection pools refuse
        cursor.execute("SELECT set_config('lock_timeout', %s, false)", [f"{WEB_LOCK_WAIT_SECONDS}s"])


def refuse_if_locked() -> None:
    """Raise OperationalError if another process writes and this one may not begin to. Only SQLite has such a lock."""
    with transaction.atomic():
        pass


def write_mark(write: Callable[[], object]) -> bool:
    """Write something that may be lost, such as when a key was last used. Drop it and return False if it must wait.

    It is dropped for any other fault of the place too, such as a full disk.
    """
    try:
        with _without_waiting(), transaction.atomic():
            write()
    except Exception as error:
        if fault_of(error) is None:
            raise
        return False
    return True


@contextmanager
def _without_waiting() -> Iterator[None]:
    if connection.vendor != "sqlite":  # PostgreSQL locks single rows, and no one holds those of marks for long
        yield
        return
    with connection.cursor() as cursor:
        (milliseconds,) = cursor.execute("PRAGMA busy_timeout").fetchone()
        cursor.execute("PRAGMA busy_timeout = 0")
    try:
        yield
    finally:
        if connection.connection is not None:
            with connection.cursor() as cursor:
                cursor.execute(f"PRAGMA busy_timeout = {int(milliseconds)}")
