"""The first people of each action of a plan, for the page on which a manager decides. The other pages list all."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sis_sync.core.fields import FIELD_NAMES
from sis_sync.core.plan import ABSENT_ACTIONS
from sis_sync.engine.sql import sql_text
from sis_sync.server.audit.models import AccountChange
from sis_sync.server.runs.files import reading_session, run_files, unless_gone
from sis_sync.server.runs.models import Run
from sis_sync.server.runs.selectors import PlanRow, row_of_plan

MOST_SHOWN = 50
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


def renumbered_people(run: Run) -> tuple[Renumbered, ...]:
    """Return the first people who leave and come back under another custom ID."""
    plan = run_files(run).plan
    rows = []
    with unless_gone(plan), reading_session() as session:
        rows = session.rows(f"{sql_text(__package__, 'renumbered')} LIMIT {MOST_SHOWN}", plan=str(plan))
    return tuple(
        Renumbered(int(account_id) if account_id else None, person, old, new, line)
        for account_id, old, new, line, person in rows
    )


def _person(account_id: str, *row: Any) -> PlanPerson:
    read = row_of_plan(row, account_id=account_id)
    start = 1 if read.action in ABSENT_ACTIONS else 0
    values = dict(zip(FIELD_NAMES, row[6 + start :: 2], strict=True))
    return PlanPerson(read, read.account_id, values)
