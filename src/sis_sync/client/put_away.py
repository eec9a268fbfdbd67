"""Moves a decided file out of its folder: our copy goes to archive or failed, then the source is removed.

Every step may be repeated after a crash. The source is removed only if it still is the file that was sent.
"""

from datetime import datetime
from pathlib import Path

from sis_sync.client.copying import copy_whole, sha256_of, write_whole
from sis_sync.client.found_file import look_at
from sis_sync.client.journal import Delivery, mark_put_away
from sis_sync.client.remembered import remember_kept
from sis_sync.client.state import State

_MAX_NAME_BYTES = 180


def destination_in(folder: Path, delivery: Delivery, *, now: datetime, tag: str = "") -> Path:
    """Where the delivery goes: the moment (UTC), its number, the file's own name, and what happened to it."""
    stem, suffix = delivery.source.path.stem, delivery.source.path.suffix
    while len(f"{stem}{suffix}".encode()) > _MAX_NAME_BYTES and stem:
        stem = stem[:-1]
    return folder / f"{now:%Y%m%dT%H%M%SZ}-{delivery.id}_{stem}{tag}{suffix}"


def beside(archived: Path, kind: str) -> Path:
    """The name of a companion of an archived file, such as its results."""
    return archived.with_name(f"{archived.stem}.{kind}")


def put_away(state: State, delivery: Delivery, *, now: datetime) -> None:
    """Bring the delivery to its destination and the journal up to date. OSError where a folder refuses."""
    destination = Path(delivery.destination)
    if delivery.spool.exists():
        copy_whole(delivery.spool, destination, rights_of=delivery.source.path)
    if delivery.note:
        write_whole(beside(destination, "findings.txt"), [delivery.note.encode()])
    remove_source(delivery)
    if delivery.state != "refused":
        remember_kept(state, destination, now=now)
    mark_put_away(state, delivery, now=now)
    delivery.spool.unlink(missing_ok=True)


def remove_source(delivery: Delivery) -> None:
    """Remove the file that was sent; one that the SIS has put in its place stays.

    It is first renamed, so that nothing can take its place between the last look and the removal.
    """
    source = delivery.source.path
    claimed = source.with_name(f".sis-sync-{delivery.id}.part")
    if not claimed.exists():
        if look_at(source) != delivery.source:
            return
        source.rename(claimed)
    if sha256_of(claimed) == delivery.sha256:
        claimed.unlink()
    else:
        claimed.rename(_free_name(source))


def _free_name(source: Path) -> Path:
    names = (source.with_name(f"{source.stem}-{n}{source.suffix}") for n in range(2, 10**6))
    return source if not source.exists() else next(path for path in names if not path.exists())
