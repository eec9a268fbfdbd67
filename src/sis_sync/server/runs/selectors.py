"""Selects the runs that a person or key may see, and reads their plans. All other runs seem not to exist."""

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet

from sis_sync.core.fields import FIELD_NAMES, NAME_FIELDS
from sis_sync.core.place_faults import PlaceFault
from sis_sync.core.run_states import DECIDABLE, ENDED
from sis_sync.core.wording import counted, cut_off
from sis_sync.server.accounts.models import Account
from sis_sync.server.errors import PlanDamaged, ReportRemoved
from sis_sync.server.jobs.beat import is_a_worker_alive
from sis_sync.server.jobs.models import Job
from sis_sync.server.jobs.queue import OPEN_STATES
from sis_sync.server.keys.models import ApiKey
from sis_sync.server.orgs.models import Org
from sis_sync.server.orgs.selectors import managed_orgs, one_or_404
from sis_sync.server.place import PLACE_WORDS, has_room
from sis_sync.server.runs.files import (
    DAMAGED_PLAN,
    PLAN_AGAIN,
    RunFiles,
    is_plan_damaged,
    reading_session,
    run_files,
    unless_gone,
)
from sis_sync.server.runs.models import Run
from sis_sync.steps.plan.plan import unchanged_rows

MOST_SHOWN = 400  # characters of a name or an ID: a failed row may have values as long as a cell can be
LONG_WAIT = timedelta(minutes=1)  # in the queue; then pages say so


@dataclass(frozen=True)
class PlanRow:
    """One row of a plan. `changes` are (field, old value, new value). `line` is None for an absent account.

    `person` is the name of the account when the plan was made. For new accounts it is the name in the file, and for
    most unchanged ones the name of the account now. It is empty if neither is known. `account_id` is None for new and
    unchanged accounts. Name and ID are cut off if they are far too long.
    """

    line: int | None
    action: str
    custom_id: str
    person: str
    changes: tuple[tuple[str, str, str], ...]
    codes: tuple[str, ...]
    message: str
    account_id: int | None = None


@dataclass(frozen=True)
class PlanPage:
    """One page of a plan's rows. `total` counts the rows of all pages."""

    rows: tuple[PlanRow, ...]
    total: int


@dataclass(frozen=True)
class PlaceWait:
    """A run whose job waits for the place: something is missing there, or no worker takes it.

    `since` is None if not known.
    """

    run: Run
    words: str
    since: datetime | None


def runs_of(*, actor: Account) -> QuerySet[Run]:
    """Return the runs whose scope the actor manages, newest first."""
    runs = Run.objects.filter(school_system_id=actor.school_system_id, scope_org__in=managed_orgs(actor=actor))
    return runs.order_by("-received_at", "-pk")


def waiting_runs(*, actor: Account) -> QuerySet[Run]:
    """Return the runs that wait for a decision by the actor, newest first."""
    return runs_of(actor=actor).filter(state__in=DECIDABLE)


def place_waits(runs: QuerySet[Run], *, now: datetime) -> list[PlaceWait]:
    """Return those of the runs that wait for the place, or have waited long for a worker, oldest first."""
    jobs = Job.objects.filter(run__in=runs.order_by().values("pk"), state__in=OPEN_STATES).exclude(run__state__in=ENDED)
    # A full disk may have had no room to store why a job waits.
    unstored = "" if has_room() else PLACE_WORDS[PlaceFault.DISK_FULL]
    found = []
    for job in jobs.select_related("run").order_by("pk"):
        if words := PLACE_WORDS.get(job.waits_for, unstored):
            found.append(PlaceWait(job.run, words, job.waits_since))
        elif words := queue_words(job, now):
            found.append(PlaceWait(job.run, words, job.queued_at))
    return found


def queue_words(job: Job, now: datetime) -> str:
    """Return why the job has waited long, or "" if it has not, or a worker does it."""
    if job.queued_at > now - LONG_WAIT:
        return ""
    if not is_a_worker_alive():
        return "no worker is running"
    return "the worker is busy with other files" if job.state == Job.State.QUEUED else ""


def access_run(*, actor: Account, run_id: int | str) -> Run:
    """Return the run if the actor manages its scope. Raise Http404 otherwise, whether the run exists or not."""
    return one_or_404(runs_of(actor=actor), run_id)


def runs_of_key(*, api_key: ApiKey) -> QuerySet[Run]:
    """Return the runs whose scope the key's org includes, newest first."""
    runs = Run.objects.filter(school_system_id=api_key.school_system_id).order_by("-received_at", "-pk")
    return runs if api_key.org.kind == Org.Kind.DISTRICT else runs.filter(scope_org=api_key.org_id)


def refuse_removed_report(run: Run) -> None:
    """Raise ReportRemoved if a purge has removed the plan and the results of the run, PlanDamaged if it is damaged."""
    if words := removed_words(run):
        if run.report_removed_at is None:
            raise PlanDamaged(words, fix=PLAN_AGAIN)
        fix = "The run's counts are kept. Download the results of a later run before they are removed too."
        raise ReportRemoved(words, fix=fix)


