"""Removes people 180 days after they were deleted: the account, its history, and every stored row about it."""

import logging
from collections.abc import Iterator

from django.db import DatabaseError, InterfaceError, connection, transaction
from django.db.models import F

from sis_sync.core.limits import RESTORABLE_FOR
from sis_sync.core.run_states import ENDED
from sis_sync.server.accounts.models import Account
from sis_sync.server.accounts.search import drop_removed_words
from sis_sync.server.audit.models import AccountChange, AuditEntry
from sis_sync.server.place import has_room
from sis_sync.server.runs.apply.sql import count
from sis_sync.server.runs.memory import forget_memories
from sis_sync.server.runs.models import Run
from sis_sync.server.runs.purge.removed import NOT_REMOVED, POSTPONED, Purging, Removed, log_failure
from sis_sync.server.runs.purge.run_files import is_elsewhere, slices_of_runs
from sis_sync.server.runs.purge.traces import Person, named_in_plan, people_with, remove_traces
from sis_sync.server.runs.two_people import forget_told_apart

logger = logging.getLogger(__name__)

SLICE_PEOPLE = 2_000  # whose rows are looked for at once
SLICE_ACCOUNTS = 200  # that are deleted in one transaction


def remove_people(purging: Purging) -> Iterator[Removed]:
    """Remove the deleted people of every school system who can no longer be restored.

    A person whom an undecided run names stays until the run has ended. So does one who sent or decided such a run.
    """
    if is_elsewhere():
        yield Removed(NOT_REMOVED, 1)
        return
    due = Account.objects.filter(deleted_at__lte=purging.now - RESTORABLE_FOR)
    is_any_gone = False
    for system_id in list(due.order_by("school_system").values_list("school_system", flat=True).distinct()):
        after = 0
        ids_of_system = due.filter(school_system=system_id).order_by("pk").values_list("pk", flat=True)
        while ids := list(ids_of_system.filter(pk__gt=after)[:SLICE_PEOPLE]):
            for removed in _remove_slice(purging, system_id, people_with(ids)):
                is_any_gone |= removed.kind == "people" and removed.count > 0
                yield removed
            after = ids[-1]
    if is_any_gone and not purging.is_trial:
        overwrite_freed_pages()


def _remove_slice(purging: Purging, system_id: int, people: list[Person]) -> Iterator[Removed]:
    waiting = set[int | None]()
    for run in Run.objects.filter(school_system=system_id).exclude(state__in=ENDED):
        waiting |= {run.uploaded_by_id, run.decided_by_id} | _named_in_plan(run, people)
    gone = [person for person in people if person.account_id not in waiting]
    yield Removed(POSTPONED, len(people) - len(gone), system_id)
    if purging.is_trial:
        yield Removed("people", len(gone), system_id)
        return
    if gone:
        forget_memories(system_id)
    # Remove the traces first. If the server stops in between, the accounts are there to find the other traces by.
    is_complete = True
    for piece in slices_of_runs():
        for run in Run.objects.filter(pk__in=piece, school_system=system_id, state__in=ENDED).order_by("pk"):
            is_removed = _removed_traces(run, gone, purging)
            is_complete &= is_removed
            yield Removed("people", 0, system_id) if is_removed else Removed(NOT_REMOVED, 1)
    if not is_complete:
        return  # the accounts stay, because the other traces are found by them
    for start in range(0, len(gone), SLICE_ACCOUNTS):
        number = _delete_accounts(purging, gone[start : start + SLICE_ACCOUNTS])
        yield Removed("people", number, system_id)


def _named_in_plan(run: Run, people: list[Person]) -> set[int]:
    """Return the accounts of those people whom the plan of an open run names. A damaged plan may name them all."""
    try:
        return named_in_plan(run, people)
    except (DatabaseError, InterfaceError, MemoryError):
        raise
    except Exception as error:
        log_failure(f"the plan of run {run.pk} could not be searched for deleted people", error)
        return {person.account_id for person in people}


def _removed_traces(run: Run, people: list[Person], purging: Purging) -> bool:
    """Remove the rows about these people. Return False if the files of the run cannot be read or written."""
    try:
        remove_traces(run, people, now=purging.now)
    except (DatabaseError, InterfaceError, MemoryError):
        raise
    except Exception as error:
        log_failure(f"the rows of deleted people in run {run.pk} could not be removed", error)
        return False
    return True


@transaction.atomic
def _delete_accounts(purging: Purging, gone: list[Person]) -> int:
    """Delete those accounts that are still deleted and too old to be restored, with their history."""
    found = Account.objects.select_for_update().filter(pk__in=[person.account_id for person in gone])
    still = list(found.filter(deleted_at__lte=purging.now - RESTORABLE_FOR).order_by("pk").values_list("pk", flat=True))
    for log in (AuditEntry, AccountChange):  # without an actor, the server would seem to have done it
        log.objects.filter(actor__in=still).update(former_actor=F("actor_id"), actor=None)
    forget_told_apart(still)
    Account.objects.filter(pk__in=still).delete()
    return len(still)


def overwrite_freed_pages() -> None:
    """Make SQLite write its file again without the values of removed rows.

    It overwrites most of them as they are removed (secure_delete), but not the copies that moving rows between pages
    leaves, and not their words in the index for searches. PostgreSQL reuses the space of removed rows by itself.
    """
    if connection.vendor != "sqlite":
        return
    try:
        drop_removed_words()
        if connection.in_atomic_block:
            return
        size = count("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size", {})
        if not has_room(size):
            logger.warning("the database file could not be written again: the disk has no room for a second copy")
            return
        with connection.cursor() as cursor:
            cursor.execute("VACUUM")
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except DatabaseError as error:  # in use for too long, or no room: the next removal tries again
        logger.warning("the database file could not be written again: %s", type(error).__name__)
