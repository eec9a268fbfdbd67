"""One client per state folder: a lock of the system that dies with its process."""

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from sis_sync.core.errors import AnotherInstanceRuns, ConfigurationError

_TAKEN = (errno.EWOULDBLOCK, errno.EACCES, errno.EDEADLK)


@contextmanager
def client_lock(folder: Path) -> Iterator[None]:
    """Hold the lock of the state folder. AnotherInstanceRuns if somebody else does."""
    busy = AnotherInstanceRuns(
        f"Another sync client works with the state folder {folder}.",
        fix="Wait until it has ended, or stop it; a second client needs its own client.state.folder.",
    )
    with ExitStack() as held:
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            held.enter_context(file_lock(folder / "client.lock", busy))
        except OSError as error:
            message = f"The state folder {folder} cannot be used: {error.strerror}."
            raise ConfigurationError(
                message, fix="Name a folder that the client may write to: client.state.folder=PATH."
            ) from None
        yield


@contextmanager
def file_lock(path: Path, busy: AnotherInstanceRuns) -> Iterator[None]:
    """Hold the lock of a file, which is made. Raises `busy` if somebody else does, OSError where nobody can."""
    descriptor = os.open(path, os.O_CREAT | os.O_RDWR, 0o666)  # less what the umask takes: its folder is the guard
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
    except OSError as error:
        if error.errno in _TAKEN:
            raise busy from None
        raise
