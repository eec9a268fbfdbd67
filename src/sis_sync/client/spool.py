"""Takes a file: copy to the spool, hash, compare with the source again, journal. Only then does it count."""

import secrets
import shutil
from datetime import datetime
from pathlib import Path

from sis_sync.client.folders import Scan
from sis_sync.client.found_file import FoundFile, look_at
from sis_sync.client.journal import (
    Delivery,
    State,
    add_delivery,
    get_delivery,
    mark_put_away,
    mark_unsent,
    remember_kept,
    spool_names,
    unsent_deliveries,
)
from sis_sync.client.sections import Section
from sis_sync.core.whole_files import chunks_of, sha256_of, write_whole


def copy_whole(source: Path, target: Path, *, rights_of: Path) -> None:
    """Copy into a folder that is made if needed; who may read `rights_of` may read the copy."""
    target.parent.mkdir(parents=True, exist_ok=True)
    write_whole(target, chunks_of(source))
    if rights_of.exists():
        shutil.copymode(rights_of, target)


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


def take_file(state: State, section: Section, found: FoundFile, *, now: datetime) -> Delivery | None:
    """The journaled delivery, or None if the source changed meanwhile: then nothing has happened."""
    spool = state.spool / f"{secrets.token_hex(8)}.data"
    sha256 = write_whole(spool, chunks_of(found.path))
    if not _is_same(found, sha256):
        spool.unlink()
        return None
    return add_delivery(state, section, found, spool, sha256, now=now)


def _is_same(found: FoundFile, sha256: str) -> bool:
    return found.is_as_found and sha256_of(found.path) == sha256 and found.is_as_found


def skip_older(state: State, scan: Scan, *, now: datetime) -> list[Delivery]:
    """Mark everything that the newest file makes pointless: older files, and older copies not yet sent."""
    for found in scan.skipped:
        take_file(state, scan.section, found, now=now)
    skipped = unsent_deliveries(state, scan.section.name)
    for delivery in skipped:
        destination = destination_in(scan.section.archive_folder, delivery, now=now, tag=".skipped")
        mark_unsent(state, delivery, "skipped", destination)
    return [get_delivery(state, delivery.id) for delivery in skipped]


def remove_orphans(state: State) -> None:
    """Remove copies that were made but never journaled, left by a crash: their sources are still in place."""
    needed = spool_names(state)
    for path in state.spool.iterdir():
        if path.name not in needed:
            path.unlink()
