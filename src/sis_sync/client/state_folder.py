"""The state folder: the lock that allows one client at a time, the journal, and the spool.

The spool contains the client's own copies of the files that are not put away yet.
"""

import contextlib
import os
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path

from sis_sync.client.journal import ADDED_COLUMNS, SCHEMA, Delivery, Journal
from sis_sync.client.sections import Section
from sis_sync.client.watched_folders import FoundFile
from sis_sync.core.errors import AnotherInstanceRuns, ConfigurationError
from sis_sync.core.file_lock import file_lock
from sis_sync.core.place_faults import as_no_room
from sis_sync.core.whole_files import chunks_of, sha256_of, write_whole

JOURNAL_NAME = "journal.sqlite3"
_LOCK_NAME = "client.lock"
_SPOOL_NAME = "spool"


@contextmanager
def client_lock(folder: Path) -> Iterator[None]:
    """Lock the state folder while the block runs. Raise AnotherInstanceRuns if another client has locked it."""
    with ExitStack() as held:
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            is_free = held.enter_context(file_lock(folder / _LOCK_NAME))
        except OSError as error:
            raise as_no_room(error, (folder,)) or _unusable(folder, error) from None
        if not is_free:
            raise AnotherInstanceRuns(
                f"Another sync client works with the state folder {folder}.",
                fix="Wait until it has ended, or stop it; a second client needs its own client.state.folder.",
            )
        yield


@contextmanager
def open_journal(folder: Path) -> Iterator[Journal]:
    """Open the journal. Make missing folders, readable by their owner only. Raise ConfigurationError on failure."""
    try:
        spool_folder = folder / _SPOOL_NAME
        for each in (folder, spool_folder):
            each.mkdir(parents=True, exist_ok=True, mode=0o700)
        database = _open_database(folder / JOURNAL_NAME)
    except OSError as error:
        raise as_no_room(error, (folder,)) or _unusable(folder, error) from None
    except sqlite3.DatabaseError as error:
        raise as_no_room(error, (folder,)) or ConfigurationError(
            f"The journal in {folder} cannot be read: {error}.",
            fix=f"Move {JOURNAL_NAME} away and look into the folder {_SPOOL_NAME} next to it for files on their way.",
        ) from None
    try:
        yield Journal(database, spool_folder)
    finally:
        database.close()


def take_file(journal: Journal, section: Section, found: FoundFile, *, now: datetime) -> Delivery | None:
    """Copy the file to the spool and add it to the journal. If it changed meanwhile, undo that and return None.

    The source stays in its folder. A crash before the copy is in the journal leaves only an orphan in the spool.
    """
    spool = journal.spool_folder / f"{secrets.token_hex(8)}.data"
    sha256 = write_whole(spool, chunks_of(found.path))
    # Read the source a second time: some programs replace the content but keep the size and time.
    if not (found.is_unchanged and sha256_of(found.path) == sha256 and found.is_unchanged):
        spool.unlink()
        return None
    return journal.add_delivery(section, found, spool, sha256, now=now)


def remove_orphans(journal: Journal) -> None:
    """Remove copies that a crash left. Their files are still in the watched folder, or have already been put away."""
    needed = journal.spool_names()
    for path in journal.spool_folder.iterdir():
        if path.name not in needed:
            path.unlink()


def count_unsent(folder: Path) -> int | None:
    """Return the number of unsent files, or None if there is no journal yet. Raise sqlite3.Error if it is unreadable.

    This is read-only and needs no lock, so it works while a client runs.
    """
    path = folder / JOURNAL_NAME
    if not path.exists():
        return None
    with contextlib.closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as database:
        return Journal(database, folder / _SPOOL_NAME).count_unsent()


def _open_database(path: Path) -> sqlite3.Connection:
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    database = sqlite3.connect(path, timeout=30, isolation_level=None)
    try:
        database.execute("pragma journal_mode=delete")
        # Each commit, and the directory entry of its rollback journal, is on disk before the call returns. The client's
        # next step can depend on it even if the power fails.
        database.execute("pragma synchronous=extra")
        database.row_factory = sqlite3.Row
        database.executescript(SCHEMA)
        known = {row["name"] for row in database.execute("pragma table_info(delivery)")}
        for name, kind in ADDED_COLUMNS.items():
            if name not in known:
                database.execute(f"alter table delivery add column {name} {kind}")
    except sqlite3.DatabaseError:
        database.close()
        raise
    return database


def _unusable(folder: Path, error: OSError) -> ConfigurationError:
    return ConfigurationError(
        f"The state folder {folder} cannot be used: {error.strerror}.",
        fix="Name a folder that the client may write to: client.state.folder=PATH.",
    )
