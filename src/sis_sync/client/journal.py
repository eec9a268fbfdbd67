"""The journal of deliveries: written before a file is sent, so that a crash neither sends twice nor loses one.

A delivery is `taken`, after the local check `spooled`, and `received` once the server's receipt is there;
`refused` and `skipped` are not sent (again). Each of the last three is put away (moved to archive or failed);
a received one is `ended` once its run has.
"""

import os
import secrets
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sis_sync.client.found_file import FoundFile
from sis_sync.client.sections import Section
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


@dataclass(frozen=True)
class Delivery:
    """One file on its way. `spool` is our copy of it; `destination` where it goes in the end (empty until known)."""

    id: int
    section: str
    mode: str
    source: FoundFile
    sha256: str
    spool: Path
    mapping_name: str
    mapping_lines: str
    idempotency_key: str
    state: str
    taken_at: datetime
    attempts: int
    run_id: str
    destination: str
    note: str

    @property
    def file_name(self) -> str:
        """The name that the SIS gave the file."""
        return self.source.path.name


def add_delivery(
    state: State, section: Section, source: FoundFile, spool: Path, sha256: str, *, now: datetime
) -> Delivery:
    """Write down a spooled file, with the key under which it will be sent however often that takes."""
    found = state.database.execute(
        "insert into delivery (section, mode, source, size_bytes, modified_ns, sha256, spool, mapping_name,"
        " mapping_lines, idempotency_key, state, taken_at)"
        " values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'taken', ?) returning id",
        (
            section.name,
            section.mode.name,
            str(source.path),
            source.size_bytes,
            source.modified_ns,
            sha256,
            str(spool),
            section.mapping.name,
            section.mapping.lines,
            secrets.token_hex(16),
            now.isoformat(),
        ),
    ).fetchall()
    return get_delivery(state, found[0]["id"])


def get_delivery(state: State, delivery_id: int) -> Delivery:
    """The delivery as it stands now."""
    return next(_read(state, "id = ?", delivery_id))


def taken_deliveries(state: State) -> list[Delivery]:
    """What still has to be checked here, oldest first."""
    return list(_read(state, "state = 'taken'"))


def spooled_deliveries(state: State, section: str) -> list[Delivery]:
    """What waits to be sent, oldest first."""
    return list(_read(state, "state = 'spooled' and section = ?", section))


def unsent_deliveries(state: State, section: str) -> list[Delivery]:
    """What was taken and not received, checked or not, oldest first."""
    return list(_read(state, "state in ('taken', 'spooled') and section = ?", section))


def deliveries_to_put_away(state: State) -> list[Delivery]:
    """What has been decided, but still lies in its folder."""
    return list(_read(state, "state in ('received', 'refused', 'skipped') and put_away_at = ''"))


def open_deliveries(state: State, *, since: datetime) -> list[Delivery]:
    """What the server has received since then, and whose run has not been seen to end."""
    condition = "state = 'received' and ended_at = '' and put_away_at != '' and received_at >= ?"
    return list(_read(state, condition, since.isoformat()))


def is_in_hand(state: State, found: FoundFile) -> bool:
    """Whether this very file, unchanged, is already on its way."""
    rows = state.database.execute(
        "select 1 from delivery where source = ? and size_bytes = ? and modified_ns = ? and put_away_at = ''",
        (str(found.path), found.size_bytes, found.modified_ns),
    )
    return rows.fetchone() is not None


def same_content_sent_at(state: State, delivery: Delivery) -> datetime | None:
    """When the same content was last received in the same mode before, None if never."""
    row = state.database.execute(
        "select max(received_at) as at from delivery where sha256 = ? and mode = ? and id != ? and received_at != ''",
        (delivery.sha256, delivery.mode, delivery.id),
    ).fetchone()
    return datetime.fromisoformat(row["at"]) if row["at"] else None


def mark_checked(state: State, delivery: Delivery) -> None:
    """The local check found nothing that keeps it from being sent."""
    state.database.execute("update delivery set state = 'spooled' where id = ?", (delivery.id,))


def count_attempt(state: State, delivery: Delivery) -> None:
    """Write down that it is about to be sent."""
    state.database.execute("update delivery set attempts = attempts + 1 where id = ?", (delivery.id,))


def mark_received(state: State, delivery: Delivery, run_id: str, destination: Path, *, now: datetime) -> None:
    """The server's receipt."""
    state.database.execute(
        "update delivery set state = 'received', run_id = ?, destination = ?, received_at = ? where id = ?",
        (run_id, str(destination), now.isoformat(), delivery.id),
    )


