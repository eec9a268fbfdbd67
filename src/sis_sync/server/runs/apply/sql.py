"""Runs the named statements of the .sql files in this folder. Each kind of database also has its own file."""

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.db import connection

from sis_sync.core.stopping import stop_point
from sis_sync.engine.sql import sql_text

MARK = "-- statement: "
KIB_PER_MB = 1024


@functools.cache
def statements(name: str) -> dict[str, str]:
    """Return the statements of NAME.sql by their names, in the order of the file."""
    _, *parts = sql_text(__package__, name).split(f"\n{MARK}")
    named = (part.partition("\n") for part in parts)
    return {each.strip(): sql.strip() for each, _, sql in named}


def own_statements() -> dict[str, str]:
    """Return the statements of the database in use, and those of either.sql."""
    return {**statements("either"), **statements(connection.vendor)}


@contextmanager
def changes_kept_in_memory() -> Iterator[None]:
    """Let SQLite keep the changes of a transaction in memory until its commit, within half of the memory limit.

    If its cache is full, it writes to the database file before the commit, and from then on no one can read.
    """
    if connection.vendor != "sqlite":
        yield
        return
    before = count("SELECT cache_size FROM pragma_cache_size", {})
    execute(f"PRAGMA cache_size = -{settings.SIS_SYNC_MEMORY_MB * KIB_PER_MB // 2}")
    try:
        yield
    finally:
        if connection.connection is not None:
            with connection.cursor() as cursor:  # not `execute`, which would stop here if the run was cancelled
                cursor.execute(f"PRAGMA cache_size = {before}")
                cursor.execute("PRAGMA shrink_memory")


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
