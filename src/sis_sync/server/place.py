"""The place that the server runs in: the room on its disk, and the words for what it lacks at the moment."""

import shutil
from pathlib import Path

from django.conf import settings

from sis_sync.core.place_faults import PlaceFault

# Below this, no job is begun and no upload is taken: the rest is for the database, for signing in and for logs.
ROOM_KEPT_BYTES = 16 << 20

PLACE_WORDS: dict[str, str] = {
    PlaceFault.DISK_FULL: "the disk of the server is full",
    PlaceFault.DISK_UNUSABLE: "the disk of the server cannot be used",
    PlaceFault.DATABASE_BUSY: "the database of the server is busy with a long change",
    PlaceFault.DATABASE_GONE: "the database of the server does not answer",
    PlaceFault.MEMORY: "the server has too little memory",
    PlaceFault.ENGINE: "the engine that plans files cannot be used",
}


def has_room(needed_bytes: int = 0, *, folder: Path | None = None) -> bool:
    """Return True if the disk of the folder (the data folder) has room for so many bytes and keeps its reserve."""
    return shutil.disk_usage(folder or settings.SIS_SYNC_DATA_FOLDER).free >= needed_bytes + ROOM_KEPT_BYTES


def name_fault(fault: PlaceFault) -> PlaceFault:
    """Return the fault, more exactly: SQLite says only that it cannot open or write a file if the disk is full."""
    if fault == PlaceFault.DISK_UNUSABLE and not has_room():
        return PlaceFault.DISK_FULL
    return fault
