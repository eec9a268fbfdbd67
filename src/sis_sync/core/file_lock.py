"""A lock of the operating system on a file. It ends with its process, so a crash leaves no lock to remove."""

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_TAKEN = (errno.EWOULDBLOCK, errno.EACCES, errno.EDEADLK)


@contextmanager
def file_lock(path: Path) -> Iterator[bool]:
    """Try once to lock a file, and create it if missing. Yield True if the block has the lock, False if it is taken.

    Raise OSError if the file cannot be locked at all.
    """
    descriptor = os.open(path, os.O_CREAT | os.O_RDWR, 0o666)  # less the umask; the folder keeps other users out
    try:
        yield _is_free(descriptor)
    finally:
        os.close(descriptor)  # this releases the lock


def _is_free(descriptor: int) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            # flock, not lockf: it also refuses a second open of the file in this process
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in _TAKEN:
            return False
        raise
    return True
