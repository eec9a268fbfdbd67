"""Translate the SQL text of the steps for Spark: literals, ordered lists, and statements that make or change tables.

Spark has no temporary tables. Here a table is a named query; INSERT and DELETE assign a new query to the name.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_PIECE = re.compile(r"--[^\n]*|'(?:[^']|'')*'|;|[^-';]+|-")
_LITERAL = re.compile(r"'(?:[^']|'')*'")
_ORDERED_LIST = re.compile(r"('(?:[^']|'')*') ORDER BY ([\w.]+)\)")
_CREATE_AS = re.compile(r"CREATE (?:OR REPLACE )?TEMP (TABLE|VIEW) (\w+) AS\s+(.*)", re.DOTALL)
_CREATE_EMPTY = re.compile(r"CREATE TEMP TABLE (\w+) \((.*)\)", re.DOTALL)
_INSERT = re.compile(r"INSERT INTO (\w+)\s+((?:SELECT|VALUES)\b.*)", re.DOTALL)
_DELETE = re.compile(r"DELETE FROM (\w+) WHERE (.*)", re.DOTALL)


@dataclass(frozen=True)
class NamedQuery:
    """A query and its name. `is_view`: the query runs again each time the name is read."""

    name: str
    query: str
    is_view: bool = False


def named_queries(sql: str) -> Iterator[NamedQuery]:
    """Yield the named query of each statement, in order. Raise ValueError for any other kind of statement."""
    yield from map(_named_query, statements(sql))


def _named_query(statement: str) -> NamedQuery:
    if found := _CREATE_AS.fullmatch(statement):
        return NamedQuery(found[2], query(found[3]), is_view=found[1] == "VIEW")
    if found := _CREATE_EMPTY.fullmatch(statement):
        columns = (column.split() for column in found[2].split(","))
        empty = ", ".join(f"CAST(NULL AS {kind.replace('VARCHAR', 'STRING')}) AS {name}" for name, kind in columns)
        return NamedQuery(found[1], f"SELECT {empty} WHERE FALSE")
    if found := _INSERT.fullmatch(statement):
        return NamedQuery(found[1], f"SELECT * FROM {found[1]} UNION ALL ({query(found[2])})")
    if found := _DELETE.fullmatch(statement):
        return NamedQuery(found[1], f"SELECT * FROM {found[1]} WHERE NOT coalesce({query(found[2])}, FALSE)")
    raise ValueError(f"Not a statement that every engine runs: {statement[:60]}")


def statements(sql: str) -> list[str]:
    """Return the statements of a text, without comments."""
    found = [""]
    for piece in _PIECE.findall(sql):
        if piece == ";":
            found.append("")
        elif not piece.startswith("--"):
            found[-1] += piece
    return [statement.strip() for statement in found if statement.strip()]


def query(text: str) -> str:
    """Return the query for Spark: backslashes in literals doubled, ordered lists written WITHIN GROUP."""
    ordered = _ORDERED_LIST.sub(r"\1) WITHIN GROUP (ORDER BY \2)", text)
    return _LITERAL.sub(lambda found: found[0].replace("\\", "\\\\"), ordered)
