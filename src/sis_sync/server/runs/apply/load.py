"""From the plan file into the database's temporary table `run_change`: COPY, or batches on SQLite."""

from collections.abc import Iterator
from contextlib import contextmanager

import duckdb
from django.db import connection

from sis_sync.engine.session import Session, open_session
from sis_sync.engine.sql import bind
from sis_sync.server.runs.apply.statements import execute, own_statements, sql_text
from sis_sync.server.runs.approval import ApprovedPlan
from sis_sync.server.runs.storage import work_folder

BATCH_ROWS = 2000
BLOCK_BYTES = 1024 * 1024
COLUMNS = 29


@contextmanager
def opened_changes(approved: ApprovedPlan) -> Iterator["Changes"]:
    """The changes of a plan file, with what it saw of the accounts.

    Opened before the transaction, so that locks are short.
    """
    with work_folder(approved.run_id) as folder, open_session(temp_folder=folder) as session:
        query = bind(sql_text("changes.sql"), plan=str(approved.path), seen=str(approved.seen))
        yield Changes(session, query)


class Changes:
    """The rows of a plan that change an account."""

    def __init__(self, session: Session, query: str) -> None:
        self.session = session
        self.file = session.folder / "changes.csv"
        self.query = query
        if connection.vendor == "postgresql":
            target = bind(":path", path=str(self.file))
            session.run(f"COPY ({query}) TO {target} (FORMAT csv, HEADER false, FORCE_QUOTE *, NULLSTR '')")

    def load(self) -> None:
        """Make and fill `run_change`, indexed."""
        own = own_statements()
        execute(own["forget_changes"])
        execute(own["make_changes"])
        if connection.vendor == "postgresql":
            self._copy_in(own["copy_changes"])
        else:
            self._insert()
        for name in ("index_by_account", "index_by_address", "gather_statistics", "lock_accounts"):
            if name in own:
                execute(own[name])

    def _copy_in(self, statement: str) -> None:
        with self.file.open("rb") as file, connection.cursor() as cursor, cursor.copy(statement) as copy:
            while block := file.read(BLOCK_BYTES):
                copy.write(block)

    def _insert(self) -> None:
        found: duckdb.DuckDBPyConnection = self.session.connection.execute(self.query)
        places = ", ".join(["%s"] * COLUMNS)
        with connection.cursor() as cursor:
            while batch := found.fetchmany(BATCH_ROWS):
                cursor.executemany(f"INSERT INTO run_change VALUES ({places}, NULL)", batch)


def forget_changes() -> None:
    """Drop `run_change`."""
    execute(own_statements()["forget_changes"])
