"""Copies that are either whole or not there: written beside, forced to disk, then renamed."""

import hashlib
import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

_CHUNK_BYTES = 1 << 20


def chunks_of(path: Path) -> Iterator[bytes]:
    """The bytes of the file, a piece at a time."""
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            yield chunk


def sha256_of(path: Path) -> str:
    """The SHA-256 of the file, in hex."""
    digest = hashlib.sha256()
    for chunk in chunks_of(path):
        digest.update(chunk)
    return digest.hexdigest()


def write_whole(target: Path, chunks: Iterable[bytes]) -> str:
    """Write the file, for its owner only, and give its SHA-256 in hex. A failure leaves nothing behind."""
    part = target.with_name(f"{target.name}.part")
    digest = hashlib.sha256()
    try:
        with os.fdopen(os.open(part, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "wb") as out:
            for chunk in chunks:
                digest.update(chunk)
                out.write(chunk)
            out.flush()
            os.fsync(out.fileno())
        part.replace(target)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    _sync_folder(target.parent)
    return digest.hexdigest()


def copy_whole(source: Path, target: Path, *, rights_of: Path) -> None:
    """Copy into a folder that is made if needed; who may read `rights_of` may read the copy."""
    target.parent.mkdir(parents=True, exist_ok=True)
    write_whole(target, chunks_of(source))
    if rights_of.exists():
        shutil.copymode(rights_of, target)


def _sync_folder(folder: Path) -> None:
    """A rename is safe once the folder itself is on disk; Windows has no such call and needs none."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError:
        return  # some network file systems refuse it; the journal keeps the file until the copy is seen
    finally:
        os.close(descriptor)
