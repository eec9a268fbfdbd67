"""The change feed: which accounts were changed since a position, by whatever path. Planning is its first consumer.

Triggers write an entry for each changed account, in the transaction of whoever changes it (feed_triggers.py). A
consumer stores the position of the snapshot in which it read the accounts. Later it asks what came after that. It may
hear of a change twice, but never not at all. If the feed cannot name the accounts, a consumer reads them all again.
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

from sis_sync.server.accounts.feed_triggers import FEED, OWN_TRANSACTION, are_triggers_there
from sis_sync.server.accounts.models import Account, FeedEntry

logger = logging.getLogger(__name__)

# One day more than promised: an entry has the time at which it was written, and is seen when its transaction ends.
KEPT_FOR = timedelta(days=31)
FEW_CHANGES = 1_000  # accounts that are named one by one in any case

NO_TRIGGERS = "triggers that write the change feed are missing, changed or switched off"
OTHER_DATABASE = "the database is another one, was restored, or was started again"
TOO_OLD = "the position is older than 30 days, or the database was restored"
ALL_AT_ONCE = "all accounts were changed at once"

# Every entry that a snapshot does not contain has a number from here on. SQLite gives out IDs in the order of commits.
# PostgreSQL does not. There the transactions are compared: none that is still open is below this one.
HORIZON = {
    "sqlite": "coalesce(max(id), 0) + 1",
    "postgresql": "CAST(CAST(pg_snapshot_xmin(pg_current_snapshot()) AS text) AS bigint)",
}
# A dump that was restored brings entries with numbers of another server, which this one has not given out yet.
SINCE = {
    "sqlite": "e.id >= %(horizon)s",
    "postgresql": """e.transaction_id >= %(horizon)s AND (
      e.transaction_id < CAST(CAST(pg_snapshot_xmax(pg_current_snapshot()) AS text) AS bigint)
      OR e.transaction_id = CAST(CAST(pg_current_xact_id_if_assigned() AS text) AS bigint))""",
}
# A position is good for one run of one PostgreSQL server: after a crash, or on a standby, the last commits may be lost.
# Nor is it good for tables that were emptied or restored: they have other files then. On SQLite the entries alone tell.
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
    """A place in the feed. What was read in the same snapshot contains all entries with a number below `horizon`.

    The position holds as long as the database has the entry that was the newest, with the same time. If not, this is
    another database, it was restored from a backup, or the entry was removed because of its age.
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
    """The accounts that were changed, added or removed. With a `reason`, all may have been, and no IDs are given."""

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
    """Return which accounts of the school system were changed since the position, as far as this snapshot shows it."""
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
    """Return the context for changing so many accounts. If that is as many as there are, one entry stands for all."""
    if number <= FEW_CHANGES or number < Account.objects.filter(school_system=school_system_id).count():
        return nullcontext()
    return one_entry_for_all(school_system_id=school_system_id)


@contextmanager
def one_entry_for_all(*, school_system_id: int) -> Iterator[None]:
    """Write one entry that stands for all accounts of the school system, and none for those that the block changes.

    The entry is open during the block, and only its own transaction can see that. If the block raises, neither the
    entry nor what the block changed is kept. An entry that someone commits open means "all" as long as it is there.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(OPEN.format(transaction=OWN_TRANSACTION[connection.vendor]), [school_system_id])
        (entry_id,) = cursor.fetchone()
        yield
        FeedEntry.objects.filter(pk=entry_id).update(is_open=False)


def entries_over(*, now: datetime) -> QuerySet[FeedEntry]:
    """Return the entries to remove because of their age. The newest of the old ones stays: positions name it."""
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
