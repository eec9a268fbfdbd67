"""The two jobs of a run: plan it, and apply it. A killed job starts again, but takes effect only once."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Value
from django.db.models.functions import Coalesce
from django.utils import timezone

from sis_sync.core.environment import MEMORY_MB, PLAN_SECONDS
from sis_sync.core.errors import ConfigurationError, FileRefused
from sis_sync.core.modes import TAKING_BACK
from sis_sync.core.place_faults import fault_of
from sis_sync.core.wording import counted
from sis_sync.server.audit.services import record
from sis_sync.server.jobs.models import Job
from sis_sync.server.jobs.queue import enqueue
from sis_sync.server.runs.apply.apply import apply_plan, lock_school_system
from sis_sync.server.runs.apply.approved import approved_plan
from sis_sync.server.runs.apply.check import OutOfDate
from sis_sync.server.runs.conflicts import applied_runs, applied_since, that_changed_accounts, was_overtaken
from sis_sync.server.runs.ended_edits import write_ended_edits
from sis_sync.server.runs.files import reading_session, remove_original
from sis_sync.server.runs.models import ModeSettings, Run
from sis_sync.server.runs.permission import may_still_send
from sis_sync.server.runs.planning import Planned, keep_refused, make_stored_plan
from sis_sync.server.runs.settings import settings_of, settings_used
from sis_sync.server.runs.states import TO_APPLY, TO_PLAN, State, move
from sis_sync.server.runs.superseding import newer_of, supersede_older

APPROVALS_BY_POLICY = 3


@dataclass(frozen=True)
class Refusal:
    """The reason for refusing a whole file, as `Run.refusal` stores it. `line` is a physical line of the file."""

    code: str
    message: str
    line: int | None
    fix: str


def plan_run(run_id: int, *, now: datetime | None = None) -> None:
    """Check and plan the file of a run. The run becomes refused, held, waiting, approved, applied or superseded."""
    now = now or timezone.now()
    # 1. Claim the run. Another worker may have planned it already.
    if not move(run_id, TO_PLAN, State.CHECKING):
        if Run.objects.filter(pk=run_id, state=State.REFUSED).exists():
            remove_original(run_id)  # its worker died after refusing it
        return
    # 2. Plan without a transaction, so that pages need not wait.
    run = Run.objects.select_related("school_system", "scope_org").get(pk=run_id)
    settings = settings_of(run)
    try:
        planned = make_stored_plan(run, settings, now=now)
    except (FileRefused, ConfigurationError) as error:
        if fault_of(error):
            raise  # for example a full disk or a missing engine: neither the file nor its mapping is at fault
        _refuse(run, _refusal_of(error), now)
    else:
        # 3. Record the plan and decide the next state, in one transaction.
        _record_plan(run, settings, planned, now)


def apply_run(run_id: int, *, now: datetime | None = None) -> None:
    """Apply the approved plan of a run, or queue a new plan if it no longer fits the accounts."""
    now = now or timezone.now()
    move(run_id, TO_APPLY, State.APPLYING)
    approved = approved_plan(run_id)
    if approved is None:
        plan_again(run_id, reason="its approval is not recorded", now=now)  # does nothing if the run moved on
        return
    try:
        apply_plan(approved, now=now)
    except OutOfDate as reason:
        plan_again(run_id, reason=str(reason), now=now)


def plan_again(run_id: int, *, reason: str, now: datetime, states: tuple[str, ...] = TO_APPLY) -> None:
    """Withdraw the plan and its approval and queue a new plan of the same file. `reason` names no person.

    Keep the approver but clear the time, so that a person and not policy decides on the new plan.
    """
    run = Run.objects.select_related("school_system").get(pk=run_id)
    with transaction.atomic():
        undecided = {"decided_at": None, "is_approved_by_policy": False, "decision_reason": reason}
        if not move(run_id, states, State.OUT_OF_DATE, **undecided):
            return
        enqueue(kind=Job.Kind.PLAN, run=run, now=now)
        record(
            school_system=run.school_system,
            action="run.out_of_date",
            detail={"run": run_id, "reason": reason},
            now=now,
        )


def fail_run(run_id: int, *, reference: str) -> None:
    """Mark a run whose job gave up, and remove its file. The server's log has `reference` next to the error.

    Call it in the transaction that ends the job, so that the sender can send the file again only after both.
    """
    refusal = Refusal(
        code="run.failed",
        message=f"This run failed because of an error in the server, reference {reference}. No account was changed.",
        line=None,
        fix="Send the file again. If it fails again, send the reference to the person who runs the server.",
    )
    if move(run_id, (*TO_PLAN, *TO_APPLY), State.FAILED, refusal=asdict(refusal)):
        remove_original(run_id)


def refuse_endless(run_id: int, *, seconds: int, now: datetime) -> None:
    """Refuse the file of a run whose plan takes too long."""
    refusal = Refusal(
        code="run.too_long",
        message=f"Checking this file took more than {counted(seconds, 'second', 'seconds')}, which is the limit. "
        "No account was changed.",
        line=None,
        fix="Leave rows out that have not changed (partial mode), or ask the person who hosts the server for more time "
        f"({PLAN_SECONDS.name}).",
    )
    _refuse(Run.objects.select_related("school_system").get(pk=run_id), refusal, now)


def refuse_for_memory(run_id: int, *, memory_mb: int, now: datetime) -> None:
    """Refuse the file of a run whose plan needs more memory than the server grants it."""
    refusal = Refusal(
        code="run.too_much_memory",
        message=f"Checking this file needs more than {memory_mb:,} MB of memory, which is the limit. "
        "No account was changed.",
        line=None,
        fix=f"Leave columns out, or ask the person who hosts the server for more memory ({MEMORY_MB.name}).",
    )
    _refuse(Run.objects.select_related("school_system").get(pk=run_id), refusal, now)


def _refusal_of(error: FileRefused | ConfigurationError) -> Refusal:
    if isinstance(error, FileRefused):
        return Refusal(error.code, error.message, error.line, error.fix)
    return Refusal("mapping.invalid", error.message, None, error.fix)


def _refuse(run: Run, refusal: Refusal, now: datetime) -> None:
    # Before the state: if the worker dies in between, the file is refused again.
    keep_refused(run)
    with transaction.atomic():
        refused = move(run.pk, (State.CHECKING,), State.REFUSED, refusal=asdict(refusal), planned_at=now)
        if refused:
            detail = {"run": run.pk, "code": refusal.code}
            record(school_system=run.school_system, action="run.refused", detail=detail, now=now)
    if refused:
        remove_original(run.pk)


def _record_plan(run: Run, settings: ModeSettings, planned: Planned, now: datetime) -> None:
    with transaction.atomic():
        # 1. Lock, so that of two runs recorded at the same time the second sees the first.
        lock_school_system(run.school_system_id)
        # 2. Plan again if another run changed accounts meanwhile: the guards did not count its leavers.
        if that_changed_accounts(applied_since(run, planned.surroundings["unapplied"])):
            reason = "another run was applied while it was planned"
            plan_again(run.pk, reason=reason, now=now, states=(State.CHECKING,))
            return
        # 3. Move the run. A worker that lost its claim moves nothing.
        state, decision = _next_state(run, settings, planned, now)
        moved = move(
            run.pk,
            (State.CHECKING,),
            state,
            file_facts=planned.facts,
            counts=planned.counts.as_dict(),
            guards=planned.guards,
            findings=planned.findings,
            newcomers_with_password=planned.newcomers_with_password,
            passwords_of_existing=planned.passwords_of_existing,
            told=planned.told,
            sums=planned.sums,
            plan_digest=planned.digest,
            settings_used={**settings_used(settings), **planned.surroundings},
            refusal=None,
            planned_at=now,
            first_planned_at=Coalesce("first_planned_at", Value(now)),
            decided_by=None,
            decided_by_key=None,
            **decision,
        )
        if moved and state == State.APPLIED and planned.ended_edits:
            with reading_session() as session:
                write_ended_edits(run, session=session)
        # 4. Close the older runs that this one supersedes, queue the next job and write the log.
        if moved:
            _follow_up(run, state, planned, now)


def _next_state(run: Run, settings: ModeSettings, planned: Planned, now: datetime) -> tuple[str, dict[str, Any]]:
    # Keep this order: a superseded run is never held, and policy never approves a held run.
    by_policy = {"decided_at": now, "is_approved_by_policy": True}
    if newer := newer_of(run):
        return State.SUPERSEDED, {"superseded_by": newer}
    if planned.guards:
        return State.HELD, {}
    if not planned.counts.changes and not planned.passwords_of_existing:  # without changes, nobody needs to approve
        return State.APPLIED, {**by_policy, "applied_at": now}
    if run.mode in TAKING_BACK:  # a person decides, whatever the mode says
        return State.WAITING, {}
    if settings.requires_approval or settings.needs_two_persons or run.keeps_everyone or _keeps_going_out_of_date(run):
        return State.WAITING, {}
    if _was_decided_before(run) or not may_still_send(run=run, now=now):
        return State.WAITING, {}
    if was_overtaken(run, applied_runs(run)):  # policy never overwrites newer values with older ones
        return State.WAITING, {}
    return State.APPROVED, by_policy


def _follow_up(run: Run, state: str, planned: Planned, now: datetime) -> None:
    if state != State.SUPERSEDED:
        supersede_older(run)
    if state == State.APPROVED:
        enqueue(kind=Job.Kind.APPLY, run=run, now=now)
    detail = {"run": run.pk, "digest": planned.digest, "counts": planned.counts.as_dict()}
    if state in (State.APPROVED, State.APPLIED):
        record(school_system=run.school_system, action="run.approved", detail={**detail, "by": "policy"}, now=now)
    else:
        record(school_system=run.school_system, action=f"run.{state}", detail=detail, now=now)


def _was_decided_before(run: Run) -> bool:
    """True if a person or a key approved an earlier plan of the run. Policy must then not approve the new one."""
    return run.decided_by_id is not None or run.decided_by_key_id is not None


def _keeps_going_out_of_date(run: Run) -> bool:
    """True if policy approved this run three times already, so accounts keep changing before it is applied."""
    return run.jobs.filter(kind=Job.Kind.APPLY).count() >= APPROVALS_BY_POLICY
