"""Report: write the outcome of every line as CSV (section 6 of the sync rules). DuckDB writes the files."""

import re
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from sis_sync.core.fields import FIELD_NAMES, NAME_FIELDS
from sis_sync.core.formula_cells import FORMULA_START
from sis_sync.core.reading_options import delimiter_called
from sis_sync.engine.duckdb import Session
from sis_sync.engine.sql import literal, quoted
from sis_sync.steps.map.columns import MESSAGE_HEADER
from sis_sync.steps.map.secret_columns import kept_positions, secret_positions
from sis_sync.steps.plan.plan import GIVEN, unchanged_rows
from sis_sync.steps.read.read import Records

PLAN_COLUMNS = ("line", "action", "custom_id", "fields", "codes", "message")
# The plan's columns already include the custom ID, and a CSV file should not have the same header twice.
_MAPPED_HEADERS = {name: "custom_id_as_mapped" if name == "custom_id" else name for name in FIELD_NAMES}
_OLD_FIELDS = tuple(name for name in FIELD_NAMES if name != "custom_id")  # no file changes a custom ID
RESULTS_COLUMNS = (*PLAN_COLUMNS, *_MAPPED_HEADERS.values(), *(f"old_{name}" for name in _OLD_FIELDS))
# The actions of rows that changed nothing, or of which a key without the scope read learns no more.
QUIET_ACTIONS = ("unchanged", "taken")
# This includes apostrophes before the sign: otherwise reading would remove an apostrophe that the SIS wrote.
_FORMULA = rf"^'*{FORMULA_START}"


def write_plan(session: Session, path: Path) -> None:
    """Write the plan as raw CSV: every record in the order of the file, then the absent accounts by custom ID."""
    columns = ", ".join(["x.line", *(f"nullif(x.{name}, '') AS {name}" for name in PLAN_COLUMNS if name != "line")])
    pairs = "SELECT line, 'unchanged' AS action, custom_id, '' AS fields, '' AS codes, '' AS message FROM pairs"
    _copy(session, f"SELECT {columns} FROM (SELECT * FROM plan UNION ALL {pairs}) AS x", path)


def write_results(
    session: Session, path: Path, *, plan: Path, unchanged: Path | None = None, has_values: bool = False
) -> None:
    """Write a stored plan with the ten mapped fields and the old values (RESULTS_COLUMNS). Neutralise formulas.

    `plan` and `unchanged` are the files of `save_plan`. Without `unchanged`, the rows that change nothing are left out.
    Unless `unchanged` has the values of its rows, the session has the view `settled` of the file that was planned.
    """
    _copy(session, results_query(_neutralised, plan, unchanged, has_values=has_values), path)


def results_query(shown: Callable[[str], str], plan: Path, unchanged: Path | None, *, has_values: bool = False) -> str:
    """Return the query of the results. `shown` makes the SQL of a cell from that of its value.

    Absent accounts have no row in the file, so their fields are those of the account. The old values are those of the
    fields that change.
    """
    cells = {name: f"x.{name}" for name in PLAN_COLUMNS if name != "line"}
    for name in FIELD_NAMES:
        given = f"coalesce(x.given_{name}, x.{name})" if name in GIVEN else f"x.{name}"
        cells[_MAPPED_HEADERS[name]] = f"CASE WHEN x.line IS NULL THEN x.old_{name} ELSE {given} END"
    cells["custom_id_as_mapped"] = "x.custom_id"
    for name in _OLD_FIELDS:
        cells[f"old_{name}"] = f"CASE WHEN instr(x.fields, '{name}') > 0 THEN x.old_{name} END"
    columns = ", ".join(f"{shown(column)} AS {name}" for name, column in cells.items())
    # An unchanged row with a mark is in the plan: the results do not show which rows have one.
    left_out = "" if unchanged else " WHERE x.action <> 'unchanged'"
    rows = f"{_stored(plan)} UNION ALL BY NAME {_unchanged_rows(unchanged, has_values)}" if unchanged else _stored(plan)
    return f"SELECT x.line, {columns} FROM ({rows}) AS x{left_out}"


def _stored(plan: Path) -> str:
    """Return the query of a stored plan. Plans of earlier versions have no given values."""
    given = ", ".join(f"NULL::VARCHAR AS given_{name}" for name in GIVEN)
    return f"SELECT * FROM read_parquet({literal(plan)}) UNION ALL BY NAME SELECT {given} WHERE FALSE"


def _unchanged_rows(unchanged: Path, has_values: bool) -> str:
    if has_values:
        return unchanged_rows(unchanged)
    # An account may keep its own names. Those are stored with the plan.
    cells = {name: f"coalesce(u.{name}, s.{name})" if name in NAME_FIELDS else f"s.{name}" for name in FIELD_NAMES}
    columns = [f"u.{name}" for name in PLAN_COLUMNS]
    columns += [f"{cell} AS {name}" for name, cell in cells.items() if name != "custom_id"]
    rows = unchanged_rows(unchanged)
    return f"SELECT {', '.join(columns)} FROM ({rows}) AS u LEFT JOIN settled AS s ON s.line = u.line"


def write_told(session: Session, path: Path) -> None:
    """Store the table `told`, without the rows that are told in the same way as all others."""
    query = "SELECT * FROM told WHERE NOT action IN :quiet OR codes <> ''"
    session.run(f"COPY ({query}) TO :path (FORMAT parquet)", path=str(path), quiet=QUIET_ACTIONS)


