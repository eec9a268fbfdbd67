"""One purge of the whole installation: its steps in order, its record, and an entry in each school system's log."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone

from sis_sync.core.errors import AnotherInstanceRuns, ConfigurationError
from sis_sync.core.limits import Retention
from sis_sync.core.wording import counted
from sis_sync.server.audit.models import AccountChange, AuditEntry, Purge
from sis_sync.server.audit.services import record
from sis_sync.server.jobs.lock import purge_lock
from sis_sync.server.orgs.models import SchoolSystem
from sis_sync.server.runs.purge.deleted_people import remove_people
from sis_sync.server.runs.purge.removed import KINDS, NOT_REMOVED, POSTPONED, Purging, Removed, Step
from sis_sync.server.runs.purge.rows import (
    remove_claim_codes,
    remove_feed_entries,
    remove_history,
    remove_jobs,
    remove_keys,
    remove_purges,
    remove_runs,
    remove_sessions,
)
from sis_sync.server.runs.purge.run_files import (
    close_files,
    due_files,
    due_reports,
    remove_files,
    remove_memories,
    remove_temporary_folders,
)

# People before the history: their rows of it are gone then, whatever its age. Runs after the history that names them.
STEPS: tuple[Step, ...] = (
    close_files,
    remove_files,
    remove_memories,
    remove_temporary_folders,
    remove_people,
    remove_history,
    remove_runs,
    remove_jobs,
    remove_sessions,
    remove_keys,
    remove_claim_codes,
    remove_feed_entries,
    remove_purges,
)


def purge(*, now: datetime, is_trial: bool = False) -> Iterator[Removed]:
    """Remove everything that is older than its time, and yield what each piece removed.

    The caller may do other work between two pieces. Raise AnotherInstanceRuns if another process purges.
    """
    with purge_lock() as is_free:
        if not is_free:
            raise AnotherInstanceRuns("Another process purges this server.", fix="Wait until it has ended.")
        began = None if is_trial else Purge.objects.create(began_at=now)
        counts = defaultdict[int | None, Counter[str]](Counter)
        for step in STEPS:
            for removed in step(Purging(now, is_trial)):
                counts[removed.school_system_id][removed.kind] += removed.count
                yield removed
        if began is not None:
            _record(began, counts, now)


def preview(*, school_system: SchoolSystem, retention: Retention, now: datetime) -> dict[str, int]:
    """Return how many files, plans and changes the next purge would remove if this were the retention."""
    history = now - timedelta(days=retention.history_days)
    return {
        "files": due_files(school_system, retention, now=now).count(),
        "reports": due_reports(school_system, retention, now=now).count(),
        "changes": AccountChange.objects.filter(school_system=school_system, changed_at__lte=history).count(),
        "audit_entries": AuditEntry.objects.filter(school_system=school_system, at__lte=history).count(),
    }


def _record(began: Purge, counts: dict[int | None, Counter[str]], now: datetime) -> None:
    """Write the record of the purge, and what it removed from each school system into its log."""
    for system in SchoolSystem.objects.filter(pk__in=[pk for pk in counts if pk is not None]).order_by("pk"):
        removed = {kind: count for kind, count in counts[system.pk].items() if count}
        if removed:
            record(school_system=system, action="data.purged", detail=removed, now=now)
    began.counts = dict(sum(counts.values(), Counter[str]()))
    began.ended_at = now
    began.save(update_fields=["counts", "ended_at"])


def total(pieces: Iterator[Removed]) -> Counter[str]:
    """Return how many things of each kind were removed."""
    counts = Counter[str]()
    for removed in pieces:
        counts[removed.kind] += removed.count
    return +counts


@dataclass(frozen=True)
class Purged:
    """What a purge removed, or would remove, by kind."""

    counts: Counter[str]
    is_trial: bool

    def as_dict(self) -> dict[str, Any]:
        """Return the counts for JSON, with every kind in the order of the purge."""
        return {
            "dry_run": self.is_trial,
            "removed": {kind: self.counts[kind] for kind in KINDS},
            "postponed_people": self.counts[POSTPONED],
            "not_removed": self.counts[NOT_REMOVED],
        }

    def raise_if_incomplete(self) -> None:
        """Raise ConfigurationError if the operating system refused to remove a file."""
        if number := self.counts[NOT_REMOVED]:
            raise ConfigurationError(
                f"{counted(number, 'file or folder', 'files or folders')} could not be removed; the log says which.",
                fix=f"Give them to the user of the server, below {settings.SIS_SYNC_DATA_FOLDER}, and purge again.",
            )


def purge_now(*, is_trial: bool) -> Purged:
    """Purge the whole installation. Raise AnotherInstanceRuns if another process does."""
    return Purged(total(purge(now=timezone.now(), is_trial=is_trial)), is_trial)


def purge_words(purged: Purged) -> Iterator[str]:
    """Yield a line for each kind of thing that was removed, and one for people who stay."""
    verb = "Would remove" if purged.is_trial else "Removed"
    removed = [counted(purged.counts[kind], *words) for kind, words in KINDS.items() if purged.counts[kind]]
    yield from (f"{verb} {words}." for words in removed)
    if not removed:
        yield "Nothing is older than its time."
    if people := purged.counts[POSTPONED]:
        verb = "stays" if people == 1 else "stay"
        yield f"{counted(people, 'deleted person', 'deleted people')} {verb} until the runs that name them have ended."
