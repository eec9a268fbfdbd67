"""The change feed: which accounts were changed since a position, no matter how. Planning reads it.

Triggers write an entry for each changed account, in the transaction that changes it (feed_triggers.py). A consumer
stores the position of the snapshot in which it read the accounts, and later asks for the changes since then. The feed
may report a change twice, but never misses one. If it cannot name the accounts, the consumer reads all of them again.
"""

import json
import logging
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import astuple, dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import QuerySet

from sis_sync.server.accounts.apps import without_trigger
from sis_sync.server.accounts.feed_triggers import FEED, OWN_TRANSACTION, are_triggers_there, trigger_name
from sis_sync.server.accounts.models import Account, FeedEntry

logger = logging.getLogger(__name__)

# One day more than promised, because an entry has the time of its writing, but appears when its transaction ends.
KEPT_FOR = timedelta(days=31)
FEW_CHANGES = 1_000  # up to this number, each account has an entry of its own

NO_TRIGGERS = "triggers that write the change feed are missing, changed or switched off"
OTHER_DATABASE = "the database is another one, was restored, or was started again"
TOO_OLD = "the position is older than 30 days, or the database was restored"
ALL_AT_ONCE = "all accounts were changed at once"

# Every entry that a snapshot does not contain has this number or a greater one. On SQLite the number is the ID, because
# SQLite assigns IDs in the order of commits. PostgreSQL does not, so there it is the transaction: all that are still
# open have this number or a greater one.
HORIZON = {
    "sqlite": "coalesce(max(id), 0) + 1",
    "postgresql": "CAST(CAST(pg_snapshot_xmin(pg_current_snapshot()) AS text) AS bigint)",
}
# A restored dump has entries with transaction numbers of another server, which this server has not assigned yet.
SINCE = {
    "sqlite": "e.id >= %(horizon)s",
    "postgresql": """e.transaction_id >= %(horizon)s AND (
      e.transaction_id < CAST(CAST(pg_snapshot_xmax(pg_current_snapshot()) AS text) AS bigint)
      OR e.transaction_id = CAST(CAST(pg_current_xact_id_if_assigned() AS text) AS bigint))""",
}
# A position is valid until the PostgreSQL server restarts, because a crash or a change to a standby may lose the last
# commits. It is also invalid once a table was emptied or restored: the table then has another file. On SQLite the
# entries are enough to notice all of this.
PLACE = {
    "sqlite": "''",
    "postgresql": """concat_ws('/', (SELECT oid FROM pg_database WHERE datname = current_database()),
      extract(epoch FROM pg_postmaster_start_time()),
      pg_relation_filenode('accounts_account'), pg_relation_filenode('accounts_feedentry'))""",
}
TIME = {"sqlite": "e.written_at", "postgresql": "CAST(extract(epoch FROM e.written_at) AS text)"}
POSITION = f"""
SELECT {{place}}, {{horizon}}, coalesce(max(id), 0),
  coalesce((SELECT {{time}} FROM {FEED} e ORDER BY e.id DESC LIMIT 1), '')
FROM {FEED}
"""
IS_KNOWN = f"SELECT EXISTS (SELECT 1 FROM {FEED} e WHERE e.id = %(newest_id)s AND {{time}} = %(newest_at)s)"
CHANGED = f"""
SELECT DISTINCT e.account_id FROM {FEED} e
WHERE (e.school_system_id = %(school_system)s OR e.school_system_id IS NULL) AND ({{since}})
UNION SELECT NULL FROM {FEED} e WHERE e.is_open AND e.school_system_id = %(school_system)s
"""
OPEN = f"""
INSERT INTO {FEED} (school_system_id, is_open, transaction_id) VALUES (%s, TRUE, {{transaction}}) RETURNING id
"""


@dataclass(frozen=True)
class Position:
    """A place in the feed. Accounts read in the same snapshot include the changes of all entries below `horizon`.

    The position is valid while the database still has the entry that was the newest then, with the same time. If not,
    this is another database, it was restored from a backup, or the entry was removed because of its age.
    """

    place: str
    horizon: int
    newest_id: int
    newest_at: str

    def as_text(self) -> str:
        """Return the position in one line, to be stored."""
        return json.dumps(astuple(self))

    @classmethod
    def from_text(cls, text: str) -> "Position":
        """Return the position that `as_text` wrote."""
        return cls(*json.loads(text))


