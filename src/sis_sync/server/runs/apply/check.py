"""Checks that a plan still fits the accounts. Runs in the transaction that applies the plan, after it locks them."""

from datetime import datetime
from typing import Any

from sis_sync.server.runs.apply.sql import count, statements
from sis_sync.server.runs.conflicts import applied_since, that_changed_accounts, was_overtaken, was_undercut
from sis_sync.server.runs.models import ModeSettings, Run
from sis_sync.server.runs.permission import is_held_for_managers, may_still_approve, may_still_send
from sis_sync.server.runs.settings import settings_of, settings_used
from sis_sync.server.runs.snapshot import PLAN_FORMAT, named_orgs, right_holders
from sis_sync.server.runs.two_people import told_apart

REASONS: dict[str, str] = {
    "changed_accounts": "accounts that it touches were changed since",
    "missing_orgs": "orgs that it names no longer exist",
    "taken_addresses": "addresses that it assigns belong to other accounts",
    "taken_custom_ids": "accounts that it creates already exist",
    "unguarded_managers": "accounts that it touches have rights now",
}


class OutOfDate(Exception):
    """The plan no longer fits, so the run is planned again. The message is the reason, with counts but no names."""


def check_format(run_id: int) -> None:
    """Raise OutOfDate if another version of the server made the plan, whose files may lack columns."""
    if Run.objects.values_list("settings_used__plan_format", flat=True).get(pk=run_id) != PLAN_FORMAT:
        raise OutOfDate("another version of the server planned it")


def check_decision(run: Run, *, now: datetime) -> None:
    """Raise OutOfDate if settings, external IDs or rights changed, or a conflicting run was applied."""
    settings = check_surroundings(run)
    if run.is_approved_by_policy and (settings.requires_approval or settings.needs_two_persons):
        raise OutOfDate("the mode requires approval now, and no person approved it")
    if not _may_still_approve(run, now):
        raise OutOfDate("the person or key that approved it may no longer do so")
    if run.is_approved_by_policy and not may_still_send(run=run, now=now):
        raise OutOfDate("the person or key that sent it may no longer do so")
    others = check_newer_files(run)
    if others and run.decided_by_id is None:  # the guards have not counted the changes of the other run
        raise OutOfDate("another run was applied since")


def check_surroundings(run: Run) -> ModeSettings:
    """Raise OutOfDate if settings or external IDs changed since the plan was made. Return the settings of the mode."""
    settings = settings_of(run)
    used = run.settings_used
    if any(used.get(name) != value for name, value in settings_used(settings).items()):
        raise OutOfDate("the settings of the mode were changed since")
    if not used["orgs"].items() <= named_orgs(run.school_system_id).items():
        raise OutOfDate("external IDs were assigned to other orgs since")
    if used.get("told_apart", []) != told_apart(run.school_system_id):
        raise OutOfDate("a manager said since that people with similar IDs are two people")
    return settings


def check_newer_files(run: Run) -> list[Run]:
    """Raise OutOfDate if a run that concerns the same people was applied. Return the others that changed accounts."""
    applied = applied_since(run, run.settings_used["unapplied"])
    if was_overtaken(run, applied):
        raise OutOfDate("a newer file over the same accounts was applied since")
    others = that_changed_accounts(applied)
    if was_undercut(run, others):
        raise OutOfDate("accounts that it names were changed by another run since")
    return others


def check_accounts(run: Run, parameters: dict[str, Any]) -> None:
    """Raise OutOfDate, with counts, if accounts, orgs or addresses changed since the plan was made."""
    named = statements("checks")
    found = {name: count(named[name], parameters) for name in REASONS}
    if is_held_for_managers(run) and not _has_new_managers(run):
        found["unguarded_managers"] = 0
    reasons = [f"{number} {REASONS[name]}" for name, number in found.items() if number]
    if reasons:
        raise OutOfDate("; ".join(reasons))


def _has_new_managers(run: Run) -> bool:
    return not set(right_holders(run.school_system_id)) <= set(run.settings_used["managers"])


def _may_still_approve(run: Run, now: datetime) -> bool:
    deciders = [decider for decider in (run.decided_by, run.decided_by_key) if decider]
    return all(may_still_approve(run=run, by=decider, now=now) for decider in deciders)
