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
from sis_sync.engine.sql import bind, literal, sql_text
from sis_sync.server.accounts.held_addresses import key_of
from sis_sync.server.runs.apply.approved import ApprovedPlan
from sis_sync.server.runs.apply.sql import execute, own_statements
from sis_sync.server.runs.files import SMALL_FILE_BYTES, RunFiles, run_session, work_folder

BATCH_ROWS = 10_000
# The addresses that accounts lose with this run, as keyed hashes.
_RELEASED = """
SELECT DISTINCT keyed_hash(lower(old_email), :key) FROM read_parquet(:plan)
WHERE action = 'delete' OR (action IN ('update', 'restore') AND lower(email) <> lower(old_email))
"""


@contextmanager
def opened_changes(approved: ApprovedPlan) -> Iterator["Changes"]:
    """Yield the changes of a stored plan and the accounts as they were at planning."""
    is_small = approved.files.plan.stat().st_size <= SMALL_FILE_BYTES
    with work_folder(approved.run_id) as folder, run_session(folder, is_small=is_small) as session:
        key = key_of(approved.school_system_id)
        released = [digest for (digest,) in session.rows(_RELEASED, plan=str(approved.files.plan), key=key)]
        yield Changes(session, approved.files, released)


class Changes:
    """The rows of a plan that change an account, and these accounts as they were at planning.

    `released` are keyed hashes of the addresses that accounts lose.
    """

    def __init__(self, session: Session, files: RunFiles, released: list[str]) -> None:
        self.session, self.files, self.released = session, files, released

    def load(self, parameters: dict[str, Any], *, with_newcomers: bool = True) -> None:
        """Make and fill the tables `run_change`, `run_seen` and `run_org` (the orgs that rows may name).

        Without `with_newcomers`, `run_change` lacks the rows that create an account.
        """
        forget_changes()
        own = own_statements()
        execute(own["make_changes"])
        execute(own["make_seen"])
        execute(own["make_orgs"], parameters)
        for name in ("changes", "seen"):
            values = {"plan": self.files.plan, "seen": self.files.seen, "with_newcomers": with_newcomers}
            query = bind(sql_text(__package__, name), **values)
            if connection.vendor == "postgresql":
                file = self.session.folder / f"{name}.csv"
                write_out(self.session, query, file)
                copy_in(file, own[f"copy_{name}"])
            else:
                insert_rows(self.session, query, own[f"add_{name}"])
        for name in ("index_by_account", "gather_statistics", "lock_accounts"):
            if name in own:
                execute(own[name])


def write_out(session: Session, query: str, file: Path) -> None:
    """Write the rows of a DuckDB query as CSV for PostgreSQL."""
    session.run(f"COPY ({query}) TO {literal(file)} (FORMAT csv, HEADER false, FORCE_QUOTE *, NULLSTR '')")


def copy_in(file: Path, statement: str) -> int:
    """Copy a CSV file into a table of PostgreSQL, and return the number of rows."""
    # Django converts the errors of other statements into its own, but not those at the end of a COPY.
    with connection.wrap_database_errors, connection.cursor() as cursor:
        with cursor.copy(statement) as copy:
            for chunk in chunks_of(file):
                stop_point()
                copy.write(chunk)
        return int(cursor.rowcount)


def insert_rows(session: Session, query: str, statement: str) -> int:
    """Insert the rows of a DuckDB query into a table of SQLite, and return the number of rows."""
    found: duckdb.DuckDBPyConnection = session.connection.execute(query)
    number = 0
    with connection.cursor() as cursor:
        while batch := found.fetchmany(BATCH_ROWS):
            stop_point()
            cursor.executemany(statement, batch)
            number += len(batch)
    return number


def forget_changes() -> None:
    """Drop the temporary tables."""
    for name, sql in own_statements().items():
        if name.startswith("forget_"):
            execute(sql)
