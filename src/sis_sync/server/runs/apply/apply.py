"""Applies an approved plan. Accounts, history and the state of the run are committed in one transaction."""

import secrets
from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import Any

from django.db import IntegrityError, connection, transaction

from sis_sync.core.limits import RESTORABLE_FOR
from sis_sync.core.modes import TAKING_BACK
from sis_sync.core.plan import ACCOUNT_ACTIONS
from sis_sync.server.accounts.feed import changing_accounts
from sis_sync.server.accounts.held_addresses import remember_digests
from sis_sync.server.audit.services import record
from sis_sync.server.jobs.models import Job
from sis_sync.server.jobs.queue import enqueue
from sis_sync.server.orgs.last_manager import has_active_manager
from sis_sync.server.orgs.models import Org, SchoolSystem
from sis_sync.server.runs.apply.approved import ApprovedPlan
from sis_sync.server.runs.apply.check import OutOfDate, check_accounts, check_decision, check_format
from sis_sync.server.runs.apply.load import Changes, forget_changes, opened_changes
from sis_sync.server.runs.apply.newcomers import Newcomers, indexes_made_afterwards, newcomers_of
from sis_sync.server.runs.apply.sql import changes_kept_in_memory, count, execute, own_statements, statements
from sis_sync.server.runs.ended_edits import write_ended_edits
from sis_sync.server.runs.files import is_as_stored
from sis_sync.server.runs.models import Run
from sis_sync.server.runs.states import State, has_ended

# If at least one account in 10 is a newcomer, the statistics are renewed.
STATISTICS_TOLERATE = 10

# Statement: action. The statement must write as many rows as the plan counts for the action.
COUNTED = {
    "delete": "delete",
    "disable": "disable",
    "update": "update",
    "restore": "restore",
    "create": "create",
    "keep_history_of_newcomers": "create",
}


def apply_plan(approved: ApprovedPlan, *, now: datetime) -> None:
    """Change the accounts as planned, in one transaction. Do nothing if the run is already applied.

    Raise OutOfDate and change nothing if the plan no longer fits.
    """
    # 1. Trust only the stored plan whose digest was approved.
    if not is_as_stored(approved.files, approved.digest):
        raise OutOfDate("its stored plan is not the one that was approved")
    check_format(approved.run_id)  # before it is read
    # 2. Open the plan before the transaction, to keep locks short.
    with opened_changes(approved) as changes, changes_kept_in_memory(), transaction.atomic():
        # 3. Apply one run of a school system at a time.
        lock_school_system(approved.school_system_id)
        # 4. Mark the run first, so that a second worker finds nothing to do.
        if not _mark_applied(approved, now):
            return
        run = Run.objects.select_related("scope_org", "decided_by", "decided_by_key__org").get(pk=approved.run_id)
        # 5. Check that the decision is still valid, write the accounts, and log it. OutOfDate undoes the mark.
        check_decision(run, now=now)
        number = sum(run.counts[action] for action in ACCOUNT_ACTIONS)
        with changing_accounts(school_system_id=run.school_system_id, number=number):
            write_ended_edits(run, session=changes.session)
            _apply_either_way(run, approved, changes, now)
        _record(run, now)
        if run.newcomers_with_password or run.passwords_of_existing:
            enqueue(kind=Job.Kind.PREPARE, run=run, now=now)
        has_ended(run.pk)
    _renew_statistics(run)


def _renew_statistics(run: Run) -> None:
    """Let PostgreSQL renew its statistics after a large import. Without them, the next night reads whole tables."""
    own = own_statements()
    if not run.counts["create"]:
        return
    if "renew_statistics" not in own:
        return
    if run.counts["create"] * STATISTICS_TOLERATE >= count(own["known_accounts"], {}):
        execute(own["renew_statistics"])


def lock_school_system(school_system_id: int) -> None:
    """Wait for the lock of the school system and keep it until the transaction ends."""
    # Do not lock the key: other transactions may still add rows that refer to the school system.
    SchoolSystem.objects.select_for_update(no_key=True).get(pk=school_system_id)


def _mark_applied(approved: ApprovedPlan, now: datetime) -> bool:
    run = Run.objects.filter(pk=approved.run_id, state=State.APPLYING, plan_digest=approved.digest)
    return run.update(state=State.APPLIED, applied_at=now) == 1


def _apply_either_way(run: Run, approved: ApprovedPlan, changes: Changes, now: datetime) -> None:
    """Write many newcomers straight into the table of accounts. If that fails, apply the plan in the usual way."""
    parameters = _parameters(run, now)
    if newcomers := newcomers_of(run, approved, changes.session):
        with suppress(IntegrityError), transaction.atomic():
            with indexes_made_afterwards(run.counts["create"]):
                _apply(run, changes, parameters, newcomers)
            return
    _apply(run, changes, parameters, None)


def _apply(run: Run, changes: Changes, parameters: dict[str, Any], newcomers: Newcomers | None) -> None:
    had_manager = has_active_manager(run.school_system_id)
    changes.load(parameters, with_newcomers=newcomers is None)
    writes = {name: partial(execute, sql, parameters) for name, sql in statements("writes").items()}
    if newcomers:
        writes["create"] = partial(newcomers.write, parameters)
        writes["keep_history_of_newcomers"] = partial(newcomers.write_history, parameters)
        writes["await_passwords"] = partial(newcomers.await_passwords, parameters)
    # Do this before the checks: a new account may use the ID of an account that was deleted long ago.
    writes.pop("release_custom_ids")()
    check_accounts(run, parameters)
    expected = {name: run.counts[action] for name, action in COUNTED.items()}
    expected["await_passwords"] = run.newcomers_with_password
    expected["await_new_passwords"] = run.passwords_of_existing
    for name, write in writes.items():
        touched = write()
        if touched != expected.get(name, touched):
            raise AssertionError(f"{name}: {expected[name]} rows expected, {touched} were written")
    remember_digests(school_system_id=run.school_system_id, digests=changes.released)
    if had_manager and not has_active_manager(run.school_system_id):
        raise OutOfDate("it would leave the district without an active manager")
    forget_changes()


def _parameters(run: Run, now: datetime) -> dict[str, Any]:
    adapt = connection.ops.adapt_datetimefield_value
    return {
        "school_system": run.school_system_id,
        "run": run.pk,
        "scope": run.scope_org_id,
        "whole": int(run.scope_org.kind == Org.Kind.DISTRICT),
        "now": adapt(now),
        "received": adapt(run.received_at),
        "restorable_since": adapt(now - RESTORABLE_FOR),
        "has_file": int(run.mode not in TAKING_BACK),
        "salt": secrets.token_hex(16),
    }


def _record(run: Run, now: datetime) -> None:
    record(
        school_system=run.school_system,
        action="run.applied",
        by=run.decided_by or run.decided_by_key,
        detail={"run": run.pk, "counts": run.counts},
        now=now,
    )
