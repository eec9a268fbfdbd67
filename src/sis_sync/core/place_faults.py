"""Recognises faults of the place: a full disk, a locked database, too little memory.

Neither the file nor our code is at fault, so wait and try again. All other exceptions that are not in the
error tree are bugs.
"""

import errno
import os
import re
import shutil
import sqlite3
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path

from sis_sync.core.errors import EngineUnavailable, NoRoom


class PlaceFault(StrEnum):
    """What is missing at the moment. The server stores these names with its jobs."""

    DISK_FULL = "disk_full"
    DISK_UNUSABLE = "disk_unusable"
    DATABASE_BUSY = "database_busy"
    DATABASE_GONE = "database_gone"
    MEMORY = "memory"
    ENGINE = "engine"


_FULL, _UNUSABLE, _MEMORY = PlaceFault.DISK_FULL, PlaceFault.DISK_UNUSABLE, PlaceFault.MEMORY
_BUSY, _GONE = PlaceFault.DATABASE_BUSY, PlaceFault.DATABASE_GONE

# Numbers of the operating system. Some systems lack some of them.
_OF_NUMBER: dict[int, PlaceFault] = {
    number: fault
    for fault, names in {
        _FULL: ("ENOSPC", "EDQUOT", "EFBIG"),
        _UNUSABLE: ("EIO", "EROFS", "ESTALE", "ENODEV", "ENXIO", "EACCES"),
        _MEMORY: ("ENOMEM", "EMFILE", "ENFILE"),
    }.items()
    for name in names
    if (number := getattr(errno, name, None)) is not None
}
_NO_ROOM_BYTES = 1 << 20
_SQLITE_PRIMARY = 0xFF  # the other bits of an extended code say which operation failed
_OF_SQLITE: dict[int, PlaceFault] = {
    sqlite3.SQLITE_BUSY: _BUSY,
    sqlite3.SQLITE_LOCKED: _BUSY,
    sqlite3.SQLITE_PROTOCOL: _BUSY,
    sqlite3.SQLITE_FULL: _FULL,
    sqlite3.SQLITE_IOERR: _UNUSABLE,
    sqlite3.SQLITE_CANTOPEN: _UNUSABLE,
    sqlite3.SQLITE_READONLY: _UNUSABLE,
    sqlite3.SQLITE_NOMEM: _MEMORY,
    sqlite3.SQLITE_IOERR_NOMEM: _MEMORY,
}
# SQLSTATE codes of PostgreSQL, or the start of a whole class of them.
_OF_SQLSTATE: dict[str, PlaceFault] = {
    "53100": _FULL,
    "53200": _MEMORY,
    "53": _GONE,  # too many connections, or another resource
    "08": _GONE,
    "57P": _GONE,  # the server stops, starts or ends this connection
    "25006": _GONE,  # read-only: another server has taken over
    "58": _UNUSABLE,
    "40001": _BUSY,
    "40P01": _BUSY,
    "55P03": _BUSY,
    "57014": _BUSY,
}
# DuckDB and Spark have no numbers in their exceptions, but the operating system's words in their messages. Look only
# into these exceptions: the messages of others quote values, which a file could use to pass for a fault of the place.
_WITH_WORDS = ("IOException", "OutOfMemoryException", "FatalException", "Py4JJavaError", "SparkConnectGrpcException")
_OF_WORDS: dict[str, PlaceFault] = {
    "failed to offload": _FULL,  # above its memory limit DuckDB writes to the disk
    "max_temp_directory_size": _FULL,
    **{os.strerror(number): fault for number, fault in _OF_NUMBER.items()},
    "There is not enough space on the disk": _FULL,  # Windows
    "java.lang.OutOfMemoryError": _MEMORY,
    "Out of Memory Error": _MEMORY,
}


# DuckDB names what it uses of its limit, as in "(488.2 MiB/488.2 MiB used)".
_MEMORY_USED = re.compile(r"\([\d.]+ \w+/[\d.]+ \w+ used\)")


def fault_of(error: BaseException | None) -> PlaceFault | None:
    """Return the fault of the place that caused this exception, or None: then it is an error of ours, or a bug."""
    while error is not None:
        if found := _own_fault(error):
            return found
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return None


def as_no_room(error: BaseException, folders: Iterable[Path]) -> NoRoom | None:
    """Return an error for a person that names the first folder on a full disk, or None if no disk is full."""
    fault = fault_of(error)
    full = [folder for folder in folders if folder.is_dir() and shutil.disk_usage(folder).free < _NO_ROOM_BYTES]
    # SQLite says only that it cannot open or write a file next to its database.
    if fault == _FULL or (fault == _UNUSABLE and full):
        disk = f"The disk with {full[0]}" if full else "A disk of this computer"
        fix = "Make room on it and run the command again. No file is lost, and none is sent twice."
        return NoRoom(f"{disk} is full.", fix=fix)
    return None


def is_over_own_limit(error: BaseException | None) -> bool:
    """True if the work needs more memory than the engine may use in this process. It will probably fail again."""
    if fault_of(error) != _MEMORY:
        return False
    while error is not None:
        if type(error).__name__ == "OutOfMemoryException" and _MEMORY_USED.search(str(error)):
            return True
        error = error.__cause__ or error.__context__
    return False


def _own_fault(error: BaseException) -> PlaceFault | None:
    if isinstance(error, EngineUnavailable):
        return PlaceFault.ENGINE
    if isinstance(error, MemoryError):
        return _MEMORY
    if isinstance(error, OSError):
        return _OF_NUMBER.get(error.errno or 0)
    if isinstance(error, sqlite3.Error):
        code = getattr(error, "sqlite_errorcode", 0)
        return _OF_SQLITE.get(code) or _OF_SQLITE.get(code & _SQLITE_PRIMARY)
    if type(error).__module__.startswith("psycopg"):
        state = getattr(error, "sqlstate", None)
        if state is None:  # there was no answer: the connection failed or broke
            return _GONE if type(error).__name__ in ("OperationalError", "InterfaceError") else None
        return next((_OF_SQLSTATE[start] for start in (state, state[:3], state[:2]) if start in _OF_SQLSTATE), None)
    if type(error).__name__ in _WITH_WORDS:
        return next((fault for words, fault in _OF_WORDS.items() if words in str(error)), None)
    return None
