"""A consumer of the change feed that keeps a copy of the export of a school system, and people who edit beside it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from django.db import connection, transaction

from sis_sync.engine.sql import sql_text
from sis_sync.server.accounts.feed import changes_since, position_now
from sis_sync.server.orgs.models import Org

LAST_ID = 2**63 - 1
RESTORABLE_SINCE = datetime(2026, 3, 1, tzinfo=UTC)

Rows = dict[int, tuple[Any, ...]]


class Reader:
    """Copies the export once. Then it reads only the accounts that the feed names, and all if the feed cannot."""

    def __init__(self, org: Org) -> None:
        self.parameters = {
            "school_system": org.school_system_id,
            "scope": org.pk,
            "whole": 1,
            "restorable_since": connection.ops.adapt_datetimefield_value(RESTORABLE_SINCE),
        }
        self.system_id = org.school_system_id
        with one_snapshot():
            self.rows, self.position = self.exported(), position_now()

    def catch_up(self) -> None:
        """Bring the copy up to date, and fail if it is not what the export would be."""
        with one_snapshot():
            changes = changes_since(self.position, school_system_id=self.system_id)
            if changes.are_unknown:
                self.rows = self.exported()
            else:
                for account_id in changes.account_ids:
                    self.rows.pop(account_id, None)
                    self.rows |= self.exported(account_id - 1, account_id)
            self.position = type(self.position).from_text(position_now().as_text())
            assert self.rows == self.exported()

    def exported(self, after: int = -1, until: int = LAST_ID) -> Rows:
        """Return the exported row of each account with such an ID."""
        sql = sql_text("sis_sync.server.runs", "directory_accounts")
        with connection.cursor() as cursor:
            cursor.execute(sql, {**self.parameters, "after": after, "until": until})
            names = [column[0] for column in cursor.description]
            return {int(row[names.index("account_id")]): tuple(row) for row in cursor.fetchall()}


@contextmanager
def one_snapshot() -> Iterator[None]:
    """Let the queries of the block see one state of the database."""
    is_first = not connection.in_atomic_block
    with transaction.atomic(), connection.cursor() as cursor:
        if is_first and connection.vendor == "postgresql":
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield


def other_connection() -> psycopg.Connection[Any]:
    """Return another connection to the same PostgreSQL database. It begins a transaction with its first statement."""
    own = connection.settings_dict
    port = own["PORT"] or None
    return psycopg.connect(dbname=own["NAME"], user=own["USER"], host=own["HOST"], port=port, password=own["PASSWORD"])


def days_later(days: int) -> datetime:
    """Return a time so many days from now. Entries have the time of the database."""
    return datetime.now(UTC) + timedelta(days=days)
