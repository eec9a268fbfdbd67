"""Approves or rejects a waiting run. A person decides, or an API key within its limits."""

from datetime import datetime

from django.db import transaction

from sis_sync.core.errors import RunClosed, UsageFault
from sis_sync.core.limits import DELETIONS_WITHOUT_TYPING
from sis_sync.core.modes import TAKING_BACK
from sis_sync.core.run_states import DECIDABLE
from sis_sync.server.accounts.models import Account
from sis_sync.server.audit.services import record
from sis_sync.server.errors import DeletionsNotTyped, PlanDiffers, ReasonMissing
from sis_sync.server.jobs.models import Job
from sis_sync.server.jobs.queue import enqueue
from sis_sync.server.keys.models import ApiKey
from sis_sync.server.runs.expiry import expire_if_due
from sis_sync.server.runs.flow import plan_again
from sis_sync.server.runs.models import Run
from sis_sync.server.runs.permission import check_may_approve, check_may_reject, leaving
from sis_sync.server.runs.states import State, has_ended

MAX_REASON_CHARACTERS = 500

CLOSED_WORDS: dict[str, str] = {
    State.RECEIVED: "It has not been checked yet.",
    State.CHECKING: "It is being checked.",
    State.REFUSED: "Its file was refused.",
    State.APPROVED: "It was approved before.",
    State.APPLYING: "It is being applied.",
    State.APPLIED: "It was applied before.",
    State.REJECTED: "It was rejected.",
    State.SUPERSEDED: "A newer file of its mode took its place.",
    State.EXPIRED: "It waited for more than 7 days.",
    State.OUT_OF_DATE: "Accounts changed since it was planned; it is planned again.",
    State.FAILED: "It failed.",
    State.CANCELLED: "It was cancelled.",
}


def approve_run(
    *,
    run: Run,
    digest: str,
    by: Account | ApiKey,
    typed_deletions: int | None = None,
    reason: str = "",
    now: datetime,
) -> Run:
    """Approve the plan with this digest, queue it for applying and return the run.

    A person must type the number of accounts that leave if it is above 10, and say why if a guard holds the run.
    Repeating an approval changes nothing. Raise PlanDiffers, DeletionsNotTyped, ReasonMissing, NotPermitted or
    RunClosed.
    """
    run = fresh(run)
    check_may_approve(run=run, by=by)
    if run.state in (State.APPROVED, State.APPLYING, State.APPLIED) and _is_repeat(run, digest, by):
        return run
    _check_open(run, now)
    if digest != run.plan_digest:
        raise _plan_differs(run)
    if isinstance(by, Account):
        _check_typed(run, typed_deletions)
        _check_reason(run, reason)
    with transaction.atomic():
        _decide(run, State.APPROVED, by, now, digest=digest, reason=reason)
        enqueue(kind=Job.Kind.APPLY, run=run, now=now)
    return fresh(run)


def reject_run(*, run: Run, reason: str, by: Account | ApiKey, now: datetime) -> Run:
    """Reject the run, so that nothing of it is ever applied, and return it.

    Raise UsageFault if the reason is empty, NotPermitted or RunClosed.
    """
    run = fresh(run)
    check_may_reject(run=run, by=by)
    if not reason.strip():
        raise UsageFault("A rejection needs a reason.", fix="Say why, for those who read the history.")
    _check_open(run, now)
    with transaction.atomic():
        _decide(run, State.REJECTED, by, now, reason=reason)
        has_ended(run.pk)
    return fresh(run)


def keep_everyone(*, run: Run, digest: str, by: Account, keeps: bool, now: datetime) -> Run:
    """Plan the file again so that no one leaves: it only creates and updates. Without `keeps`, plan all of it again.

    Someone has to look at the new plan and approve it. Raise PlanDiffers, NotPermitted or RunClosed.
    """
    run = fresh(run)
    check_may_reject(run=run, by=by)
    if run.mode in TAKING_BACK:
        raise UsageFault("This run has no file that could only create and update.", fix="Approve or reject it.")
    _check_open(run, now)
    if run.plan_digest != digest:
        raise _plan_differs(run)
    with transaction.atomic():
        if not Run.objects.filter(pk=run.pk, state__in=DECIDABLE, plan_digest=digest).update(keeps_everyone=keeps):
            raise closed(fresh(run))
        action = "run.creates_and_updates_only" if keeps else "run.whole_plan"
        record(school_system=run.school_system, action=action, by=by, detail={"run": run.pk}, now=now)
        reason = "only creates and updates were asked for" if keeps else "the whole plan was asked for"
        plan_again(run.pk, reason=reason, now=now, states=DECIDABLE)
    return fresh(run)


def fresh(run: Run) -> Run:
    """Return the run as it is stored now."""
    return Run.objects.select_related("scope_org", "school_system").get(pk=run.pk)


def _is_repeat(run: Run, digest: str, by: Account | ApiKey) -> bool:
    decided_by_id = run.decided_by_id if isinstance(by, Account) else run.decided_by_key_id
    return digest == run.plan_digest and by.pk == decided_by_id


def _check_open(run: Run, now: datetime) -> None:
    if run.state not in DECIDABLE or expire_if_due(run, now=now):
        raise closed(run)


def closed(run: Run, done: str = "decided") -> RunClosed:
    """Return the error for a run that cannot be decided, or `done`, any more."""
    return RunClosed(
        f"Run {run.pk} cannot be {done}. {CLOSED_WORDS.get(run.state, '')}".strip(),
        fix="Look at the run's page for what it needs, if anything.",
        state=run.state,
    )


def _plan_differs(run: Run) -> PlanDiffers:
    return PlanDiffers(f"The plan of run {run.pk} is not the one that was shown.", fix="Look at it again, then decide.")


def _check_typed(run: Run, typed_deletions: int | None) -> None:
    number = leaving(run)
    if number > DELETIONS_WITHOUT_TYPING and typed_deletions != number:
        raise DeletionsNotTyped(
            f"{number:,} accounts would leave. The number that was typed is "
            f"{'none' if typed_deletions is None else f'{typed_deletions:,}'}. Nothing was approved.",
            fix=f"Type {number:,} to approve.",
        )


def _check_reason(run: Run, reason: str) -> None:
    if run.state == State.HELD and not reason.strip():
        raise ReasonMissing(
            "This run is on hold, and no reason for approving it was given. Nothing was approved.",
            fix="Say why it is right in spite of the limit. The reason is kept with the run.",
        )


def _decide(
    run: Run, to_state: str, by: Account | ApiKey, now: datetime, *, digest: str | None = None, reason: str = ""
) -> None:
    """Move the run to its new state and record the decision. With a `digest`, decide only a plan that has it."""
    undecided = Run.objects.filter(pk=run.pk, state__in=DECIDABLE)
    if digest is not None:
        undecided = undecided.filter(plan_digest=digest)
    decided = undecided.update(
        state=to_state,
        decided_at=now,
        decided_by=by if isinstance(by, Account) else None,
        decided_by_key=by if isinstance(by, ApiKey) else None,
        is_approved_by_policy=False,
        decision_reason=reason.strip()[:MAX_REASON_CHARACTERS],
    )
    if not decided:
        raise closed(fresh(run))
    detail = {"run": run.pk, "digest": run.plan_digest, "counts": run.counts}
    record(school_system=run.school_system, action=f"run.{to_state}", by=by, detail=detail, now=now)
