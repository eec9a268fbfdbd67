"""The place that the server runs in: the room on its disk, and what it says when something is missing."""

import logging
import shutil
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError, InterfaceError

from sis_sync.core.place_faults import PlaceFault, fault_of
from sis_sync.server.errors import DiskFull, NotNow

logger = logging.getLogger(__name__)

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
    """Return the exact fault. If the disk is full, SQLite says only that it cannot open or write a file."""
    if fault == PlaceFault.DISK_UNUSABLE and not has_room():
        return PlaceFault.DISK_FULL
    return fault


def require_room(needed_bytes: int, *, folder: Path | None = None) -> None:
    """Raise DiskFull unless the disk has room for so many bytes. Call it before anything is taken."""
    if not has_room(needed_bytes, folder=folder):
        raise not_now(PlaceFault.DISK_FULL)


def not_now(fault: PlaceFault) -> NotNow:
    """Return the error that answers a request which met this fault."""
    named = name_fault(fault)
    words = f"{PLACE_WORDS[named].capitalize()}. Nothing was stored."
    if named == PlaceFault.DISK_FULL:
        return DiskFull(words, fix="Try again later. The person who hosts the server must make room.")
    return NotNow(words, fix="Try again in a few seconds.")


def as_not_now(error: BaseException | None) -> NotNow | None:
    """Return the error as NotNow if the place is at fault, otherwise None."""
    if isinstance(error, NotNow):
        return error
    fault = fault_of(error)
    return not_now(fault) if fault else None


def log_place_fault(error: Exception) -> None:
    """Log why this process cannot work at the moment. Raise the error again if the place is not at fault."""
    fault = fault_of(error)
    if fault is None and not isinstance(error, DatabaseError | InterfaceError):
        raise error
    words = PLACE_WORDS[name_fault(fault)] if fault else f"the database does not answer ({type(error).__name__})"
    logger.warning("%s; trying again", words)
