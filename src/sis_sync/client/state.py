"""The client's state folder and the SQLite file in it: private, and on disk before anything is sent."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sis_sync.core.errors import ConfigurationError

_SCHEMA = """
create table if not exists delivery (
    id integer primary key,
    section text not null,
    mode text not null,
    source text not null,
    size_bytes integer not null,
    modified_ns integer not null,
    sha256 text not null,
    spool text not null,
    mapping_name text not null,
    mapping_lines text not null,
    idempotency_key text not null unique,
    state text not null,
    taken_at text not null,
    attempts integer not null default 0,
    run_id text not null default '',
    destination text not null default '',
    note text not null default '',
    put_away_at text not null default '',
    received_at text not null default '',
    ended_at text not null default ''
);
create index if not exists delivery_by_content on delivery (sha256, mode);
create index if not exists delivery_by_state on delivery (state);
create table if not exists look (
    path text primary key, size_bytes integer not null, modified_ns integer not null, first_seen_at text not null
);
create table if not exists kept (path text primary key, kept_at text not null);
create table if not exists served (section text primary key, served_at text not null);
"""


@dataclass(frozen=True)
class State:
    """The open state: `spool` is the folder of the files on their way."""

    database: sqlite3.Connection
    spool: Path


@contextmanager
def open_state(folder: Path) -> Iterator[State]:
    """The state folder, made if needed, for its owner only. ConfigurationError if it cannot be used."""
    try:
        spool = folder / "spool"
        for each in (folder, spool):
            each.mkdir(parents=True, exist_ok=True, mode=0o700)
        database = _open_database(folder / "journal.sqlite3")
    except OSError as error:
        raise ConfigurationError(
            f"The state folder {folder} cannot be used: {error.strerror}.",
            fix="Name a folder that the client may write to: client.state.folder=PATH.",
        ) from None
    except sqlite3.DatabaseError as error:
        raise ConfigurationError(
            f"The journal in {folder} cannot be read: {error}.",
            fix="Move journal.sqlite3 away and look into the folder spool beside it for files on their way.",
        ) from None
    try:
        yield State(database, spool)
    finally:
        database.close()


def _open_database(path: Path) -> sqlite3.Connection:
    """EXTRA: a commit is on disk, its directory entry too, before the call returns."""
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    database = sqlite3.connect(path, timeout=30, isolation_level=None)
    try:
        database.execute("pragma journal_mode=delete")
        database.execute("pragma synchronous=extra")
        database.row_factory = sqlite3.Row
        database.executescript(_SCHEMA)
    except sqlite3.DatabaseError:
        database.close()
        raise
    return database
