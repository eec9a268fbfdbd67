"""Takes a file: copy to the spool, hash, compare with the source again, journal. Only then does it count."""

import secrets
from datetime import datetime

from sis_sync.client.copying import chunks_of, sha256_of, write_whole
from sis_sync.client.folders import Scan
from sis_sync.client.found_file import FoundFile
from sis_sync.client.journal import Delivery, add_delivery, get_delivery, mark_unsent, spool_names, unsent_deliveries
from sis_sync.client.put_away import destination_in
from sis_sync.client.section import Section
from sis_sync.client.state import State


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
