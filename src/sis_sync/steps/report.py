"""Report: what became of every line, as CSV (the sync rules' section 6). The engine writes; nothing loops over rows here."""

from pathlib import Path

from sis_sync.core.fields import FIELD_NAMES, SECRET_HEADER_WORDS
from sis_sync.engine.session import Session
from sis_sync.engine.sql import bind, quoted
from sis_sync.formats.header import MESSAGE_HEADER
from sis_sync.steps.plan import Plan

PLAN_COLUMNS = ("line", "action", "custom_id", "fields", "codes", "message")
_FORMULA = r"^[=+\-@\t\r]"


def write_plan(session: Session, path: Path) -> None:
    """The plan as CSV, raw: every record of the file in its order, then the absent accounts by custom ID."""
    columns = ", ".join(PLAN_COLUMNS)
    session.run(f"COPY (SELECT {columns} FROM plan ORDER BY line NULLS LAST, custom_id) TO :path (HEADER)", path=str(path))  # noqa: S608


def write_results(session: Session, plan: Plan, path: Path) -> None:
    """The plan and the ten fields as mapped; cells that a spreadsheet would run are neutralised."""
    del plan
    planned = ", ".join(f"{_safe('x.' + name)} AS {name}" for name in PLAN_COLUMNS if name not in ("line", "custom_id"))
    fields = ", ".join(f"coalesce({_safe('r.' + name)}, '') AS {name}" for name in FIELD_NAMES if name != "custom_id")
    order = ", ".join(["line", *(name for name in PLAN_COLUMNS if name != "line")])
    rest = ", ".join(f"{name}" if name != "custom_id" else "custom_id AS custom_id_as_mapped" for name in FIELD_NAMES)
    session.run(
        f"COPY (SELECT {order}, {rest} FROM (SELECT x.line, {_safe('x.custom_id')} AS custom_id, {planned}, {fields} "  # noqa: S608
        "FROM plan AS x LEFT JOIN roster AS r ON r.line = x.line) ORDER BY line NULLS LAST, custom_id) TO :path (HEADER)",
        path=str(path),
    )


def write_failed_rows(session: Session, plan: Plan, path: Path) -> None:
    """The failed rows in the file's own format and a message column, ready to correct and send again.

    Columns whose header names a secret are left out. Records that could not be split have only their message.
    """
    header = plan.judged.roster.records.columns.header
    kept = [(position, name) for position, name in enumerate(header) if not _is_secret(name) and name != MESSAGE_HEADER]
    names = _unique([name for _, name in kept])
    cells = ", ".join(f"coalesce({_safe(f'c.c{position}')}, '') AS {quoted(name)}" for (position, _), name in zip(kept, names, strict=True))
    session.run(
        f"COPY (SELECT {cells}, {_safe('x.message')} AS {MESSAGE_HEADER} FROM plan AS x LEFT JOIN cells AS c ON c.line = x.line "  # noqa: S608
        "WHERE x.action = 'failed' ORDER BY x.line) TO :path (HEADER)",
        path=str(path),
    )


def _safe(column: str) -> str:
    return bind(f"CASE WHEN has_match({column}, :formula) THEN '''' || {column} ELSE {column} END", formula=_FORMULA)


def _is_secret(header: str) -> bool:
    return any(word in header.lower() for word in SECRET_HEADER_WORDS)


def _unique(names: list[str]) -> list[str]:
    """Names as they are, but for repeated or empty ones, which SQL cannot hold twice."""
    seen: set[str] = set()
    unique = []
    for position, name in enumerate(names, start=1):
        free = name if name and name.lower() not in seen else f"{name} {position}".strip()
        seen.add(free.lower())
        unique.append(free)
    return unique
