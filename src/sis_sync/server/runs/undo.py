"""Takes an applied run back, or brings back the people who left by it: as a plan that a person decides on.

The plan is made from the history of the accounts (steps/undo). A field that was changed since the run is left alone.
"""

from datetime import datetime
from pathlib import Path

from django.db import transaction
from django.db.models import QuerySet

from sis_sync.core.errors import NotPermitted, RunClosed
from sis_sync.core.limits import UNDONE_WITHIN
from sis_sync.core.modes import RESTORE, TAKING_BACK, UNDO
from sis_sync.core.plan import ABSENT_ACTIONS, ACCOUNT_ACTIONS
from sis_sync.core.run_states import ENDED
from sis_sync.server.accounts.models import Account
from sis_sync.server.audit.services import record
from sis_sync.server.jobs.models import Job
from sis_sync.server.jobs.queue import enqueue
from sis_sync.server.keys.limits import require_open_left
from sis_sync.server.keys.models import ApiKey
from sis_sync.server.keys.services import APPROVE
from sis_sync.server.runs.models import Run
from sis_sync.server.runs.permission import covers, may_decide
from sis_sync.server.runs.settings import original_of
from sis_sync.server.runs.snapshot import named_orgs
from sis_sync.server.runs.states import State
from sis_sync.steps.undo.undo import Changes

NAMES = {UNDO.name: "Undo of run {run}", RESTORE.name: "People who left by run {run}"}


def ask_undo(*, run: Run, by: Account | ApiKey, now: datetime, only_leavers: bool = False) -> Run:
    """Return a run that takes `run` back, queued for planning. With `only_leavers` it only brings people back.

    Return the earlier one if it is still open. Nothing changes until a person approves its plan. Raise NotPermitted,
    RunClosed if the run cannot be taken back, or TooManyCalls if a key has too many open runs.
    """
    _check_may_undo(run, by)
    if words := why_not(run, now=now, only_leavers=only_leavers):
        raise RunClosed(words, fix="Change the accounts by hand in User Admin.", state=run.state)
    mode = RESTORE.name if only_leavers else UNDO.name
    with transaction.atomic():
        Run.objects.select_for_update().get(pk=run.pk)  # two people who ask at the same time get the same run
        earlier = undos_of(run).filter(mode=mode).exclude(state__in=ENDED).first()
        if earlier is not None:
            return earlier
        if isinstance(by, ApiKey):
            require_open_left(by)
        return _begin(run, mode, by, now)


def why_not(run: Run, *, now: datetime, only_leavers: bool = False) -> str:
    """Return why the run cannot be taken back. Empty if it can."""
    if run.state != State.APPLIED or run.applied_at is None:
        return f"Run {run.pk} was not applied, so there is nothing to take back."
    actions = ABSENT_ACTIONS if only_leavers else ACCOUNT_ACTIONS
    if run.passwords_of_existing and not any(map(run.counts.get, ACCOUNT_ACTIONS)):
        return f"Run {run.pk} set passwords and changed nothing else. Old passwords cannot be put back."
    if not any(map(run.counts.get, actions)):
        return f"{'No one left by' if only_leavers else 'No account was changed by'} run {run.pk}."
    if run.applied_at <= now - UNDONE_WITHIN:
        return f"Run {run.pk} was applied more than {UNDONE_WITHIN.days} days ago."
    return ""


def undos_of(run: Run) -> QuerySet[Run]:
    """Return the runs that take this one back, newest first, also those that were never applied."""
    return Run.objects.filter(based_on=run.pk, mode__in=list(TAKING_BACK)).order_by("-pk")


def changes_of(run: Run, file: Path) -> Changes:
    """Return what the run takes back. `file` has the exported changes."""
    taken_back = run.based_on
    if taken_back is None:  # removed when its time was over; so were its changes
        return Changes(run.file_name, file, {})
    then: dict[str, int] = taken_back.settings_used.get("orgs", {})
    now = {org_id: external_id for external_id, org_id in named_orgs(run.school_system_id).items()}
    renamed = {name: now.get(org_id, "") for name, org_id in then.items() if now.get(org_id) != name}
    return Changes(run.file_name, file, {name: new for name, new in renamed.items() if new})


def _check_may_undo(run: Run, by: Account | ApiKey) -> None:
    if isinstance(by, Account):
        if not may_decide(run=run, actor=by):
            raise NotPermitted("You do not manage the org of this run, so you cannot take it back.")
    elif APPROVE not in by.scopes or original_of(run).mode not in by.modes or not covers(org=by.org, run=run):
        raise NotPermitted(
            f"This key may not take {original_of(run).mode} runs of this org back.",
            fix="Let a manager do it in the pages, or give the key the approve scope.",
        )


def _begin(run: Run, mode: str, by: Account | ApiKey, now: datetime) -> Run:
    begun = Run.objects.create(
        school_system_id=run.school_system_id,
        scope_org_id=run.scope_org_id,
        mode=mode,
        based_on=run,
        file_name=NAMES[mode].format(run=run.pk),
        file_size_bytes=0,
        file_sha256="",
        uploaded_by=by if isinstance(by, Account) else None,
        api_key=by if isinstance(by, ApiKey) else None,
        received_at=now,
    )
    enqueue(kind=Job.Kind.PLAN, run=begun, now=now)
    detail = {"run": begun.pk, "mode": mode, "of_run": run.pk}
    record(school_system=begun.school_system, action="run.undo_asked", by=by, detail=detail, now=now)
    return begun
