"""Reads the state of a school system, to plan against it and to check the plan when it is applied.

Orgs and accounts are exported as files for the engine, in one consistent snapshot of the database.
"""

import csv
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db import connection, transaction

from sis_sync.core.fields import FIELD_NAMES
from sis_sync.core.limits import RESTORABLE_FOR
from sis_sync.core.modes import TAKING_BACK
from sis_sync.engine.duckdb import Session
from sis_sync.engine.sql import sql_text
from sis_sync.server.audit.models import AccountChange
from sis_sync.server.orgs.models import Org, Right
from sis_sync.server.runs.conflicts import unapplied_runs
from sis_sync.server.runs.memory import known_now
from sis_sync.server.runs.models import Run
from sis_sync.server.runs.two_people import told_apart
from sis_sync.steps.memory.memory import Memory
from sis_sync.steps.memory.pairs import Known

PIECE_ROWS = 20_000
LAST_ID = 2**63 - 1
# The format of the stored files of a plan. Raise it when their columns change: a plan in another format is made again
# before it is applied.
PLAN_FORMAT = 5


@dataclass(frozen=True)
class DirectoryFiles:
    """Two CSV files with a header, every cell quoted. `changes` exists only for a run that takes another one back."""

    orgs: Path
    accounts: Path
    changes: Path
    known: Known | None = None


def export_directory(run: Run, folder: Path, *, now: datetime, memory: Memory | None = None) -> DirectoryFiles:
    """Write the orgs and accounts. A district run covers the whole school system, a school run only its school.

    With a memory, write only the accounts that it does not know as they are.
    """
    files = DirectoryFiles(folder / "orgs.csv", folder / "accounts.csv", folder / "changes.csv")
    parameters = {
        "school_system": run.school_system_id,
        "scope": run.scope_org_id,
        "whole": int(run.scope_org.kind == Org.Kind.DISTRICT),
        "after": 0,
        "until": LAST_ID,
        "restorable_since": connection.ops.adapt_datetimefield_value(now - RESTORABLE_FOR),
    }
    with _one_snapshot():
        _export("directory_orgs", parameters, files.orgs, _write_out)
        known = known_now(memory, run, restorable_since=now - RESTORABLE_FOR) if memory else None
        if known and known.touched is not None:
            _write_touched(known.touched, parameters, files.accounts)
        else:
            _export("directory_accounts", parameters, files.accounts, _write_pieces)
        if run.mode in TAKING_BACK:
            _export("changes_to_undo", {"taken_back": run.based_on_id}, files.changes, _write_out)
    return replace(files, known=known)


@contextmanager
def _one_snapshot() -> Iterator[None]:
    """Make all queries of the block see the same state of the database."""
    # A transaction is already open. On SQLite it has one snapshot, on PostgreSQL one for each statement.
    if connection.in_atomic_block:
        yield
        return
    if connection.vendor == "postgresql":
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            # The query reads all accounts. Without statistics, as after a first import, PostgreSQL would look up the
            # org and the rights of the accounts one by one.
            cursor.execute("SET LOCAL enable_nestloop = off")
            yield
        return
    # Deferred, because Django's own transaction would take the write lock and make pages wait.
    with connection.cursor() as cursor:
        cursor.execute("BEGIN DEFERRED")
        try:
            yield
        finally:
            cursor.execute("COMMIT")


def _export(name: str, parameters: dict[str, Any], path: Path, write: Callable[..., None]) -> None:
    sql = sql_text(__package__, name)
    (_copy_out if connection.vendor == "postgresql" else write)(sql, parameters, path)


def _copy_out(sql: str, parameters: dict[str, Any], path: Path) -> None:
    statement = f"COPY ({sql}) TO STDOUT WITH (FORMAT csv, HEADER, FORCE_QUOTE *, ENCODING 'UTF8')"
    with path.open("wb") as file, connection.cursor() as cursor, cursor.copy(statement, parameters) as copy:
        for block in copy:
            file.write(block)


def _write_out(sql: str, parameters: dict[str, Any], path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="") as file, connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        writer = csv.writer(file, quoting=csv.QUOTE_ALL)
        writer.writerow([column[0] for column in cursor.description])
        writer.writerows(iter(cursor.fetchone, None))