def removed_words(run: Run) -> str:
    """Return a sentence on the report that a purge has removed. Empty if it is still there."""
    if run.report_removed_at is None:
        return f"{DAMAGED_PLAN}, so its rows cannot be shown." if run.plan_digest and is_plan_damaged(run) else ""
    steps = (run.received_at, run.planned_at, run.decided_at, run.applied_at)
    kept_for = run.report_removed_at - max(step for step in steps if step is not None)
    return f"The report of this run was removed after {counted(kept_for.days, 'day', 'days')}."


def plan_rows(
    *, run: Run, action: str = "", with_findings: bool = False, page: int = 1, page_size: int = 50
) -> PlanPage:
    """Return a page of the plan's rows: all actions, or only one. The page is empty without a plan.

    The rows are sorted by line, but those that change nothing are last.

    `with_findings` leaves out rows that have none.
    """
    files = run_files(run)
    found = PlanPage((), 0)
    with suppress(PlanDamaged), unless_gone(files.plan, files.unchanged):
        found = _plan_page(files, action, with_findings, page, page_size)
    # Only a few names of unchanged accounts are stored with the plan.
    nameless = {row.custom_id for row in found.rows if row.action == "unchanged" and not row.person}
    accounts = Account.objects.filter(school_system=run.school_system_id, custom_id__in=nameless).order_by()
    names = {custom_id: _full(parts) for custom_id, *parts in accounts.values_list("custom_id", *NAME_FIELDS)}
    rows = (replace(row, person=row.person or names.get(row.custom_id, "")) for row in found.rows)
    return replace(found, rows=tuple(rows))


def _plan_page(files: RunFiles, action: str, with_findings: bool, page: int, page_size: int) -> PlanPage:
    fields = ", ".join(f"{name}, old_{name}" for name in FIELD_NAMES)
    stored = f"SELECT * FROM read_parquet(?) UNION ALL BY NAME {unchanged_rows(files.unchanged)}"
    chosen = f"FROM ({stored}) WHERE ? IN ('', action)"
    if with_findings:
        chosen += " AND codes <> ''"
    plan = str(files.plan)
    with reading_session() as session:
        found = session.connection.execute(
            f"SELECT account_id, line, action, custom_id, fields, codes, message, {fields} {chosen} "
            "ORDER BY action = 'unchanged', line NULLS LAST, custom_id LIMIT ? OFFSET ?",
            [plan, action, page_size, (max(page, 1) - 1) * page_size],
        ).fetchall()
        counted = session.connection.execute(f"SELECT count(*) {chosen}", [plan, action]).fetchone()
    rows = tuple(row_of_plan(row, account_id=account_id) for account_id, *row in found)
    return PlanPage(rows, int(counted[0]) if counted else 0)


def failed_custom_id(*, run: Run, line: int, code: str) -> str:
    """Return the custom ID of the row on this line, if it failed with this code. Empty otherwise."""
    plan = run_files(run).plan
    failed = "line = :line AND action = 'failed' AND instr(codes, :code) > 0"
    found = []
    with unless_gone(plan), reading_session() as session:
        query = f"SELECT custom_id FROM read_parquet(:plan) WHERE {failed}"
        found = session.rows(query, plan=str(plan), line=line, code=code)
    return str(found[0][0]) if found else ""


def finding_groups(*, run: Run) -> list[dict[str, Any]]:
    """Return the findings by code, with examples and advice. Return only counts if their file was removed."""
    try:
        groups: list[dict[str, Any]] = json.loads(run_files(run).findings.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return [{"code": code, "count": count} for code, count in run.findings.items()]
    return groups


def row_of_plan(row: Sequence[Any], *, account_id: str | None = None) -> PlanRow:
    """Return a row of a stored plan: line, action, custom_id, fields, codes, message, and new and old of each field."""
    line, action, custom_id, fields, codes, message, *values = row
    new, old = values[0::2], values[1::2]
    named = zip(FIELD_NAMES, old if any(old) else new, strict=True)
    return PlanRow(
        line=line,
        action=action,
        custom_id=cut_off(custom_id, MOST_SHOWN),
        person=cut_off(_full([part for name, part in named if name in NAME_FIELDS]), MOST_SHOWN),
        changes=_changes(action, fields.split(";"), values),
        codes=tuple(code for code in codes.split(";") if code),
        message=message,
        account_id=int(account_id) if account_id else None,
    )


def _full(names: Sequence[str | None]) -> str:
    return " ".join(name for name in names if name)


def _changes(action: str, changed: list[str], values: list[str]) -> tuple[tuple[str, str, str], ...]:
    new = dict(zip(FIELD_NAMES, values[0::2], strict=True))
    old = dict(zip(FIELD_NAMES, values[1::2], strict=True))
    if action == "create":
        return tuple((name, "", new[name]) for name in FIELD_NAMES if new[name])
    if action == "disable":
        return (("status", old["status"], "Disabled"),)
    if action == "delete":
        return tuple((name, old[name], "") for name in FIELD_NAMES if old[name])
    return tuple((name, old[name], new[name]) for name in FIELD_NAMES if name in changed)
