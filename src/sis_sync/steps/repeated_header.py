"""A header that stands again among the records: two exports were joined (`file.header_repeated`)."""

import re
from collections.abc import Iterator

from sis_sync.core.errors import FileRefused
from sis_sync.engine.session import Session
from sis_sync.engine.sql import literal
from sis_sync.formats.header import Columns, comparable

# As `comparable` of formats/header.py, for the engine.
NOT_COMPARED = r"[\s_\-\x{A0}\x{FEFF}\x{200B}-\x{200D}\x{2060}]"


def refuse_repeated_header(session: Session, columns: Columns) -> None:
    """A record that holds all names of the header is a second header: two exports were joined."""
    names = {comparable(columns.header[position]) for position in columns.of_field.values()}
    if len(names) < 3:  # the mapping supplies nearly all: one ordinary cell may well be called as a header
        names = {comparable(name) for name in columns.header if name.strip()}
    for line, cells in _candidates(session, columns):
        if names <= {comparable(cell) for cell in cells if cell}:
            raise FileRefused(
                "file.header_repeated",
                f"The header stands again on line {line}: two exports were joined.",
                line=line,
                fix="Send each export as a file of its own, or export them as one.",
            )


def _candidates(session: Session, columns: Columns) -> Iterator[tuple[int, list[str | None]]]:
    """Records with a cell that is a name of the header, looked for where names are rarest: among IDs."""
    names = [comparable(name) for name in columns.header if name.strip()]
    position = columns.of_field.get("custom_id", next(iter(columns.of_field.values()), 0))
    bare = f"lower(replace_all(c{position}, {literal(NOT_COMPARED)}, ''))"
    has_letters = f"(lower(c{position}) <> upper(c{position}) OR strlen(c{position}) <> length(c{position}))"
    may_be = has_letters if all(re.search("[a-z]", name) for name in names) else "TRUE"
    rows = session.rows(f"SELECT * FROM cells WHERE {may_be} AND {bare} IN :names", names=names)
    yield from ((row[0], list(row[2:])) for row in rows)
    bare = f"lower(replace_all(cell, {literal(NOT_COMPARED)}, ''))"
    yield from session.rows(
        "SELECT line, cells FROM broken WHERE line IN (SELECT line FROM "
        f"(SELECT line, unnest(cells) AS cell FROM broken) WHERE {bare} IN :names)",
        names=names,
    )
