"""Whether a plan still fits: asked in the transaction that applies it, with everything it touches locked."""

from typing import Any

from sis_sync.core.errors import NotPermitted
from sis_sync.server.runs.apply.overtaken import was_overtaken
from sis_sync.server.runs.apply.statements import count, statements
from sis_sync.server.runs.models import ModeSettings, Run
from sis_sync.server.runs.permission import check_approver, check_key_limits, is_held_for_managers
from sis_sync.server.runs.planning import named_orgs, settings_used

REASONS: dict[str, str] = {
    "changed_accounts": "accounts that it touches were changed since",
    "missing_orgs": "orgs that it names are gone",
    "taken_addresses": "addresses that it gives are held by other accounts",
    "taken_custom_ids": "accounts that it creates are there already",
    "unguarded_managers": "accounts that it touches have rights now",
}


class OutOfDate(Exception):
    """The plan no longer fits. The text says why, in counts."""


def check_decision(run: Run) -> None:
    """OutOfDate if the mode's settings, the approver's rights or newer files overtook the plan."""
    settings = ModeSettings.objects.get(school_system=run.school_system_id, mode=run.mode)
    used = dict(run.settings_used)
    orgs: dict[str, int] = used.pop("orgs", {})
    if settings_used(settings) != used:
        raise OutOfDate("the settings of the mode were changed since")
    if run.is_approved_by_policy and settings.requires_approval:
        raise OutOfDate("the mode requires approval now, and no person gave it")
    if not orgs.items() <= named_orgs(run.school_system_id).items():
        raise OutOfDate("external IDs name other orgs since")
    if not _may_still_approve(run):
        raise OutOfDate("who approved it may no longer do so")
    if was_overtaken(run, since=run.planned_at):
        raise OutOfDate("a newer file over the same accounts was applied since")


def check_accounts(run: Run, parameters: dict[str, Any]) -> None:
    """OutOfDate with counts if accounts, orgs or addresses are not as the plan saw them."""
    named = statements("checks.sql")
    found = {name: count(named[name], parameters) for name in REASONS}
    if is_held_for_managers(run):
        found["unguarded_managers"] = 0
    reasons = [f"{number} {REASONS[name]}" for name, number in found.items() if number]
    if reasons:
        raise OutOfDate("; ".join(reasons))


def _may_still_approve(run: Run) -> bool:
    try:
        if run.decided_by:
            check_approver(run=run, actor=run.decided_by)
        if run.decided_by_key:
            check_key_limits(run=run, api_key=run.decided_by_key)
    except NotPermitted:
        return False
    return run.decided_by_key is None or run.decided_by_key.revoked_at is None
