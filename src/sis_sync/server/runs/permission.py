"""Who may decide a run: a manager of the district or of the run's own org, or a key with the approve scope."""

from datetime import datetime

from sis_sync.core.errors import KeyRefused, NotPermitted
from sis_sync.core.wording import counted
from sis_sync.engine.duckdb import open_session
from sis_sync.server.accounts.models import Account
from sis_sync.server.keys.authenticate import refuse_unless_taken
from sis_sync.server.keys.models import ApiKey
from sis_sync.server.orgs.models import Org, Right
from sis_sync.server.orgs.selectors import ASK_A_MANAGER, managed_orgs
from sis_sync.server.runs.files import run_files
from sis_sync.server.runs.models import Run

READING_MEMORY_MB = 256
CHANGED_AMONG = """
SELECT count(*) FROM read_parquet(:plan)
WHERE action IN ('update', 'restore', 'delete', 'disable') AND account_id IN :accounts
"""


def changes_greater_manager(*, run: Run, actor: Account) -> bool:
    """Whether the stored plan changes an account with a right over an org that the actor does not manage."""
    rights = Right.objects.filter(account__school_system=run.school_system_id)
    beyond = rights.exclude(org__in=managed_orgs(actor=actor)).values_list("account_id", flat=True)
    accounts = sorted({str(account_id) for account_id in beyond})
    plan = run_files(run).plan
    if not accounts or not plan.is_file():  # without its file the plan cannot be applied either
        return False
    with open_session(memory_limit_mb=READING_MEMORY_MB, threads=1) as session:
        return bool(session.value(CHANGED_AMONG, plan=str(plan), accounts=accounts))


APPROVE_SCOPE = "approve"
MANAGERS_GUARD = "guard.managers"


def may_decide(*, run: Run, actor: Account) -> bool:
    """Active, and manager of what the run covers."""
    return actor.is_active and managed_orgs(actor=actor).filter(pk=run.scope_org_id).exists()


def may_still_send(*, run: Run, now: datetime) -> bool:
    """Whether the file would be taken now: from a person who manages what it covers, or with a key that is taken."""
    try:
        if run.api_key:
            refuse_unless_taken(run.api_key, now)
    except KeyRefused:
        return False
    return run.uploaded_by is None or may_decide(run=run, actor=run.uploaded_by)


def covers(*, org: Org, run: Run) -> bool:
    """Whether what `org` manages includes the run's scope."""
    is_district = org.kind == Org.Kind.DISTRICT and org.school_system_id == run.school_system_id
    return is_district or org.pk == run.scope_org_id


def check_person(*, run: Run, actor: Account) -> None:
    """NotPermitted unless the person manages what the run covers."""
    if not may_decide(run=run, actor=actor):
        raise NotPermitted("You do not manage the org of this run, so you cannot decide it.")


def check_approver(*, run: Run, actor: Account) -> None:
    """NotPermitted too where the run changes somebody who manages more than the person: that would be climbing."""
    check_person(run=run, actor=actor)
    if is_held_for_managers(run) and changes_greater_manager(run=run, actor=actor):
        raise NotPermitted("This run would change somebody who manages more than you do.", fix=ASK_A_MANAGER)


def is_held_for_managers(run: Run) -> bool:
    """Whether accounts with rights would be deleted, disabled, moved, restored or change address."""
    return any(hit["code"] == MANAGERS_GUARD for hit in run.guards)


def check_key(*, run: Run, api_key: ApiKey) -> None:
    """NotPermitted unless the key has the approve scope for the run's mode and org."""
    if APPROVE_SCOPE not in api_key.scopes or run.mode not in api_key.modes or not covers(org=api_key.org, run=run):
        raise NotPermitted(
            f"This key may not decide {run.mode} runs of this org.",
            fix="Let a manager decide it in the pages, or give the key the approve scope.",
        )


def check_key_limits(*, run: Run, api_key: ApiKey) -> None:
    """NotPermitted where a guard holds the run or anybody would leave: that takes a person."""
    check_key(run=run, api_key=api_key)
    if run.guards or leaving(run):
        raise NotPermitted(
            "A key cannot approve this run: "
            f"{counted(len(run.guards), 'guard holds', 'guards hold')} it, "
            f"{counted(leaving(run), 'account', 'accounts')} would leave.",
            fix="Let a manager approve it in the pages.",
        )


def leaving(run: Run) -> int:
    """How many accounts absence would delete or disable."""
    return int(run.counts.get("delete", 0)) + int(run.counts.get("disable", 0))
