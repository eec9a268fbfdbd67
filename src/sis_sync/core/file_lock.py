"""A lock of the operating system on a file: it dies with its process, so that nobody has to clear up behind a crash."""

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_TAKEN = (errno.EWOULDBLOCK, errno.EACCES, errno.EDEADLK)


@contextmanager
def file_lock(path: Path) -> Iterator[bool]:
    """Try once to take the lock of a file, which is made; gives whether it was free. Held until the block ends.

    Raises OSError where nobody could hold it.
    """
    descriptor = os.open(path, os.O_CREAT | os.O_RDWR, 0o666)  # less what the umask takes: its folder is the guard
    try:
        yield _is_free(descriptor)
    finally:
        os.close(descriptor)  # closing frees the lock


def _is_free(descriptor: int) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            # flock and not lockf: a second open of the same file in this process must be refused too.
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in _TAKEN:
            return False
        raise
    return True
