"""Report: what became of every line, as CSV (the sync rules' section 6). The engine writes."""

import re
import shutil
from pathlib import Path

from sis_sync.core.fields import FIELD_NAMES
from sis_sync.engine.duckdb import Session
from sis_sync.engine.sql import literal, quoted
from sis_sync.steps.map.columns import MESSAGE_HEADER, secret_positions
from sis_sync.steps.plan.plan import Plan
from sis_sync.steps.read.header import DELIMITERS

PLAN_COLUMNS = ("line", "action", "custom_id", "fields", "codes", "message")
# Apostrophes before it count: where one was taken for ours, reading would take off one that the SIS wrote.
_FORMULA = r"^'*[=+\-@\t\r]"
# `people` holds these as they are stored, and as the mapping gave them.
_AS_GIVEN = ("user_type", "position", "grade", "status")


def write_plan(session: Session, path: Path) -> None:
    """The plan as CSV, raw: every record of the file in its order, then the absent accounts by custom ID."""
    columns = ", ".join(["x.line", *(f"nullif(x.{name}, '') AS {name}" for name in PLAN_COLUMNS if name != "line")])
    _copy(session, f"SELECT {columns} FROM plan AS x", path)


def write_results(session: Session, path: Path) -> None:
    """The plan and the ten fields as mapped; cells that a spreadsheet would run are neutralised."""
    planned = ", ".join(f"{_safe('x.' + name)} AS {name}" for name in PLAN_COLUMNS if name != "line")
    mapped = ", ".join(f"{_safe(_mapped(name))} AS {_column_name(name)}" for name in FIELD_NAMES)
    _copy(session, f"SELECT x.line, {planned}, {mapped} FROM plan AS x LEFT JOIN people AS p ON p.line = x.line", path)


def write_failed_rows(session: Session, plan: Plan, path: Path) -> None:
    """The failed rows in the file's own columns and delimiter behind a message column, ready to correct and send again.

    Columns that hold secrets are left out. A record that could not be split shows the cells that were found, those
    beyond the last column in the message, and none where the file holds secrets: its cells may stand under the wrong
    header. The message names the line.
    """
    columns = plan.judged.roster.records.columns
    secrets = secret_positions(columns)
    left_out = secrets | {columns.message_position}
    kept = [(position, name) for position, name in enumerate(columns.header) if position not in left_out]
    names = _unique([name if position in columns.used else _harmless(name) for position, name in kept])
    found = [f"{f'c.c{position}' if secrets else _found_cell(position)} AS cell_{position}" for position, _ in kept]
    message = "x.message" if secrets else f"x.message || {_cells_beyond(len(columns.header))} AS message"
    # The message comes first: behind a cell with a line break its commas would look like a row that a quote swallowed.
    shown = [f"{_safe('message')} AS {MESSAGE_HEADER}"]
    shown += [f"{_safe(f'cell_{position}')} AS {quoted(name)}" for (position, _), name in zip(kept, names, strict=True)]
    _copy(
        session,
        f"SELECT {', '.join(shown)} FROM (SELECT x.line, x.custom_id, {', '.join([message, *found])} "
        "FROM plan AS x LEFT JOIN cells AS c ON c.line = x.line LEFT JOIN broken AS b ON b.line = x.line "
        "WHERE x.action = 'failed') AS x",
        path,
        delimiter=_delimiter_of(plan),
    )


def _delimiter_of(plan: Plan) -> str:
    name = plan.judged.roster.records.facts.delimiter
    return next(character for character, word in DELIMITERS.items() if word == name)


def _found_cell(position: int) -> str:
    return f"coalesce(c.c{position}, CASE WHEN b.width > {position} THEN b.cells[{position + 1}] END)"


def _cells_beyond(columns: int) -> str:
    """What stands behind the last column of a record that has too many, so that a person can put it in its place."""
    cells = f"array_to_string(b.cells[{columns + 1}:b.width], ' | ')"
    return f"CASE WHEN b.width > {columns} THEN ' Beyond the last column: ' || escaped({cells}) ELSE '' END"


def _harmless(header: str) -> str:
    """A header that nothing reads, such that no spreadsheet runs it."""
    return f"'{header}" if re.match(_FORMULA, header) else header


def _mapped(name: str) -> str:
    """An absent account has no row; its custom ID stands in both columns of that name."""
    if name == "custom_id":
        return "x.custom_id"
    return f"p.given_{name}" if name in _AS_GIVEN else f"p.{name}"


def _column_name(name: str) -> str:
    """A CSV file should not have two columns of one name."""
    return "custom_id_as_mapped" if name == "custom_id" else name


def _copy(session: Session, query: str, path: Path, *, delimiter: str = ",") -> None:
    """Written under a name of our own first: the file appears whole or not at all, whatever its name is."""
    written = session.folder / "report.csv"
    session.run(
        f"COPY ({query} ORDER BY x.line NULLS LAST, x.custom_id) TO {literal(written)} "
        f"(FORMAT csv, HEADER, COMPRESSION none, DELIMITER {literal(delimiter)})"
    )
    shutil.move(written, path)


def _safe(column: str) -> str:
    """Every sign of a formula is below A, and comparing is cheaper than matching: most cells need no more."""
    is_formula = f"{column} < 'A' AND {column} <> '' AND has_match({column}, {literal(_FORMULA)})"
    return f"CASE WHEN {is_formula} THEN '''' || {column} ELSE nullif({column}, '') END"


def _unique(names: list[str]) -> list[str]:
    """Names as they are, but for repeated or empty ones, which SQL cannot hold twice."""
    seen: set[str] = set()
    unique = []
    for position, name in enumerate(names, start=1):
        free = name if name and name.lower() not in seen else f"{name} {position}".strip()
        seen.add(free.lower())
        unique.append(free)
    return unique
