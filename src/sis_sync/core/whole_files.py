"""Write files completely or not at all.

A reader finds the old file or the new one, never a part of one. After the call returns, the new file survives a power
failure. To guarantee this, the file is written next to its final name, flushed to the disk and renamed. Then the
folder, which contains the names, is flushed too.
"""

import errno
import hashlib
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

CHUNK_BYTES = 1 << 20
OWNER_ONLY = 0o600
# Some network file systems cannot flush a folder, and return one of these.
_CANNOT_SYNC = {errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EBADF, errno.EACCES, errno.EPERM}


def write_whole(target: Path, chunks: Iterable[bytes]) -> str:
    """Write a file that only its owner may read. Return the SHA-256 of its bytes in hex."""
    digest = hashlib.sha256()
    with replaced_whole(target) as draft, draft.open("wb") as out:
        for chunk in chunks:
            digest.update(chunk)
            out.write(chunk)
    return digest.hexdigest()


@contextmanager
def replaced_whole(target: Path) -> Iterator[Path]:
    """Yield a draft path next to `target`. The draft replaces `target` unless the block raises.

    Only its owner may read the new file.
    """
    draft = target.with_name(f"{target.name}.part")
    try:
        _make_empty(draft)
        yield draft
        # The block may have put another file there, with other permissions.
        with suppress(PermissionError):  # a file system without permissions
            draft.chmod(OWNER_ONLY)
        sync_file(draft)
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)
    sync_folder(target.parent)


def _make_empty(path: Path) -> None:
    path.unlink(missing_ok=True)  # a crash may have left one
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, OWNER_ONLY))


def sync_file(path: Path) -> None:
    """Flush the content of a file to the disk."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Flush the names in a folder to the disk. Windows cannot open a folder and flushes it by itself."""
    if os.name == "nt":
        return
    try:
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        if error.errno not in _CANNOT_SYNC:
            raise


def chunks_of(path: Path) -> Iterator[bytes]:
    """Yield the bytes of a file, at most 1 MiB at a time."""
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            yield chunk


def sha256_of(*paths: Path) -> str:
    """Return the SHA-256 of the files, read one after the other, in hex."""
    digest = hashlib.sha256()
    for path in paths:
        for chunk in chunks_of(path):
            digest.update(chunk)
    return digest.hexdigest()
