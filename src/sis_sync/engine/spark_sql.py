r"""From the SQL text of the steps to what Spark runs: literals, lists in order, and statements that change tables.

Spark has no temporary tables. A table is a query under a name: what is added or taken away makes a new query of it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_PIECE = re.compile(r"--[^\n]*|'(?:[^']|'')*'|;|[^-';]+|-")
_ORDERED_LIST = re.compile(r"('(?:[^']|'')*') ORDER BY ([\w.]+)\)")
_LITERAL = re.compile(r"'(?:[^']|'')*'")
_CREATE = re.compile(r"CREATE (?:OR REPLACE )?TEMP TABLE (\w+) AS\s+(.*)", re.DOTALL)
_INSERT = re.compile(r"INSERT INTO (\w+)\s+(SELECT\b.*)", re.DOTALL)
_DELETE = re.compile(r"DELETE FROM (\w+) WHERE (.*)", re.DOTALL)


@dataclass(frozen=True)
class TableQuery:
    """A table's name, and the query that it stands for from now on."""

    name: str
    query: str


def tables_made(sql: str) -> Iterator[TableQuery]:
    """What each statement makes of which table, in order. ValueError for a statement of another kind."""
    yield from map(_table_made, statements(sql))


def _table_made(statement: str) -> TableQuery:
    if found := _CREATE.fullmatch(statement):
        return TableQuery(found[1], query(found[2]))
    if found := _INSERT.fullmatch(statement):
        return TableQuery(found[1], f"SELECT * FROM {found[1]} UNION ALL ({query(found[2])})")
    if found := _DELETE.fullmatch(statement):
        return TableQuery(found[1], f"SELECT * FROM {found[1]} WHERE NOT coalesce({query(found[2])}, FALSE)")
    raise ValueError(f"No statement that every engine runs: {statement[:60]}")


def statements(sql: str) -> list[str]:
    """The statements of a text, without comments."""
    found = [""]
    for piece in _PIECE.findall(sql):
        if piece == ";":
            found.append("")
        elif not piece.startswith("--"):
            found[-1] += piece
    return [statement.strip() for statement in found if statement.strip()]


def query(text: str) -> str:
    """A query for Spark: a backslash in a literal is doubled, and lists are put in order in its way of saying so."""
    ordered = _ORDERED_LIST.sub(r"\1) WITHIN GROUP (ORDER BY \2)", text)
    return _LITERAL.sub(lambda found: found[0].replace("\\", "\\\\"), ordered)