def _write_touched(touched: Sequence[int], parameters: dict[str, Any], path: Path) -> None:
    """Write only these accounts. They are few, so both databases format them row by row."""
    sql = sql_text(__package__, "directory_accounts")
    with path.open("w", encoding="utf-8", newline="") as file, connection.cursor() as cursor:
        cursor.execute(f"{sql} LIMIT 0", parameters)
        writer = csv.writer(file, quoting=csv.QUOTE_ALL)
        writer.writerow([column[0] for column in cursor.description])
        for start in range(0, len(touched), PIECE_ROWS):
            ids = ", ".join(str(int(account_id)) for account_id in touched[start : start + PIECE_ROWS])
            cursor.execute(f"{sql} AND a.id IN ({ids})", parameters)
            writer.writerows(iter(cursor.fetchone, None))


def _write_pieces(sql: str, parameters: dict[str, Any], path: Path) -> None:
    """Write the same as `_write_out` in half the time: the database formats many rows at once."""
    with path.open("w", encoding="utf-8", newline="") as file, connection.cursor() as cursor:
        cursor.execute(f"{sql} LIMIT 0", parameters)
        names = [column[0] for column in cursor.description]
        file.write(",".join(f'"{name}"' for name in names) + "\n")
        # %w writes a value with its quotes doubled; %% because parameters are bound by % too.
        line = f"""printf('{",".join(['"%%w"'] * len(names))}', {", ".join(names)})"""
        piece = f"SELECT group_concat({line}, char(10)) || char(10) FROM ({sql})"
        for after, until in _pieces(parameters):
            found = cursor.execute(piece, {**parameters, "after": after, "until": until}).fetchone()
            file.write(found[0] or "")


def _pieces(parameters: dict[str, Any]) -> Iterator[tuple[int, int]]:
    """Yield ranges of IDs with PIECE_ROWS accounts each."""
    # Use ranges: with a LIMIT, the database would first store the rows of each piece.
    end = "SELECT id FROM accounts_account WHERE school_system_id = %s AND id > %s ORDER BY id LIMIT 1 OFFSET %s"
    after = 0
    with connection.cursor() as cursor:
        while found := cursor.execute(end, [parameters["school_system"], after, PIECE_ROWS - 1]).fetchone():
            yield after, found[0]
            after = found[0]
    yield after, LAST_ID


def surroundings_of(run: Run) -> dict[str, Any]:
    """Return what a plan depends on besides the accounts, as `Run.settings_used` stores it.

    These are the format of stored plans, the orgs that external IDs name, the accounts with rights, the people whom a
    manager told apart, the other runs that may still be applied, and the newest entry of the history of accounts.
    Call this before reading the accounts, so that a change in between makes the plan out of date.
    """
    return {
        "plan_format": PLAN_FORMAT,
        "orgs": named_orgs(run.school_system_id),
        "managers": right_holders(run.school_system_id),
        "told_apart": told_apart(run.school_system_id),
        "unapplied": unapplied_runs(run),
        "newest_change": AccountChange.objects.order_by("-pk").values_list("pk", flat=True).first() or 0,
    }


def named_orgs(school_system_id: int) -> dict[str, int]:
    """Map each external ID to the ID of the org that it names now."""
    orgs = Org.objects.filter(school_system=school_system_id, external_id__isnull=False)
    return {str(external_id): pk for external_id, pk in orgs.values_list("external_id", "pk")}


def right_holders(school_system_id: int) -> list[int]:
    """Return the IDs of the accounts that manage any org now."""
    # By the orgs, which are few: by the accounts, SQLite would look for rights of every one of them.
    rights = Right.objects.filter(org__school_system=school_system_id)
    return sorted(set(rights.values_list("account_id", flat=True)))


def write_seen_accounts(session: Session, *, directory: DirectoryFiles, plan: Path, target: Path) -> None:
    """Write account_id, the ten fields and the hold of each account that the plan changes, as Parquet.

    `directory` is what the plan was made with. With a memory, the accounts are in the table `changing_accounts`.
    """
    source = "changing_accounts"
    if not directory.known:
        with directory.accounts.open(encoding="utf-8") as file:
            header = file.readline().strip().replace('"', "").split(",")
        source = session.csv_source(directory.accounts, header)
    session.run(f"CREATE TEMP VIEW exported_accounts AS SELECT * FROM {source}")
    session.run(
        f"""
        COPY (
          SELECT account_id, {", ".join(FIELD_NAMES)}, held_by_hand = 'yes' AS is_held_by_hand
          FROM exported_accounts
          WHERE account_id IN (
            SELECT account_id FROM read_parquet(:plan)
            WHERE action IN ('update', 'restore', 'delete', 'disable', 'unchanged'))
          UNION ALL BY NAME SELECT NULL AS account_id WHERE random() < 0  -- as in save.sql
          ORDER BY account_id
        ) TO :target (FORMAT parquet)
        """,
        plan=str(plan),
        target=str(target),
    )