def mark_unsent(state: State, delivery: Delivery, kind: str, destination: Path, note: str = "") -> None:
    """It is not sent (again): `refused`, with the findings as note, or `skipped`."""
    state.database.execute(
        "update delivery set state = ?, destination = ?, note = ? where id = ?",
        (kind, str(destination), note, delivery.id),
    )


def mark_put_away(state: State, delivery: Delivery, *, now: datetime) -> None:
    """It lies at its destination; the note may hold personal data and is not kept here."""
    state.database.execute(
        "update delivery set put_away_at = ?, note = '' where id = ?", (now.isoformat(), delivery.id)
    )


def mark_ended(state: State, delivery: Delivery, *, now: datetime) -> None:
    """Its run has ended and what it left is beside the file."""
    state.database.execute("update delivery set ended_at = ? where id = ?", (now.isoformat(), delivery.id))


def spool_names(state: State) -> set[str]:
    """The names of all spool files that a delivery still needs."""
    rows = state.database.execute("select spool from delivery where put_away_at = ''")
    return {Path(row["spool"]).name for row in rows}


def _read(state: State, condition: str, *values: object) -> Iterator[Delivery]:
    rows = state.database.execute(f"select * from delivery where {condition} order by id", values).fetchall()
    for row in rows:
        yield Delivery(
            id=row["id"],
            section=row["section"],
            mode=row["mode"],
            source=FoundFile(Path(row["source"]), row["size_bytes"], row["modified_ns"]),
            sha256=row["sha256"],
            spool=Path(row["spool"]),
            mapping_name=row["mapping_name"],
            mapping_lines=row["mapping_lines"],
            idempotency_key=row["idempotency_key"],
            state=row["state"],
            taken_at=datetime.fromisoformat(row["taken_at"]).astimezone(UTC),
            attempts=row["attempts"],
            run_id=row["run_id"],
            destination=row["destination"],
            note=row["note"],
        )


def is_settled(state: State, found: FoundFile, *, settle_seconds: int, now: datetime) -> bool:
    """Whether an earlier look, at least `settle_seconds` ago, saw the same size and time. Remembers this look.

    Our own clock counts: the file's time may come from another computer or from a copy.
    """
    row = state.database.execute("select * from look where path = ?", (str(found.path),)).fetchone()
    if row and (row["size_bytes"], row["modified_ns"]) == (found.size_bytes, found.modified_ns):
        first_seen_at = datetime.fromisoformat(row["first_seen_at"])
        if first_seen_at <= now:
            return now - first_seen_at >= timedelta(seconds=settle_seconds)
    state.database.execute(
        "insert or replace into look values (?, ?, ?, ?)",
        (str(found.path), found.size_bytes, found.modified_ns, now.isoformat()),
    )
    return settle_seconds == 0


def forget_others(state: State, paths: Iterable[Path]) -> None:
    """Forget the looks at files that are no longer there."""
    present = {str(path) for path in paths}
    for row in state.database.execute("select path from look").fetchall():
        if row["path"] not in present:
            state.database.execute("delete from look where path = ?", (row["path"],))


def served_at(state: State, section: str, *, now: datetime) -> datetime:
    """When the section's schedule was last served; a new section counts from now on."""
    state.database.execute("insert or ignore into served values (?, ?)", (section, now.isoformat()))
    row = state.database.execute("select served_at from served where section = ?", (section,)).fetchone()
    return datetime.fromisoformat(row["served_at"])


def mark_served(state: State, section: str, *, now: datetime) -> None:
    """The section's files of this moment have been taken."""
    state.database.execute("insert or replace into served values (?, ?)", (section, now.isoformat()))


def remember_kept(state: State, path: Path, *, now: datetime) -> None:
    """A file that we put into an archive; only such files are ever removed from one."""
    state.database.execute("insert or replace into kept values (?, ?)", (str(path), now.isoformat()))


def kept_before(state: State, moment: datetime) -> list[Path]:
    """The archived files that are older than this."""
    rows = state.database.execute("select path from kept where kept_at < ?", (moment.isoformat(),))
    return [Path(row["path"]) for row in rows]


def forget_kept(state: State, path: Path) -> None:
    """The archived file is gone."""
    state.database.execute("delete from kept where path = ?", (str(path),))
