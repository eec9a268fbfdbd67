"""Loads a stored plan into temporary tables of the database: by COPY on PostgreSQL, in batches on SQLite."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
from django.db import connection

from sis_sync.core.stopping import stop_point
from sis_sync.core.whole_files import chunks_of
from sis_sync.engine.duckdb import Session
from sis_sync.engine.sql import bind, sql_text
from sis_sync.server.accounts.held_addresses import key_of
from sis_sync.server.runs.apply.approved import ApprovedPlan
from sis_sync.server.runs.apply.sql import execute, own_statements
from sis_sync.server.runs.files import run_session, work_folder

BATCH_ROWS = 10_000
# Addresses that accounts lose with this run, as keyed hashes. The purge needs them no longer to remember them.
_RELEASED = """
SELECT DISTINCT keyed_hash(lower(old_email), :key) FROM read_parquet(:plan)
WHERE action = 'delete' OR (action IN ('update', 'restore') AND lower(email) <> lower(old_email))
"""


@contextmanager
def opened_changes(approved: ApprovedPlan) -> Iterator["Changes"]:
    """Yield the changes of a stored plan and the accounts as they were at planning."""
    with work_folder(approved.run_id) as folder, run_session(folder) as session:
        changes = bind(sql_text(__package__, "changes"), plan=str(approved.files.plan))
        seen = bind(sql_text(__package__, "seen"), seen=str(approved.files.seen))
        key = key_of(approved.school_system_id)
        released = [digest for (digest,) in session.rows(_RELEASED, plan=str(approved.files.plan), key=key)]
        yield Changes(session, {"changes": changes, "seen": seen}, released)


class Changes:
    """The rows of a plan that change an account, and these accounts as they were at planning.

    `released` are keyed hashes of the addresses that accounts lose.
    """

    def __init__(self, session: Session, queries: dict[str, str], released: list[str]) -> None:
        self.session, self.queries, self.released = session, queries, released
        if connection.vendor == "postgresql":
            for name in queries:
                self._write_out(name)

    def load(self, parameters: dict[str, Any]) -> None:
        """Make and fill the tables `run_change`, `run_seen` and `run_org` (the orgs that rows may name)."""
        forget_changes()
        own = own_statements()
        execute(own["make_changes"])
        execute(own["make_seen"])
        execute(own["make_orgs"], parameters)
        for name in self.queries:
            if connection.vendor == "postgresql":
                self._copy_in(name, own[f"copy_{name}"])
            else:
                self._insert(name, own[f"add_{name}"])
        for name in ("index_by_account", "gather_statistics", "lock_accounts"):
            if name in own:
                execute(own[name])

    def _file(self, name: str) -> Path:
        return self.session.folder / f"{name}.csv"

    def _write_out(self, name: str) -> None:
        target = bind(":path", path=str(self._file(name)))
        options = "FORMAT csv, HEADER false, FORCE_QUOTE *, NULLSTR ''"
        self.session.run(f"COPY ({self.queries[name]}) TO {target} ({options})")

    def _copy_in(self, name: str, statement: str) -> None:
        with connection.cursor() as cursor, cursor.copy(statement) as copy:
            for chunk in chunks_of(self._file(name)):
                stop_point()
                copy.write(chunk)

    def _insert(self, name: str, statement: str) -> None:
        found: duckdb.DuckDBPyConnection = self.session.connection.execute(self.queries[name])
        with connection.cursor() as cursor:
            while batch := found.fetchmany(BATCH_ROWS):
                stop_point()
                cursor.executemany(statement, batch)


def forget_changes() -> None:
    """Drop the temporary tables."""
    for name, sql in own_statements().items():
        if name.startswith("forget_"):
            execute(sql)
