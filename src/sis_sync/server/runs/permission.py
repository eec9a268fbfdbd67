"""Checks that a manager or a key may send, approve, reject or cancel a run."""

from datetime import datetime

from sis_sync.core.errors import KeyRefused, NotPermitted
from sis_sync.core.modes import TAKING_BACK
from sis_sync.core.run_states import ENDED
from sis_sync.server.accounts.models import Account
from sis_sync.server.keys.authenticate import refuse_unless_taken
from sis_sync.server.keys.models import ApiKey
from sis_sync.server.keys.services import APPROVE
from sis_sync.server.orgs.models import Org, Right
from sis_sync.server.orgs.selectors import ASK_A_MANAGER, managed_orgs
from sis_sync.server.runs.files import reading_session, run_files
from sis_sync.server.runs.models import Run
from sis_sync.server.runs.settings import settings_of

CANCEL_IN_THE_PAGES = "Let a manager cancel it in the pages."
MANAGERS_GUARD = "guard.managers"
CHANGED_AMONG = """
SELECT count(*) FROM read_parquet(:plan)
WHERE action IN ('update', 'restore', 'delete', 'disable') AND account_id IN :accounts
"""
DISABLED_BY_A_ROW = """
SELECT count(*) FROM read_parquet(:plan) WHERE action = 'update' AND old_status = 'Active' AND status = 'Disabled'
"""


def check_may_approve(*, run: Run, by: Account | ApiKey) -> None:
    """Raise NotPermitted unless this person or key may approve the run's current plan."""
    check_may_reject(run=run, by=by)
    if needs_another_person(run=run, by=by):
        raise NotPermitted(
            "You asked for this, and the mode of the run needs two persons: the person who asks may not approve."
            if run.mode in TAKING_BACK
            else "You sent this file, and its mode needs two persons: the sender of a file may not approve it.",
            fix="Let another manager approve it.",
        )
    if isinstance(by, Account):
        _check_greater_managers(run, by)
    else:
        _check_key_limits(run)


def needs_another_person(*, run: Run, by: Account | ApiKey) -> bool:
    """True if the mode needs two persons and this one sent the file. A key counts as the manager who made it.

    A run that takes another back needs two if the mode of the other does. The person who asked for it is its sender.
    """
    sender = run.api_key.created_by_id if run.api_key else run.uploaded_by_id
    if sender is None or sender != (by.pk if isinstance(by, Account) else by.created_by_id):
        return False
    return settings_of(run).needs_two_persons


def check_may_reject(*, run: Run, by: Account | ApiKey) -> None:
    """Raise NotPermitted unless this person or key may decide on runs of this org."""
    if isinstance(by, Account):
        if not may_decide(run=run, actor=by):
            raise NotPermitted("You do not manage the org of this run, so you cannot decide it.")
    elif APPROVE not in by.scopes or run.mode not in by.modes or not covers(org=by.org, run=run):
        raise NotPermitted(
            f"This key may not decide {run.mode} runs of this org.",
            fix="Let a manager decide it in the pages."
            if run.mode in TAKING_BACK
            else "Let a manager decide it in the pages, or give the key the approve scope.",
        )


def check_may_cancel(*, run: Run, by: Account | ApiKey) -> None:
    """Raise NotPermitted unless this person manages the run's org, or this key sent a run that no one has decided."""
    if isinstance(by, Account):
        if not may_decide(run=run, actor=by):
            raise NotPermitted("You do not manage the org of this run, so you cannot cancel it.")
    elif run.api_key_id != by.pk:
        raise NotPermitted("This key did not send this run, so it cannot cancel it.", fix=CANCEL_IN_THE_PAGES)
    elif run.state not in ENDED and (run.decided_by_id or run.decided_by_key_id):
        raise NotPermitted("Someone has decided this run, so a key can no longer cancel it.", fix=CANCEL_IN_THE_PAGES)


def may_still_approve(*, run: Run, by: Account | ApiKey, now: datetime) -> bool:
    """True if the person or key that approved the run is still allowed to approve it."""
    try:
        check_may_approve(run=run, by=by)
        if isinstance(by, ApiKey):
            refuse_unless_taken(by, now)
    except (NotPermitted, KeyRefused):
        return False
    return True


def may_still_send(*, run: Run, now: datetime) -> bool:
    """True if the file would be accepted now: its sender manages the run's org, or its key is still valid."""
    try:
        if run.api_key:
            refuse_unless_taken(run.api_key, now)
    except KeyRefused:
        return False
    return run.uploaded_by is None or may_decide(run=run, actor=run.uploaded_by)


def may_decide(*, run: Run, actor: Account) -> bool:
    """True if the person is active and manages the run's org."""
    return actor.is_active and managed_orgs(actor=actor).filter(pk=run.scope_org_id).exists()


def covers(*, org: Org, run: Run) -> bool:
    """True if the run's scope is this org or a school of this district."""
    is_district = org.kind == Org.Kind.DISTRICT and org.school_system_id == run.school_system_id
    return is_district or org.pk == run.scope_org_id


def is_held_for_managers(run: Run) -> bool:
    """True if managers would be deleted, disabled, moved or restored, or would get another address."""
    return any(hit["code"] == MANAGERS_GUARD for hit in run.guards)


def leaving(run: Run) -> int:
    """Return the number of absent accounts that would be deleted or disabled."""
    return int(run.counts.get("delete", 0)) + int(run.counts.get("disable", 0))


def _check_greater_managers(run: Run, actor: Account) -> None:
    # Look at the guard first. Reading the plan takes longer, and unless the guard holds the run, it changes no manager.
    if is_held_for_managers(run) and _changes_greater_manager(run, actor):
        raise NotPermitted("This run would change someone who manages more than you do.", fix=ASK_A_MANAGER)


def _changes_greater_manager(run: Run, actor: Account) -> bool:
    """True if the stored plan changes an account with a right over an org that the actor does not manage."""
    rights = Right.objects.filter(account__school_system=run.school_system_id)
    beyond = rights.exclude(org__in=managed_orgs(actor=actor)).values_list("account_id", flat=True)
    accounts = sorted({str(account_id) for account_id in beyond})
    plan = run_files(run).plan
    if not accounts or not plan.is_file():  # a plan without its file cannot be applied
        return False
    with reading_session() as session:
        return bool(session.value(CHANGED_AMONG, plan=str(plan), accounts=accounts))


def _check_key_limits(run: Run) -> None:
    if (
        run.guards or leaving(run) or _disabled_by_rows(run)
    ):  # without the numbers, which a key without the scope read may not learn
        raise NotPermitted(
            "A key cannot approve this run: a guard holds it, or accounts would leave.",
            fix="Let a manager approve it in the pages.",
        )


def _disabled_by_rows(run: Run) -> int:
    """Return the number of accounts that rows of the file take from Active to Disabled: they leave too."""
    plan = run_files(run).plan
    if not run.counts.get("update") or not plan.is_file():  # a plan without its file cannot be applied
        return 0
    with reading_session() as session:
        return int(session.value(DISABLED_BY_A_ROW, plan=str(plan)))
