"""The sign of life of a worker: a file that a thread touches, every few seconds.

A long statement does not stop the thread, but a stopped or hanging process does. The file is outside the database,
because a beat inside it would wait for the transaction of the worker.
"""

import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from django.conf import settings

BEATS_PER_LIMIT = 12  # a worker beats every 5 s if it counts as frozen after 60 s
FORGOTTEN_AFTER_SECONDS = 24 * 60 * 60


def beat_file(name: str) -> Path:
    """Return the file of the worker of this name on this machine."""
    return _folder() / f"{socket.gethostname()}-{name}"


@contextmanager
def beating(file: Path | None = None) -> Iterator[None]:
    """Show signs of life while the block runs: in `file`, or in a file of this process."""
    file = file or beat_file(str(os.getpid()))
    has_ended = threading.Event()
    for old_file in _folder().glob("*"):  # of a worker that was killed
        if time.time() - _beaten_at(old_file) > FORGOTTEN_AFTER_SECONDS:
            old_file.unlink(missing_ok=True)
    thread = threading.Thread(target=_beat, args=(file, has_ended), name="beat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        has_ended.set()
        thread.join()
        file.unlink(missing_ok=True)


def is_a_worker_alive() -> bool:
    """True if the sign of life of any worker is recent."""
    newest = max(map(_beaten_at, _folder().glob("*")), default=0.0)
    return time.time() - newest < settings.SIS_SYNC_FROZEN_SECONDS


def _beat(file: Path, has_ended: threading.Event) -> None:
    while True:
        with suppress(OSError):  # on a full disk: a later beat may find room again
            file.parent.mkdir(mode=0o700, exist_ok=True)
            file.touch(mode=0o600)
        if has_ended.wait(settings.SIS_SYNC_FROZEN_SECONDS / BEATS_PER_LIMIT):
            return


def _beaten_at(file: Path) -> float:
    try:
        return file.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def _folder() -> Path:
    return Path(settings.SIS_SYNC_DATA_FOLDER) / "workers"