def write_told_results(
    session: Session, path: Path, *, told: Path, plan: Sequence[Path], others: str, with_others: bool = True
) -> None:
    """Write what a sender without the scope read may see of a stored plan; neutralise formulas in cells.

    `told` is the file of `write_told`, `plan` the two files of `save_plan`. All other rows of the file have the action
    `others`. If that is "taken", only their line is shown: someone who has only the key must not get the people of an
    earlier file. Without `with_others`, all rows with one of QUIET_ACTIONS are left out.
    """
    cells = ", ".join(f"{_neutralised(f't.{name}')} AS {name}" for name in ("codes", "message"))
    custom_id = "coalesce(t.custom_id, x.custom_id)" if others == "unchanged" else "t.custom_id"
    action = f"coalesce(t.action, {literal(others)})"
    left_out = "" if with_others else f" AND NOT {action} IN {literal(QUIET_ACTIONS)}"
    files = ", ".join(map(literal, plan))
    _copy(
        session,
        f"SELECT x.line, {action} AS action, {_neutralised(custom_id)} AS custom_id, NULL AS fields, {cells} "
        f"FROM read_parquet([{files}], union_by_name = true) AS x "
        f"LEFT JOIN read_parquet({literal(told)}) AS t ON t.line = x.line WHERE x.line IS NOT NULL{left_out}",
        path,
    )


def write_failed_rows(
    session: Session, records: Records, path: Path, *, of: str = "plan", all_columns: bool = False
) -> None:
    """Write the failed rows with a message column, then the file's own columns, ready to correct and send again.

    The rows are those of the plan, or of the table `told`. The columns are those that feed a field or that the mapping
    names, or `all_columns`, but never secrets. A record that could not be split shows the cells that were found; those
    beyond the last column are in the message. It shows no cells if the file has secrets, because they could be under
    the wrong header; the message names the line.
    """
    columns = records.columns
    secrets = secret_positions(columns)
    places = set(range(len(columns.header))) - secrets if all_columns else kept_positions(columns, records.mapping)
    kept = [(place, columns.header[place]) for place in sorted(places) if place != columns.message_position]
    names = _unique([name if position in columns.used else _without_formula(name) for position, name in kept])
    found = [f"{f'c.c{position}' if secrets else _found_cell(position)} AS cell_{position}" for position, _ in kept]
    message = "x.message" if secrets else f"x.message || {_cells_beyond(len(columns.header))} AS message"
    # The message comes first: after a cell with a line break, its commas would look like a row inside that cell.
    headers = [MESSAGE_HEADER, *map(quoted, names)]
    values = ["message", *(f"cell_{position}" for position, _ in kept)]
    shown = [f"{_neutralised(value)} AS {header}" for value, header in zip(values, headers, strict=True)]
    rows = (
        f"SELECT x.line, x.custom_id, {', '.join([message, *found])} FROM {of} AS x "
        "LEFT JOIN cells AS c ON c.line = x.line LEFT JOIN broken AS b ON b.line = x.line WHERE x.action = 'failed'"
    )
    if not session.value(f"SELECT count(*) FROM {of} WHERE action = 'failed'"):
        # Only the header. Preparing the query takes longer than writing all other files of a small plan.
        shown = [f"NULL AS {header}" for header in headers]
        rows = "SELECT 0 AS line, '' AS custom_id WHERE FALSE"
    _copy(
        session,
        f"SELECT {', '.join(shown)} FROM ({rows}) AS x",
        path,
        delimiter=delimiter_called(records.facts.delimiter),
    )


def _found_cell(position: int) -> str:
    return f"coalesce(c.c{position}, CASE WHEN b.width > {position} THEN b.cells[{position + 1}] END)"


def _cells_beyond(columns: int) -> str:
    """Return SQL for the cells after the last column of a record that has too many, so that a person can move them."""
    cells = f"array_to_string(b.cells[{columns + 1}:b.width], ' | ')"
    return f"CASE WHEN b.width > {columns} THEN ' Beyond the last column: ' || escaped({cells}) ELSE '' END"


def _without_formula(header: str) -> str:
    """Return a header that no step reads, with an apostrophe if a spreadsheet would run it."""
    return f"'{header}" if re.match(_FORMULA, header) else header


def _unique(names: list[str]) -> list[str]:
    """Number the empty and repeated names, because SQL needs unique names."""
    seen: set[str] = set()
    unique = []
    for position, name in enumerate(names, start=1):
        free = name if name and name.lower() not in seen else f"{name} {position}".strip()
        seen.add(free.lower())
        unique.append(free)
    return unique


def _neutralised(column: str) -> str:
    """Return SQL that puts an apostrophe before a formula and NULL for an empty string.

    Every start of a formula sorts before A or is not ASCII. The comparisons come first because they are cheaper than a
    pattern match.
    """
    may_be = f"({column} < 'A' OR {column} >= '\x80') AND {column} <> ''"
    is_formula = f"{may_be} AND has_match({column}, {literal(_FORMULA)})"
    return f"CASE WHEN {is_formula} THEN '''' || {column} ELSE nullif({column}, '') END"


def _copy(session: Session, query: str, path: Path, *, delimiter: str = ",") -> None:
    """Write the query as CSV. The file appears only when it is complete: it is moved to `path` after it is written."""
    written = session.folder / "report.csv"
    session.run(
        f"COPY ({query} ORDER BY x.line NULLS LAST, x.custom_id) TO {literal(written)} "
        f"(FORMAT csv, HEADER, COMPRESSION none, DELIMITER {literal(delimiter)})"
    )
    shutil.move(written, path)
