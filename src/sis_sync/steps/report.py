"""Report: what became of every line, as CSV (the sync rules' section 6). The engine writes."""

import shutil
from pathlib import Path

from sis_sync.core.fields import FIELD_NAMES
from sis_sync.engine.session import Session
from sis_sync.engine.sql import literal, quoted
from sis_sync.formats.header import MESSAGE_HEADER, secret_positions
from sis_sync.steps.plan import Plan

PLAN_COLUMNS = ("line", "action", "custom_id", "fields", "codes", "message")
_FORMULA = r"^[=+\-@\t\r]"


def write_plan(session: Session, path: Path) -> None:
    """The plan as CSV, raw: every record of the file in its order, then the absent accounts by custom ID."""
    columns = ", ".join(["x.line", *(f"nullif(x.{name}, '') AS {name}" for name in PLAN_COLUMNS if name != "line")])
    _copy(session, f"SELECT {columns} FROM plan AS x", path)


def write_results(session: Session, plan: Plan, path: Path) -> None:
    """The plan and the ten fields as mapped; cells that a spreadsheet would run are neutralised."""
    planned = ", ".join(f"{_safe('x.' + name)} AS {name}" for name in PLAN_COLUMNS if name != "line")
    mapped = ", ".join(f"{_safe(_mapped(name))} AS {_column_name(name)}" for name in FIELD_NAMES)
    _copy(session, f"SELECT x.line, {planned}, {mapped} FROM plan AS x LEFT JOIN roster AS r ON r.line = x.line", path)


def write_failed_rows(session: Session, plan: Plan, path: Path) -> None:
    """The failed rows in the file's own format and a message column, ready to correct and send again.

    Columns that hold secrets are left out. A record that could not be split shows the cells that were found, and none
    where the file holds secrets: its cells may stand under the wrong header. The message names the line.
    """
    columns = plan.judged.roster.records.columns
    secrets = secret_positions(columns)
    left_out = secrets | {columns.message_position}
    kept = [(position, name) for position, name in enumerate(columns.header) if position not in left_out]
    names = _unique([name for _, name in kept])
    cells = [
        f"{_safe(f'c.c{position}' if secrets else _found_cell(position))} AS {quoted(name)}"
        for (position, _), name in zip(kept, names, strict=True)
    ]
    _copy(
        session,
        f"SELECT {', '.join(cells)}, {_safe('x.message')} AS {MESSAGE_HEADER} "
        "FROM plan AS x LEFT JOIN cells AS c ON c.line = x.line LEFT JOIN broken AS b ON b.line = x.line "
        "WHERE x.action = 'failed'",
        path,
    )


def _found_cell(position: int) -> str:
    return f"coalesce(c.c{position}, CASE WHEN b.width > {position} THEN b.cells[{position + 1}] END)"


def _mapped(name: str) -> str:
    """An absent account has no row; its custom ID stands in both columns of that name."""
    return "x.custom_id" if name == "custom_id" else f"r.{name}"


def _column_name(name: str) -> str:
    """A CSV file should not have two columns of one name."""
    return "custom_id_as_mapped" if name == "custom_id" else name


def _copy(session: Session, query: str, path: Path) -> None:
    """Written under a name of our own first: the file appears whole or not at all, whatever its name is."""
    written = session.folder / "report.csv"
    session.run(
        f"COPY ({query} ORDER BY x.line NULLS LAST, x.custom_id) TO {literal(written)} "
        "(FORMAT csv, HEADER, COMPRESSION none)"
    )
    shutil.move(written, path)


def _safe(column: str) -> str:
    return f"CASE WHEN has_match({column}, {literal(_FORMULA)}) THEN '''' || {column} ELSE nullif({column}, '') END"


def _unique(names: list[str]) -> list[str]:
    """Names as they are, but for repeated or empty ones, which SQL cannot hold twice."""
    seen: set[str] = set()
    unique = []
    for position, name in enumerate(names, start=1):
        free = name if name and name.lower() not in seen else f"{name} {position}".strip()
        seen.add(free.lower())
        unique.append(free)
    return unique
