"""The first people of each action of a plan, for the page on which a manager decides. The other pages list all."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sis_sync.core.fields import FIELD_NAMES, NAME_FIELDS
from sis_sync.core.plan import ABSENT_ACTIONS
from sis_sync.engine.duckdb import Session
from sis_sync.engine.sql import sql_text
from sis_sync.server.accounts.edited_names import name_edits
from sis_sync.server.accounts.models import Account
from sis_sync.server.audit.models import AccountChange
from sis_sync.server.runs.files import reading_session, run_files, unless_gone
from sis_sync.server.runs.models import Run
from sis_sync.server.runs.selectors import PlanRow, row_of_plan

MOST_SHOWN = 50
SLICE = 5_000  # accounts that are looked up at a time
NO_NAME_EDITS = (
    "CREATE TEMP TABLE name_edits (custom_id VARCHAR, first_name VARCHAR, middle_name VARCHAR, last_name VARCHAR)"
)
RECEIVERS = "password"  # the list of people who have an account and get the password of the file
IS_RECEIVER = "brings_password AND action <> 'create'"


@dataclass(frozen=True)
class PlanPerson:
    """A row of a plan with its account and its values: now for people who leave, as the file has them for others."""

    row: PlanRow
    account_id: int | None
    values: dict[str, str]


@dataclass(frozen=True)
class Departure:
    """When an account was deleted, and by which run, or by hand."""

    at: datetime
    run_id: int | None


@dataclass(frozen=True)
class Renumbered:
    """An account that leaves and comes back as a new row under another custom ID."""

    account_id: int | None
    person: str
    old_id: str
    new_id: str
    line: int


def people_of_plan(run: Run, actions: Iterable[str]) -> dict[str, tuple[PlanPerson, ...]]:
    """Return the first people of each action, or of RECEIVERS: by school, then by name; failed rows by line.

    Empty without a plan.
    """
    plan = run_files(run).plan
    fields = ", ".join(f"{name}, old_{name}" for name in FIELD_NAMES)
    found: dict[str, tuple[PlanPerson, ...]] = {}
    with unless_gone(plan), reading_session() as session:
        for action in actions:
            by = "old_" if action in ABSENT_ACTIONS else ""
            order = f"{by}school_district_external_id, lower({by}last_name), lower({by}first_name), custom_id"
            rows = session.rows(
                f"SELECT account_id, line, action, custom_id, fields, codes, message, {fields} "
                f"FROM read_parquet(:plan) WHERE {IS_RECEIVER if action == RECEIVERS else 'action = :action'} "
                f"ORDER BY {'line' if action == 'failed' else order} LIMIT {MOST_SHOWN}",
                plan=str(plan),
                action=action,
            )
            found[action] = tuple(_person(*row) for row in rows)
        return found
    return {}


def departures_of(people: Iterable[PlanPerson]) -> dict[int, Departure]:
    """Return, for each account, when and by what it was deleted last."""
    accounts = [each.account_id for each in people if each.account_id is not None]
    changes = AccountChange.objects.filter(account__in=accounts, action__in=ABSENT_ACTIONS).order_by("pk")
    rows = changes.values_list("account_id", "changed_at", "run_id")
    return {account_id: Departure(changed_at, run_id) for account_id, changed_at, run_id in rows}


def renumbered_people(run: Run, *, number: int) -> tuple[Renumbered, ...]:
    """Return the first people who leave and come back under another custom ID. The plan counted this number of them."""
    plan = run_files(run).plan
    pairs, rows = f"{sql_text(__package__, 'renumbered')} LIMIT {MOST_SHOWN}", []
    with unless_gone(plan), reading_session() as session:
        session.run(NO_NAME_EDITS)
        rows = session.rows(pairs, plan=str(plan))
        if len(rows) < min(number, MOST_SHOWN):  # the others come back with names of the SIS that were edited here
            _add_name_edits(session, plan)
            rows = session.rows(pairs, plan=str(plan))
    return tuple(
        Renumbered(int(account_id) if account_id else None, person, old, new, line)
        for account_id, old, new, line, person in rows
    )


def _add_name_edits(session: Session, plan: Path) -> None:
    """Fill name_edits with the names that the SIS has of the people who leave, where a person edited them here."""
    leaving = session.rows(
        "SELECT account_id FROM read_parquet(:plan) WHERE action IN ('delete', 'disable')", plan=str(plan)
    )
    numbers = [int(account_id) for (account_id,) in leaving if account_id]
    for start in range(0, len(numbers), SLICE):
        for account in Account.objects.filter(pk__in=numbers[start : start + SLICE], edited_names__isnull=False):
            of_sis = {edit.field: edit.of_sis for edit in name_edits(account)}
            values = [account.custom_id, *(of_sis.get(name) for name in NAME_FIELDS)]
            session.connection.execute("INSERT INTO name_edits VALUES (?, ?, ?, ?)", values)


def _person(account_id: str, *row: Any) -> PlanPerson:
    read = row_of_plan(row, account_id=account_id)
    start = 1 if read.action in ABSENT_ACTIONS else 0
    values = dict(zip(FIELD_NAMES, row[6 + start :: 2], strict=True))
    return PlanPerson(read, read.account_id, values)
