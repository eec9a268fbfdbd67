"""The journal: a record of the files that the client has taken, sent and archived. It is written before each action.

Therefore a crash never sends a file twice and never loses one. A delivery starts as `taken`, becomes `spooled` when the
local check passes, and `received` when the server confirms it. A `refused` or `skipped` delivery is not sent again. In
these last three states, the file is put away (moved to archive or failed). A delivery ends when its run ends.
"""

import json
import secrets
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from sis_sync.client.sections import Section
from sis_sync.client.watched_folders import FoundFile
from sis_sync.core.reading_options import ReadingOptions, options_of

DeliveryState = Literal["taken", "spooled", "received", "refused", "skipped"]

# `look`: the latest size and time of each file, and when they were first seen. `kept`: the files that the client moved
# to an archive. `served`: the last time that a section's schedule was followed. `followed`: the delivery that the last
# check of the runs had reached when it stopped.
SCHEMA = """
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
    reading_options text not null default '{}',
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
create table if not exists followed (row integer primary key check (row = 1), delivery integer not null);
"""
# Columns that a journal of an earlier version lacks.
ADDED_COLUMNS = {"reading_options": "text not null default '{}'"}
_UNSENT = "state in ('taken', 'spooled')"


@dataclass(frozen=True)
class Delivery:
    """One file to deliver. `spool` is the client's copy. `destination` is empty until the outcome is known."""

    id: int
    section: str
    mode: str
    source: FoundFile
    sha256: str
    spool: Path
    mapping_name: str
    mapping_lines: str
    options: ReadingOptions
    idempotency_key: str
    state: DeliveryState
    run_id: str
    destination: str
    note: str

    @property
    def file_name(self) -> str:
        """The name that the SIS gave the file."""
        return self.source.path.name


