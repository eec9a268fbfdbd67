"""Runs the named statements of the .sql files in this folder. Each kind of database also has its own file."""

import functools
from typing import Any

from django.db import connection

from sis_sync.core.stopping import stop_point
from sis_sync.engine.sql import sql_text

MARK = "-- statement: "


@functools.cache
def statements(name: str) -> dict[str, str]:
    """Return the statements of NAME.sql by their names, in the order of the file."""
    _, *parts = sql_text(__package__, name).split(f"\n{MARK}")
    named = (part.partition("\n") for part in parts)
    return {each.strip(): sql.strip() for each, _, sql in named}


def own_statements() -> dict[str, str]:
    """Return the statements of the database in use."""
    return statements(connection.vendor)


def execute(sql: str, parameters: dict[str, Any] | None = None) -> int:
    """Run a statement that writes, and return the number of affected rows."""
    stop_point()
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return int(cursor.rowcount)


def count(sql: str, parameters: dict[str, Any]) -> int:
    """Return the one number that a statement selects."""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        row = cursor.fetchone()
    return int(row[0])
