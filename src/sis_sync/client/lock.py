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
        descriptor = os.open(folder / "client.lock", os.O_CREAT | os.O_RDWR, 0o600)
    except OSError as error:
        message = f"The state folder {folder} cannot be used: {error.strerror}."
        raise ConfigurationError(
            message, fix="Name a folder that the client may write to: client.state.folder=PATH."
        ) from None
    try:
        _lock(descriptor, folder)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int, folder: Path) -> None:
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise AnotherInstanceRuns(
            f"Another sync client works with the state folder {folder}.",
            fix="Wait until it has ended, or stop it; a second client needs its own client.state.folder.",
        ) from None
