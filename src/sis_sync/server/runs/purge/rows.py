"""Removes rows of the database when their time is over: history, log, runs, jobs, sessions, keys, codes, the feed."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.contrib.sessions.models import Session
from django.db.models import Exists, OuterRef, Q, QuerySet

from sis_sync.core.plan import ABSENT_ACTIONS
from sis_sync.core.run_states import ENDED
from sis_sync.server.accounts.feed import entries_over
from sis_sync.server.accounts.models import ClaimCode
from sis_sync.server.audit.models import AccountChange, AuditEntry, Purge
from sis_sync.server.jobs.models import Job
from sis_sync.server.jobs.queue import OPEN_STATES
from sis_sync.server.keys.models import ApiKey
from sis_sync.server.orgs.models import SchoolSystem
from sis_sync.server.orgs.retention import retention_of
from sis_sync.server.runs.models import Run
from sis_sync.server.runs.purge.removed import Purging, Removed, delete_rows
from sis_sync.server.runs.purge.run_files import ended_before

JOBS_KEPT_FOR = timedelta(days=30)
KEYS_KEPT_FOR = timedelta(days=30)  # after they were revoked or expired
RUNS_REMEMBERED = 30  # of each mode and org, whatever their age: guards compare with their counts


def remove_history(purging: Purging) -> Iterator[Removed]:
    """Remove the history of accounts and the log of actions."""
    for older, systems in _by_cutoff(purging):
        old = AccountChange.objects.filter(systems, changed_at__lte=older)
        yield from delete_rows(purging, "changes", old, system_column="school_system_id")
        log = AuditEntry.objects.filter(systems, at__lte=older)
        yield from delete_rows(purging, "audit_entries", log, system_column="school_system_id")


def _by_cutoff(purging: Purging) -> Iterator[tuple[Any, Q]]:
    """Yield each moment before which history goes, and the condition for its school systems.

    The tables have no index over time, so that imports are fast. Most school systems share one setting, and one look
    through a table serves them all.
    """
    systems = defaultdict[int, list[int]](list)
    for system in SchoolSystem.objects.order_by("pk"):
        systems[retention_of(system).history_days].append(system.pk)
    for days, ids in systems.items():
        yield purging.now - timedelta(days=days), Q(school_system__in=ids)


def remove_runs(purging: Purging) -> Iterator[Removed]:
    """Remove runs that are older than the history, except the last applied ones of each mode and org."""
    counted = _runs_that_count()
    for older, systems in _by_cutoff(purging):
        old = ended_before(Run.objects.filter(systems, report_removed_at__isnull=False), older)
        old = old.exclude(pk__in=counted).exclude(Exists(AccountChange.objects.filter(run=OuterRef("pk"))))
        yield from delete_rows(purging, "runs", old, system_column="school_system_id")


def _runs_that_count() -> list[int]:
    found = defaultdict[tuple[Any, ...], list[int]](list)
    applied = Run.objects.filter(state=Run.State.APPLIED).order_by("-applied_at", "-pk")
    for run_id, *where in applied.values_list("pk", "school_system_id", "mode", "scope_org_id").iterator():
        newest = found[tuple(where)]
        if len(newest) < RUNS_REMEMBERED:
            newest.append(run_id)
    return [run_id for newest in found.values() for run_id in newest] + _last_with_leavers()


def _last_with_leavers() -> list[int]:
    """Return the newest run of each school system in which someone left. A guard asks whether there was one."""
    found: dict[int, int] = {}
    applied = Run.objects.filter(state=Run.State.APPLIED).order_by("applied_at", "pk")
    for run_id, system_id, counts in applied.values_list("pk", "school_system_id", "counts").iterator():
        if any(counts.get(action) for action in ABSENT_ACTIONS):
            found[system_id] = run_id
    return list(found.values())


def remove_jobs(purging: Purging) -> Iterator[Removed]:
    """Remove jobs of ended runs."""
    done = Job.objects.filter(run__state__in=ENDED, ended_at__lte=purging.now - JOBS_KEPT_FOR)
    done = done.exclude(state__in=OPEN_STATES)
    yield from delete_rows(purging, "jobs", done, system_column="run__school_system_id")


def remove_sessions(purging: Purging) -> Iterator[Removed]:
    """Remove sessions that have expired."""
    yield from delete_rows(purging, "sessions", Session.objects.filter(expire_date__lte=purging.now))


def remove_keys(purging: Purging) -> Iterator[Removed]:
    """Remove revoked and expired keys that no run and no entry of the log names."""
    end = purging.now - KEYS_KEPT_FOR
    over: QuerySet[ApiKey] = ApiKey.objects.filter(Q(revoked_at__lte=end) | Q(expires_at__lte=end))
    key = OuterRef("pk")
    over = over.exclude(Exists(Run.objects.filter(Q(api_key=key) | Q(decided_by_key=key))))
    over = over.exclude(Exists(AuditEntry.objects.filter(api_key=key)))
    yield from delete_rows(purging, "keys", over, system_column="school_system_id")


def remove_claim_codes(purging: Purging) -> Iterator[Removed]:
    """Remove codes that no longer work."""
    over = ClaimCode.objects.filter(expires_at__lte=purging.now)
    yield from delete_rows(purging, "claim_codes", over, system_column="account__school_system_id")


def remove_feed_entries(purging: Purging) -> Iterator[Removed]:
    """Remove old entries of the change feed. A consumer with an older position reads all accounts again."""
    yield from delete_rows(purging, "feed_entries", entries_over(now=purging.now))


def remove_purges(purging: Purging) -> Iterator[Removed]:
    """Remove the records of old purges."""
    if not purging.is_trial:
        Purge.objects.filter(began_at__lte=purging.now - timedelta(days=365)).delete()
    yield Removed("leftovers")
