"""Every .sql file: it parses, and the head of a step's file names the tables that it reads and makes."""

import re
from pathlib import Path

import pytest
import sqlglot
from house.tracked import ROOT, tracked_files
from sqlglot import exp

from sis_sync.core.guards import GUARDS, Guard
from sis_sync.core.plan import ABSENT_ACTIONS, CHANGING_ACTIONS

FILES = tracked_files("src/*.sql")
OF_STEPS = [path for path in FILES if ROOT / "src" / "sis_sync" / "steps" in path.parents]
SHARED_BY_GUARDS = {"base", "slices", "recent"}
OF_GUARDS = [path for path in OF_STEPS if path.parent.name == "guard" and path.stem not in SHARED_BY_GUARDS]
WITH_TABLES = [path for path in OF_STEPS if path not in OF_GUARDS]
LINE_LENGTH = 120
DATABASES = {"postgres": "PostgreSQL", "sqlite": "SQLite"}
# A name or several at the start of a line, then a colon.
OUT = re.compile(r"^(?:Out: |     )((?:\w+, )*\w+): ", re.MULTILINE)


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT / "src" / "sis_sync"))


def head_of(path: Path) -> str:
    """Return the comment at the top of a file, without its marks."""
    lines = path.read_text(encoding="utf-8").splitlines()
    first = next(number for number, line in enumerate(lines) if not line.startswith("--"))
    return "\n".join(line.removeprefix("-- ") for line in lines[:first])


def inputs_of(path: Path) -> set[str]:
    """Return the tables that the head names after `-- In:`, up to a full stop."""
    found = re.match(r"In:  ([^.]*)\.\n", head_of(path))
    assert found, f"{name_of(path)} must begin with `-- In:  `, the tables that it reads, and a full stop"
    return set(re.split(r",\s+", found[1])) - {"nothing"}


def outputs_of(path: Path) -> set[str]:
    """Return the tables that the head names after `-- Out:`."""
    return {name for names in OUT.findall(head_of(path)) for name in names.split(", ")}


def dialects_of(path: Path) -> list[str]:
    """Return `duckdb` for the steps; the server's own files name their database in the head."""
    head = head_of(path)
    named = [dialect for dialect, word in DATABASES.items() if word in head]
    return ["duckdb"] if path in OF_STEPS or not named else named


def statements_of(path: Path, dialect: str) -> list[exp.Expression]:
    """Return the parsed statements. A line `-- statement: NAME` separates them as well as a semicolon."""
    text = path.read_text(encoding="utf-8")
    text = re.sub(r"JOIN :\w+", "JOIN (VALUES ('x'))", text)
    text = re.sub(r"FROM :(\w+_read)", r"FROM \1", text)
    text = re.sub(r"(IN|list_value) :\w+", r"\1 ('x')", text)
    text = re.sub(r"(?<![:\w]):[a-z_]+\b", "'x'", text)
    text = re.sub(r"%(\(\w+\))?s", "1", text)
    text = text.replace("%%", "%")
    text = text.replace("ON COMMIT DROP", "")  # not known to the parser
    parts = re.split(r"^-- statement: .*$", text, flags=re.MULTILINE)
    found = (sqlglot.parse(part, dialect=dialect) for part in parts)
    return [statement for each in found for statement in each if isinstance(statement, exp.Expression)]


def target_of(statement: exp.Expression) -> str | None:
    """Return the table or view that the statement makes or changes."""
    if not isinstance(statement, exp.Create | exp.Insert | exp.Delete):
        return None
    table = statement.this.this if isinstance(statement.this, exp.Schema) else statement.this
    assert isinstance(table, exp.Table)
    return table.name


def sources_of(statement: exp.Expression) -> set[str]:
    """Return the tables that the statement reads, without those of its own WITH."""
    own = {query.alias for query in statement.find_all(exp.CTE)}
    target = statement.this if target_of(statement) else None
    tables = [table for table in statement.find_all(exp.Table) if target is None or table not in (target, target.this)]
    return {table.name for table in tables if table.name} - own


def tables_of(path: Path) -> tuple[set[str], set[str], set[str]]:
    """Return the tables that a file reads from elsewhere, those that it makes, and those that it changes."""
    read: set[str] = set()
    made: set[str] = set()
    changed: set[str] = set()
    for statement in statements_of(path, "duckdb"):
        target = target_of(statement)
        read |= sources_of(statement) - made
        if target and isinstance(statement, exp.Create):
            made.add(target)
        elif target and target not in made:
            changed.add(target)
    return read, made, changed


def has_word(text: str, table: str) -> bool:
    return bool(re.search(rf"\b(?:FROM|JOIN|INTO|TABLE|VIEW)\s+{table}\b", text))


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_sql_parses(path: Path) -> None:
    for dialect in dialects_of(path):
        found = statements_of(path, dialect)
        assert found
        assert not any(isinstance(statement, exp.Command) for statement in found), "not understood by the parser"


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_sql_lines_fit(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    assert [number for number, line in enumerate(lines, 1) if len(line) > LINE_LENGTH] == []


@pytest.mark.parametrize("path", WITH_TABLES, ids=name_of)
def test_head_names_the_tables(path: Path) -> None:
    read, made, changed = tables_of(path)
    others = [other.read_text(encoding="utf-8") for other in FILES if other != path]
    others += [module.read_text(encoding="utf-8") for module in tracked_files("src/*.py")]
    shared = {table for table in made if any(has_word(text, table) for text in others)}
    assert inputs_of(path) == read
    assert shared | changed <= outputs_of(path), "a table that others read is missing under Out"
    assert outputs_of(path) <= made | changed, "Out names a table that is not made"


@pytest.mark.parametrize("path", WITH_TABLES, ids=name_of)
def test_inputs_are_made_elsewhere(path: Path) -> None:
    made = {table for other in WITH_TABLES for table in outputs_of(other)}
    python = "\n".join(module.read_text(encoding="utf-8") for module in tracked_files("src/*.py"))
    assert [table for table in inputs_of(path) - made if not re.search(rf"\b{table}\b", python)] == []


@pytest.mark.parametrize("path", OF_GUARDS, ids=name_of)
def test_guard_is_one_query(path: Path) -> None:
    (query,) = statements_of(path, "duckdb")
    assert isinstance(query, exp.Select)
    assert query.named_selects == ["subject", "found", "base", "bound"]
    assert head_of(path).rstrip().endswith((".", ":")), "the head says the rule"


@pytest.mark.parametrize("path", OF_GUARDS, ids=name_of)
def test_guard_tables_are_made(path: Path) -> None:
    """The tables of base.sql are made only for a plan that changes accounts."""
    (query,) = statements_of(path, "duckdb")
    guard = next(guard for guard in GUARDS if guard.name == path.stem)
    if sources_of(query) & tables_of(path.with_name("base.sql"))[1]:
        assert set(guard.of_actions) <= {*CHANGING_ACTIONS, *ABSENT_ACTIONS}


@pytest.mark.parametrize("guard", [guard for guard in GUARDS if guard.least > 1], ids=lambda guard: guard.name)
def test_skipped_guard_would_not_hold(guard: Guard) -> None:
    """The smallest number with which the rule holds a plan is the number of rows below which it is skipped."""
    text = next(path for path in OF_GUARDS if path.stem == guard.name).read_text(encoding="utf-8")
    assert min(int(number) for number in re.findall(r"\b(?:found|failed) >= (\d+)", text)) == guard.least


def test_each_guard_has_its_rule() -> None:
    assert {path.stem for path in OF_GUARDS} == {guard.name for guard in GUARDS}
