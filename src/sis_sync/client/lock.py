"""One client per state folder: a lock of the system that dies with its process."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sis_sync.core.errors import AnotherInstanceRuns, ConfigurationError


@contextmanager
def client_lock(folder: Path) -> Iterator[None]:
    """Hold the lock of the state folder. AnotherInstanceRuns if somebody else does."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = _open(folder / "client.lock")
    except OSError as error:
        message = f"The state folder {folder} cannot be used: {error.strerror}."
        raise ConfigurationError(
            message, fix="Name a folder that the client may write to: client.state.folder=PATH."
        ) from None
    busy = AnotherInstanceRuns(
        f"Another sync client works with the state folder {folder}.",
        fix="Wait until it has ended, or stop it; a second client needs its own client.state.folder.",
    )
    with _held(descriptor, busy):
        yield


@contextmanager
def file_lock(path: Path, busy: AnotherInstanceRuns) -> Iterator[None]:
    """Hold the lock of a file, which is made. Raises `busy` if somebody else does, OSError where it cannot be made."""
    with _held(_open(path), busy):
        yield


def _open(path: Path) -> int:
    return os.open(path, os.O_CREAT | os.O_RDWR, 0o600)


@contextmanager
def _held(descriptor: int, busy: AnotherInstanceRuns) -> Iterator[None]:
    try:
        _lock(descriptor, busy)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int, busy: AnotherInstanceRuns) -> None:
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise busy from None
