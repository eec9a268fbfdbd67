"""The SQL text beside this module: named statements, common to both databases but for one file each."""

import functools
from importlib import resources
from typing import Any

from django.db import connection

MARK = "-- statement: "


@functools.cache
def statements(file_name: str) -> dict[str, str]:
    """The statements of a file by their names, in the order of the file."""
    _, *parts = sql_text(file_name).split(f"\n{MARK}")
    named = (part.partition("\n") for part in parts)
    return {name.strip(): sql.strip() for name, _, sql in named}


def sql_text(file_name: str) -> str:
    """The text of a file."""
    return resources.files("sis_sync.server.runs.apply").joinpath(file_name).read_text(encoding="utf-8")


def own_statements() -> dict[str, str]:
    """The statements of the database in use."""
    return statements(f"{connection.vendor}.sql")


def execute(sql: str, parameters: dict[str, Any] | None = None) -> int:
    """Run a statement that writes; how many rows it touched."""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return int(cursor.rowcount)


def count(sql: str, parameters: dict[str, Any]) -> int:
    """The one number that a statement answers."""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        row = cursor.fetchone()
    return int(row[0])
