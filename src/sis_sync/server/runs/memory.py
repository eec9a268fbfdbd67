"""The memory of a school system (steps/memory): its file in the data folder, and the accounts that changed since.

It is a cache of people's data: only the server's user may read it, and backups need not contain it. A purge that
removes a person removes the memory too, and each purge removes memories of earlier months.
"""

from datetime import UTC, datetime
from pathlib import Path

from django.db import connection

from sis_sync.engine.duckdb import Session
from sis_sync.server.accounts.feed import Position, changes_since, position_now
from sis_sync.server.accounts.models import Account
from sis_sync.server.orgs.models import Org
from sis_sync.server.runs.files import data_folder
from sis_sync.server.runs.models import Run
from sis_sync.steps.memory.memory import Memory, forget_memory, open_memory
from sis_sync.steps.memory.pairs import Known

# With fewer accounts, a plan without the memory is as quick.
LEAST_ACCOUNTS = 20_000
# If more than one account in 10 was touched, reading all accounts is quicker.
MOST_TOUCHED = 10
# With more live accounts in other school systems, counting those of this one is as quick.
FEW_OTHERS = 1_000


def memory_folder() -> Path:
    """Return the folder of the memories."""
    return data_folder() / "memory"


def memory_of(run: Run, session: Session, *, now: datetime) -> Memory | None:
    """Open the memory for a run of the whole school system. Return None if it is not worth it, or cannot be used."""
    if connection.in_atomic_block or run.scope_org.kind != Org.Kind.DISTRICT:
        return None  # the transaction may still be rolled back
    if not has_many_accounts(run.school_system_id):
        return None
    path = memory_folder() / f"{run.school_system_id}-{now:%Y-%m}.duckdb"
    return open_memory(session, path, key=f"school system {run.school_system_id}")


def has_many_accounts(school_system_id: int) -> bool:
    """Return True if the school system has so many accounts that a memory makes its plans quicker."""
    accounts = Account.objects.filter(school_system=school_system_id)
    return accounts.order_by("pk")[LEAST_ACCOUNTS - 1 : LEAST_ACCOUNTS].exists()


def forget_memories(school_system_id: int | None = None, *, before: datetime | None = None) -> int:
    """Remove the memories of one school system or of all, or only those of months before this day. Return how many."""
    found = memory_folder().glob("*.duckdb" if school_system_id is None else f"{school_system_id}-*.duckdb")
    gone = [path for path in found if before is None or path.stem.partition("-")[2] < f"{before:%Y-%m}"]
    for path in gone:
        forget_memory(path)
    return len(gone)


def known_now(memory: Memory, run: Run, *, restorable_since: datetime) -> Known:
    """Return the memory with the accounts that may have changed. Call it in the snapshot that reads the accounts.

    The position has two parts: the time from which on deleted accounts are exported, and the position in the feed.
    """
    position = f"{restorable_since.isoformat()} {position_now().as_text()}"
    before, _, in_feed = (memory.position or "").partition(" ")
    if not in_feed or datetime.fromisoformat(before) > restorable_since:  # the clock was set back
        return Known(memory, position)
    changes = changes_since(Position.from_text(in_feed), school_system_id=run.school_system_id)
    if changes.are_unknown:
        return Known(memory, position)
    too_old = memory.deleted_until(restorable_since.astimezone(UTC).date())
    touched = sorted(changes.account_ids.union(too_old))
    live = _count_live(run.school_system_id)
    if live < len(touched) * MOST_TOUCHED:
        return Known(memory, position)
    return Known(memory, position, touched, live)


def _count_live(school_system_id: int) -> int:
    """Return the number of accounts that are not deleted."""
    live = Account.objects.filter(deleted_at=None)
    if connection.vendor == "sqlite":
        # SQLite counts a whole table page by page in its smallest index, not row by row. The accounts to subtract are
        # few.
        others = live.filter(org__in=Org.objects.exclude(school_system=school_system_id)).order_by()
        few = others[: FEW_OTHERS + 1].count()
        if few <= FEW_OTHERS:
            return Account.objects.count() - Account.objects.filter(deleted_at__isnull=False).count() - few
    # By their orgs, because SQLite then counts in an index. By the school system, it would read every account.
    return live.filter(org__school_system=school_system_id).count()