@dataclass(frozen=True)
class Changes:
    """The accounts that were changed, added or removed. With a `reason`, any may have changed, and there are no IDs."""

    account_ids: frozenset[int] = frozenset()
    reason: str = ""

    @property
    def are_unknown(self) -> bool:
        """True if the consumer must read all accounts again."""
        return bool(self.reason)


def position_now() -> Position:
    """Return the position of the present snapshot. Call it in the transaction that reads the accounts."""
    return Position(*_row(POSITION))


def changes_since(position: Position, *, school_system_id: int) -> Changes:
    """Return the accounts of the school system that were changed between the position and the present snapshot."""
    if not are_triggers_there():
        logger.warning(
            "%s: every plan reads all accounts until `sis-sync server migrate` has made them again", NO_TRIGGERS
        )
        return Changes(reason=NO_TRIGGERS)
    if position.place != _row("SELECT {place}")[0]:
        return Changes(reason=OTHER_DATABASE)
    if not _row(IS_KNOWN, newest_id=position.newest_id, newest_at=position.newest_at)[0]:
        return Changes(reason=TOO_OLD)
    with connection.cursor() as cursor:
        cursor.execute(_own(CHANGED), {"horizon": position.horizon, "school_system": school_system_id})
        changed = {account_id for (account_id,) in cursor.fetchall()}
    return Changes(reason=ALL_AT_ONCE) if None in changed else Changes(frozenset(changed))


def changing_accounts(*, school_system_id: int, number: int) -> AbstractContextManager[None]:
    """Return the context in which to change `number` accounts. If these are all accounts, one entry covers them."""
    accounts = Account.objects.filter(school_system=school_system_id).order_by()
    if number <= FEW_CHANGES or accounts[number : number + 1].exists():  # on most nights far quicker than to count all
        return nullcontext()
    return one_entry_for_all(school_system_id=school_system_id)


@contextmanager
def one_entry_for_all(*, school_system_id: int) -> Iterator[None]:
    """Write one entry that covers all accounts of the school system, and none for each account that the block changes.

    The entry is open during the block, and only its own transaction can see that. If the block raises, neither the
    entry nor the changes of the block are kept. An open entry that is committed covers all accounts while it exists.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(OPEN.format(transaction=OWN_TRANSACTION[connection.vendor]), [school_system_id])
        (entry_id,) = cursor.fetchone()
        yield
        FeedEntry.objects.filter(pk=entry_id).update(is_open=False)


@contextmanager
def covered_inserts(*, school_system_id: int) -> Iterator[None]:
    """Insert accounts of the school system in the block. If an open entry covers them, no trigger asks for each row.

    Asking takes SQLite a third of the time of the insert. PostgreSQL asks once per statement.
    """
    covering = FeedEntry.objects.filter(school_system_id=school_system_id, is_open=True)
    if connection.vendor == "sqlite" and covering.exists():
        with without_trigger(trigger_name("accounts_account", "insert")):
            yield
    else:
        yield


def entries_over(*, now: datetime) -> QuerySet[FeedEntry]:
    """Return the entries that are old enough to remove. Keep the newest of the old ones, because positions name it."""
    old = FeedEntry.objects.filter(written_at__lte=now - KEPT_FOR)
    newest = old.order_by("-pk").values_list("pk", flat=True).first()
    return old.exclude(pk=newest or 0)


def _own(sql: str) -> str:
    """Return the statement for the database in use."""
    vendor = connection.vendor
    return sql.format(place=PLACE[vendor], horizon=HORIZON[vendor], since=SINCE[vendor], time=TIME[vendor])


def _row(sql: str, **parameters: Any) -> tuple[Any, ...]:
    with connection.cursor() as cursor:
        cursor.execute(_own(sql), parameters)
        return tuple(cursor.fetchone())
