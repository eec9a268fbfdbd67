"""Makes a waiting plan again as soon as it no longer fits, so that no one decides on a plan that cannot be applied.

`apply/check.py` has the last word: it compares every account while it holds their locks. This looks only at what was
recorded since the plan was made, and costs little even for a large plan.
"""

from datetime import datetime

from sis_sync.core.run_states import DECIDABLE
from sis_sync.core.wording import counted
from sis_sync.engine.sql import sql_text
from sis_sync.server.accounts.models import Account
from sis_sync.server.audit.models import AccountChange
from sis_sync.server.runs.apply.check import OutOfDate, check_format, check_newer_files, check_surroundings
from sis_sync.server.runs.files import is_plan_damaged, reading_session, run_files
from sis_sync.server.runs.flow import plan_again
from sis_sync.server.runs.models import Run
from sis_sync.server.runs.snapshot import right_holders

PLAN_IS_DAMAGED = "its stored plan is damaged"
MOST_CHANGES = 1_000  # by hand, compared one by one; if there are more, the plan is made again


def plan_again_if_needed(run: Run, *, now: datetime) -> str:
    """Queue a new plan of a waiting run whose plan no longer fits. Return the reason, "" if it still fits."""
    reason = misfit_of(run) if run.state in DECIDABLE else ""
    if reason:
        plan_again(run.pk, reason=reason, now=now, states=DECIDABLE)
    return reason


def plan_misfits_again(*, now: datetime) -> int:
    """Queue a new plan of every waiting run whose plan no longer fits. Return how many."""
    waiting = Run.objects.filter(state__in=DECIDABLE).select_related("scope_org").order_by("pk")
    return sum(bool(plan_again_if_needed(run, now=now)) for run in waiting)


def misfit_of(run: Run) -> str:
    """Return why the plan of a waiting run no longer fits, with counts but no names. Return "" if it does."""
    try:
        check_format(run.pk)
        check_surroundings(run)
        check_newer_files(run)
    except OutOfDate as reason:
        return str(reason)
    if not run_files(run).plan.is_file():  # lost with a disk, or not in a backup
        return "its stored plan is gone"
    if is_plan_damaged(run):
        return PLAN_IS_DAMAGED
    return _changed_by_hand(run)


def _changed_by_hand(run: Run) -> str:
    """Return a reason if someone has changed accounts that the plan touches, or that now have what it assigns."""
    accounts = {*right_holders(run.school_system_id)} - {*run.settings_used["managers"]}
    since = run.settings_used.get("newest_change")
    if since is not None:
        changes = AccountChange.objects.filter(school_system=run.school_system_id, run=None, pk__gt=since)
        changed = changes.exclude(action="password").order_by("pk").values_list("account_id", flat=True)
        accounts |= {*changed[: MOST_CHANGES + 1]}
    if len(accounts) > MOST_CHANGES:
        return "many accounts were changed by hand since"
    number = _touched(run, accounts) if accounts else 0
    if not number:
        return ""
    one, many = "account that it touches or relies on was", "accounts that it touches or relies on were"
    return f"{counted(number, one, many)} changed by hand since"


def _touched(run: Run, account_ids: set[int]) -> int:
    """Count the rows of the plan that concern these accounts, or assign their addresses or custom IDs."""
    accounts = Account.objects.filter(pk__in=account_ids).values_list("custom_id", "email", "deleted_at")
    custom_ids = [custom_id for custom_id, *_ in accounts if custom_id]
    addresses = [email.lower() for _, email, deleted_at in accounts if email and not deleted_at]
    with reading_session() as session:
        return int(
            session.value(
                sql_text(__package__, "touched"),
                plan=str(run_files(run).plan),
                accounts=[str(account_id) for account_id in sorted(account_ids)],
                custom_ids=custom_ids or [""],
                addresses=addresses or [""],
            )
        )