@dataclass(frozen=True)
class Journal:
    """The open journal. Each call commits. `spool_folder` contains the copies of files that are not put away yet."""

    database: sqlite3.Connection
    spool_folder: Path

    # Deliveries: add and find

    def add_delivery(self, section: Section, source: FoundFile, spool: Path, sha256: str, *, now: datetime) -> Delivery:
        """Add a file that was copied to the spool. Its idempotency key stays the same for all attempts to send it."""
        added = self.database.execute(
            "insert into delivery (section, mode, source, size_bytes, modified_ns, sha256, spool, mapping_name,"
            " mapping_lines, reading_options, idempotency_key, state, taken_at)"
            " values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'taken', ?) returning id",
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
                json.dumps(section.options.as_words()),
                secrets.token_hex(16),
                now.isoformat(),
            ),
        ).fetchall()
        return self._delivery(added[0]["id"])

    def unchecked_deliveries(self) -> list[Delivery]:
        """Return the files that were taken but not checked yet, oldest first."""
        return self._deliveries("state = 'taken'")

    def deliveries_to_send(self, section: str) -> list[Delivery]:
        """Return the section's files that are checked and ready to send, oldest first."""
        return self._deliveries("state = 'spooled' and section = ?", section)

    def unsent_deliveries(self, section: str) -> list[Delivery]:
        """Return the section's files that the server has not received, checked or not, oldest first."""
        return self._deliveries(f"{_UNSENT} and section = ?", section)

    def count_unsent(self) -> int:
        """Return the number of files, in all sections, that the server has not received."""
        (count,) = self.database.execute(f"select count(*) from delivery where {_UNSENT}").fetchone()
        return int(count)

    def deliveries_to_put_away(self) -> list[Delivery]:
        """Return the files whose outcome is known but that are still in the watched folder."""
        return self._deliveries("state in ('received', 'refused', 'skipped') and put_away_at = ''")

    def open_deliveries(self, *, since: datetime) -> list[Delivery]:
        """Return the files that the server has received at or after `since` and whose run has not ended.

        Begin after the one at which the last check stopped, so that several checks together reach all of them.
        """
        condition = "state = 'received' and ended_at = '' and put_away_at != '' and received_at >= ?"
        found = self._deliveries(condition, since.isoformat())
        row = self.database.execute("select delivery from followed").fetchone()
        return sorted(found, key=lambda each: row is not None and each.id <= row["delivery"])

    def is_on_its_way(self, found: FoundFile) -> bool:
        """Return True if this file was taken, has not changed since, and is not put away yet."""
        rows = self.database.execute(
            "select 1 from delivery where source = ? and size_bytes = ? and modified_ns = ? and put_away_at = ''",
            (str(found.path), found.size_bytes, found.modified_ns),
        )
        return rows.fetchone() is not None

    def same_content_received_at(self, delivery: Delivery) -> datetime | None:
        """Return when the server last received the same content in the same mode, or None."""
        row = self.database.execute(
            "select max(received_at) as at from delivery"
            " where sha256 = ? and mode = ? and id != ? and received_at != ''",
            (delivery.sha256, delivery.mode, delivery.id),
        ).fetchone()
        return datetime.fromisoformat(row["at"]) if row["at"] else None

    def spool_names(self) -> set[str]:
        """Return the names of all spool files that a delivery still needs."""
        rows = self.database.execute("select spool from delivery where put_away_at = ''")
        return {Path(row["spool"]).name for row in rows}

    # Deliveries: the next state

    def mark_checked(self, delivery: Delivery) -> None:
        """Store that the file has passed the local check and may be sent."""
        self._update(delivery, state="spooled")

    def count_attempt(self, delivery: Delivery) -> None:
        """Count one more attempt to send the file."""
        self.database.execute("update delivery set attempts = attempts + 1 where id = ?", (delivery.id,))

    def mark_received(self, delivery: Delivery, run_id: str, destination: Path, *, now: datetime) -> Delivery:
        """Store that the server has confirmed the file."""
        return self._update(
            delivery, state="received", run_id=run_id, destination=str(destination), received_at=now.isoformat()
        )

    def mark_refused(self, delivery: Delivery, destination: Path, note: str) -> Delivery:
        """Store that the file was refused. The note contains the findings and will be written next to the file."""
        return self._update(delivery, state="refused", destination=str(destination), note=note)

    def mark_skipped(self, delivery: Delivery, destination: Path) -> Delivery:
        """Store that the file will not be sent."""
        return self._update(delivery, state="skipped", destination=str(destination))

    def mark_put_away(self, delivery: Delivery, *, now: datetime) -> None:
        """Store that the file is at its destination. Clear the note, because it may contain personal data."""
        self._update(delivery, put_away_at=now.isoformat(), note="")

    def mark_followed(self, delivery: Delivery) -> None:
        """Store that a look broke off after it had looked at the delivery's run."""
        self.database.execute("insert or replace into followed values (1, ?)", (delivery.id,))

    def mark_ended(self, delivery: Delivery, *, now: datetime) -> None:
        """Store that the delivery's run has ended and that its results are next to the file."""
        self._update(delivery, ended_at=now.isoformat())

    # Latest look at each watched file

    def first_look_at(self, found: FoundFile) -> datetime | None:
        """Return when the file was first seen with this size and time, or None if it is new or has changed."""
        row = self.database.execute("select * from look where path = ?", (str(found.path),)).fetchone()
        if row is None or (row["size_bytes"], row["modified_ns"]) != (found.size_bytes, found.modified_ns):
            return None
        return datetime.fromisoformat(row["first_seen_at"])

    def remember_look(self, found: FoundFile, *, now: datetime) -> None:
        """Store the current size and time of the file. They replace the earlier ones."""
        self.database.execute(
            "insert or replace into look values (?, ?, ?, ?)",
            (str(found.path), found.size_bytes, found.modified_ns, now.isoformat()),
        )

    def forget_looks_except(self, paths: Iterable[Path]) -> None:
        """Forget all files except these. The other files no longer exist."""
        present = {str(path) for path in paths}
        for row in self.database.execute("select path from look").fetchall():
            if row["path"] not in present:
                self.database.execute("delete from look where path = ?", (row["path"],))

    # Schedules

    def served_at(self, section: str, *, now: datetime) -> datetime:
        """Return when the section's schedule was last followed. Store `now` for a new section."""
        self.database.execute("insert or ignore into served values (?, ?)", (section, now.isoformat()))
        row = self.database.execute("select served_at from served where section = ?", (section,)).fetchone()
        return datetime.fromisoformat(row["served_at"])

    def mark_served(self, section: str, *, now: datetime) -> None:
        """Store that the section's files were taken at this time."""
        self.database.execute("insert or replace into served values (?, ?)", (section, now.isoformat()))

    # Archives

    def remember_archived(self, path: Path, *, now: datetime) -> None:
        """Store that the client archived this file. The client removes only such files from an archive."""
        self.database.execute("insert or replace into kept values (?, ?)", (str(path), now.isoformat()))

    def archived_before(self, moment: datetime) -> list[Path]:
        """Return the files that were archived before `moment`."""
        rows = self.database.execute("select path from kept where kept_at < ?", (moment.isoformat(),))
        return [Path(row["path"]) for row in rows]

    def forget_archived(self, path: Path) -> None:
        """Forget an archived file that was removed."""
        self.database.execute("delete from kept where path = ?", (str(path),))

    def _update(self, delivery: Delivery, **values: str) -> Delivery:
        """Store the values in one commit and return the updated delivery."""
        columns = ", ".join(f"{name} = ?" for name in values)
        self.database.execute(f"update delivery set {columns} where id = ?", (*values.values(), delivery.id))
        return self._delivery(delivery.id)

    def _delivery(self, delivery_id: int) -> Delivery:
        (found,) = self._deliveries("id = ?", delivery_id)
        return found

    def _deliveries(self, condition: str, *values: object) -> list[Delivery]:
        rows = self.database.execute(f"select * from delivery where {condition} order by id", values).fetchall()
        return [
            Delivery(
                id=row["id"],
                section=row["section"],
                mode=row["mode"],
                source=FoundFile(Path(row["source"]), row["size_bytes"], row["modified_ns"]),
                sha256=row["sha256"],
                spool=Path(row["spool"]),
                mapping_name=row["mapping_name"],
                mapping_lines=row["mapping_lines"],
                options=options_of(json.loads(row["reading_options"])),
                idempotency_key=row["idempotency_key"],
                state=row["state"],
                run_id=row["run_id"],
                destination=row["destination"],
                note=row["note"],
            )
            for row in rows
        ]
