"""Writes the newcomers of a large plan straight into the table of accounts, without a temporary copy of their rows.

This module assigns their IDs, so writing the history needs no look-up of accounts. If another account has the address
or the custom ID, or an org no longer exists, the database raises IntegrityError. The plan is then applied in the usual
way, which takes custom IDs from accounts that were deleted long ago, or reports how many rows no longer fit.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import connection

from sis_sync.engine.duckdb import Session
from sis_sync.engine.sql import bind, literal, sql_text
from sis_sync.server.accounts.feed import covered_inserts
from sis_sync.server.accounts.search import words_added_afterwards
from sis_sync.server.orgs.models import Org
from sis_sync.server.runs.apply.approved import ApprovedPlan
from sis_sync.server.runs.apply.load import copy_in, insert_rows, write_out
from sis_sync.server.runs.apply.sql import count, execute, own_statements
from sis_sync.server.runs.models import Run

MIN_NEWCOMERS = 1_000  # for fewer, the usual way is as fast
COLUMNS = (
    *("id", "org_id", "first_name", "middle_name", "last_name", "email", "custom_id"),
    *("user_type", "position", "grade", "status", "password"),
)
# All newcomers have these values.
SHARED = {"is_protected": False, "protected_reason": "", "is_held_by_hand": False, "must_change_password": False}
LINE_COLUMNS = ("id", "line", "brings_password")
_NAMED_ORGS = "INSERT INTO named_orgs SELECT unnest(?::VARCHAR[]), unnest(?::BIGINT[])"


@dataclass(frozen=True)
class Newcomers:
    """The accounts that a plan creates. Their IDs follow `before_first`."""

    session: Session
    plan: Path
    before_first: int

    def write(self, parameters: dict[str, Any]) -> int:
        """Write the accounts, and return how many."""
        covered = covered_inserts(school_system_id=parameters["school_system"])
        with covered, words_added_afterwards(after=self.before_first):
            return self._write_accounts(parameters)

    def _write_accounts(self, parameters: dict[str, Any]) -> int:
        query = bind(
            sql_text(__package__, "newcomers"),
            plan=str(self.plan),
            before_first=self.before_first,
            password=f"!{parameters['salt']}",
        )
        now = str(parameters["now"])
        shared = {"school_system_id": parameters["school_system"], "created_at": now, "updated_at": now, **SHARED}
        return self._add("accounts_account", COLUMNS, query, shared)

    def write_history(self, parameters: dict[str, Any]) -> int:
        """Write the history of the accounts: this run created all of their values. Return how many."""
        own = own_statements()
        execute(own["make_newcomers"])
        query = bind(sql_text(__package__, "newcomer_lines"), plan=str(self.plan), before_first=self.before_first)
        self._add("run_newcomer", LINE_COLUMNS, query, {})
        return execute(own["keep_history_of_written"], parameters)

    def await_passwords(self, parameters: dict[str, Any]) -> int:
        """Mark the accounts that wait for their password from the file, and return how many."""
        return execute(own_statements()["await_passwords_of_written"], parameters)

    def _add(self, table: str, columns: tuple[str, ...], query: str, shared: dict[str, object]) -> int:
        """Add the rows of the query to the table, each with the `shared` values too. Return how many."""
        named = f"{table} ({', '.join((*columns, *shared))})"
        literals = [literal(value) for value in shared.values()]
        if connection.vendor == "postgresql":
            file = self.session.folder / f"{table}.csv"
            write_out(self.session, f"SELECT {', '.join(('*', *literals))} FROM ({query})", file)
            return copy_in(file, f"COPY {named} FROM STDIN WITH (FORMAT csv, ENCODING 'UTF8')")
        # SQLite takes a value from its statement sooner than from each row.
        values = [*["%s"] * len(columns), *literals]
        return insert_rows(self.session, query, f"INSERT INTO {named} VALUES ({', '.join(values)})")


def newcomers_of(run: Run, approved: ApprovedPlan, session: Session) -> Newcomers | None:
    """Return the newcomers of the run, or None if they must be written in the usual way.

    The caller has the lock of the school system.
    """
    number = run.counts["create"]
    if number < MIN_NEWCOMERS:
        return None
    before_first = count(own_statements()["reserve_ids"], {"number": number})
    if before_first < 0:
        return None  # another school system created accounts at the same time, so the IDs have gaps
    session.run("CREATE OR REPLACE TEMP TABLE named_orgs (external_id VARCHAR, org_id BIGINT)")
    # check_decision has made sure that these external IDs still name the same orgs.
    named: dict[str, int] = run.settings_used["orgs"]
    is_whole = run.scope_org.kind == Org.Kind.DISTRICT
    orgs = {name: org_id for name, org_id in named.items() if is_whole or org_id == run.scope_org_id}
    session.insert(_NAMED_ORGS, [list(orgs), list(orgs.values())])
    return Newcomers(session, approved.files.plan, before_first)


@contextmanager
def indexes_made_afterwards(number: int) -> Iterator[None]:
    """While the block writes `number` newcomers, drop the indexes of SQLite that are not unique, if most rows are new.

    Make them again in the same transaction, exactly as they were. PostgreSQL keeps its indexes, because dropping one
    would lock all readers out.
    """
    if connection.vendor != "sqlite" or count(own_statements()["rows_there"], {}) > number:
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute(own_statements()["secondary_indexes"])
        indexes = dict(cursor.fetchall())
        for name in indexes:
            cursor.execute(f'DROP INDEX "{name}"')
        yield
        for sql in indexes.values():
            cursor.execute(sql)
