"""Tells waiting workers that a job was queued, so that a person does not wait for their next look at the queue.

On PostgreSQL the database tells the workers of all machines (NOTIFY). On SQLite, where web and worker are on one
machine, it is a file in the data folder. A worker that misses the call finds the job at its next look.
"""

import threading
import time
from contextlib import suppress
from pathlib import Path

from django.conf import settings
from django.db import connection, transaction

CHANNEL = "sis_sync_jobs"
LOOK_SECONDS = 0.02


def wake_workers() -> None:
    """Wake the workers once the transaction commits."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"NOTIFY {CHANNEL}")
    else:
        transaction.on_commit(_touch)


class Rest:
    """How a worker rests. A call that comes between two rests ends the second one at once."""

    def __init__(self) -> None:
        self._heard = _touched_at()

    def until_woken(self, stop: threading.Event, seconds: float) -> bool:
        """Return True if a job was queued; False if `stop` is set (SQLite only) or the seconds are over."""
        if connection.vendor != "postgresql":
            return self._sees_file(stop, seconds)
        with connection.cursor() as cursor:
            cursor.execute(f"LISTEN {CHANNEL}")  # each time, because the connection may be a new one
        return any(True for _ in connection.connection.notifies(timeout=seconds, stop_after=1))

    def _sees_file(self, stop: threading.Event, seconds: float) -> bool:
        until = time.monotonic() + seconds
        while (touched_at := _touched_at()) == self._heard:
            if time.monotonic() >= until or stop.wait(LOOK_SECONDS):
                return False
        self._heard = touched_at
        return True


def _touch() -> None:
    with suppress(OSError):  # no room: the workers find the job at their next look
        _file().parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _file().touch(mode=0o600)


def _touched_at() -> int:
    try:
        return _file().stat().st_mtime_ns
    except OSError:
        return 0


def _file() -> Path:
    return Path(settings.SIS_SYNC_DATA_FOLDER) / "locks" / "job-queued"
