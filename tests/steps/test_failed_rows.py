"""The failed rows: a file that can be corrected and sent again."""

import csv
import io
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kit.plans import at_night, examples

from sis_sync.core.fields import FIELD_NAMES
from sis_sync.core.modes import PARTIAL
from sis_sync.engine.duckdb import open_session
from sis_sync.steps.directory.directory import load_directory
from sis_sync.steps.map.map import find_passwords_of_existing, map_records
from sis_sync.steps.map.mapper_lines import parse_mapping
from sis_sync.steps.map.mapping import NO_MAPPING, Mapping
from sis_sync.steps.map.settle import settle
from sis_sync.steps.plan.plan import make_plan
from sis_sync.steps.read.read import read
from sis_sync.steps.report import write_failed_rows, write_plan
from sis_sync.steps.validate.validate import validate

ORGS = "external_id,name\n010,North\n"
GOOD = dict(
    zip(FIELD_NAMES, ("Ana", "", "Ruiz", "ana@x.example", "1001", "010", "Student", "", "9", "Active"), strict=True)
)
MAPPING = """mapper.m.column.first_name=Given
mapper.m.split.last_name=Whole, after ","
mapper.m.column.custom_id=Number
mapper.m.pad.custom_id=6
mapper.m.template.middle_name={Whole}/{email:lower}
mapper.m.value.grade.KG=K
"""


@dataclass(frozen=True)
class Outcome:
    """The mapped fields of every row that failed, the failed-rows file, and the actions of the plan."""

    failed: list[tuple[str | None, ...]]
    file: bytes
    plan: list[dict[str, str]]


def plan_of(content: bytes, *, mapping: Mapping = NO_MAPPING, accounts: str = "") -> Outcome:
    with tempfile.TemporaryDirectory(prefix="sis-sync-test-") as name, open_session() as session:
        folder = Path(name)
        (folder / "people.csv").write_bytes(content)
        (folder / "orgs.csv").write_text(ORGS, encoding="utf-8")
        known = folder / "accounts.csv"
        known.write_text(accounts or ",".join(FIELD_NAMES) + "\n", encoding="utf-8", newline="")
        records = read(session, folder / "people.csv", mode=PARTIAL, mapping=mapping)
        roster = map_records(session, records)
        directory = load_directory(session, orgs=folder / "orgs.csv", accounts=known)
        settle(session, records)
        find_passwords_of_existing(session, None)
        plan = make_plan(session, validate(session, roster, directory, PARTIAL))
        write_failed_rows(session, plan.records, folder / "failed.csv")
        write_plan(session, folder / "plan.csv")
        failed = session.rows(
            f"SELECT {', '.join(FIELD_NAMES)} FROM roster WHERE line IN (SELECT line FROM failed) ORDER BY line"
        )
        rows = list(csv.DictReader(io.StringIO((folder / "plan.csv").read_text(encoding="utf-8"), newline="")))
        return Outcome(failed, (folder / "failed.csv").read_bytes(), rows)


def table(header: list[str], rows: list[list[str]], *, delimiter: str = ",", quoting: int = csv.QUOTE_MINIMAL) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, quoting=quoting, lineterminator="\r\n")  # type: ignore[arg-type]
    writer.writerows([header, *rows])
    return text.getvalue().encode()


def cells_of(file: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(file.decode(), newline="")))


# What spreadsheets read like a sign of a formula, with the white space that they may skip.
FORMULA_STARTS = (
    "=",
    "+",
    "-",
    "@",
    "\t",
    "\uff1d",
    "\uff0b",
    "\uff0d",
    "\uff20",
    "\u2212",
    "\ufe66",
    "\u207a",
    " =",
    "\u200b+",
)
STARTS = ("", "'=", "''=", "'", "'\t", '"', " ", "e\u0301", "\u200b", "'@", "'\uff1d", *FORMULA_STARTS)
LETTERS = "aZ09 é\"'=+-@\u0301\u00a0\u200b\u202e\x01🎓{}:"


def cells_with(more: str) -> st.SearchStrategy[str]:
    return st.builds(str.__add__, st.sampled_from(STARTS), st.text(st.sampled_from(LETTERS + more), max_size=8))


# Not both in one file: a line break behind which many delimiters follow is read as a stray quote, by the format's rule.
cells = cells_with(",;|\t\r")
broken_lines = cells_with("\n\r").map(lambda text: text.replace("\t", ""))


def rows_of(cell: st.SearchStrategy[str]) -> st.SearchStrategy[list[list[str]]]:
    return st.lists(st.lists(cell, min_size=10, max_size=10), min_size=1, max_size=12)


@examples(4, night=25)
@given(
    st.one_of(rows_of(cells), rows_of(broken_lines)),
    st.sampled_from(",\t;|"),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    st.booleans(),
)
def test_failed_rows_read_again(rows: list[list[str]], delimiter: str, quoting: int, is_mapped: bool) -> None:
    mapping = parse_mapping(MAPPING) if is_mapped else NO_MAPPING
    names = {"first_name": "Given", "last_name": "Whole", "custom_id": "Number"} if is_mapped else {}
    header = [names.get(name, name) for name in FIELD_NAMES]
    status = header.index("status")
    # Every row fails, whatever else is wrong, and none is a duplicate of another.
    faulty = [[*row[:4], f"{row[4]}n{number}", *row[5:status], f"{row[status]}?"] for number, row in enumerate(rows)]
    first = plan_of(table(header, faulty, delimiter=delimiter, quoting=quoting), mapping=mapping)
    assert len(first.failed) == len(rows)
    again = plan_of(first.file, mapping=mapping)
    assert again.failed == first.failed


@examples(4, night=10)
@given(st.lists(st.tuples(cells, cells, cells), min_size=1, max_size=12))
def test_corrected_rows_update_accounts(names: list[tuple[str, str, str]]) -> None:
    def safe(text: str) -> str:
        return "".join(c for c in text if c.isprintable() or c in "\t\r\n")

    people = [
        {**GOOD, "custom_id": f"@1-{n}", "email": f"p{n}@x.example", "first_name": safe(a) + "a", "last_name": "L"}
        | {"middle_name": safe(b), "position": ""}
        for n, (a, b, _) in enumerate(names)
    ]
    before = [{**person, "first_name": "Before", "middle_name": "Before"} for person in people]
    known = table(list(FIELD_NAMES), [list(person.values()) for person in before]).decode()
    sent = table(list(FIELD_NAMES), [list({**person, "status": "Gone"}.values()) for person in people])
    failed = cells_of(plan_of(sent, accounts=known).file)
    assert [row["status"] for row in failed] == ["Gone"] * len(people)
    corrected = [[*{**row, "status": "Active"}.values()] for row in failed]
    done = plan_of(table(list(failed[0]), corrected), accounts=known)
    wanted = plan_of(table(list(FIELD_NAMES), [list(person.values()) for person in people]), accounts=known)
    assert {row["action"] for row in wanted.plan} == {"update"}
    shown = ("action", "custom_id", "fields", "codes")
    assert [[row[name] for name in shown] for row in done.plan] == [[r[name] for name in shown] for r in wanted.plan]


@examples(4, night=10)
@given(st.lists(st.tuples(cells, cells, cells), min_size=1, max_size=12))
def test_accounts_read_as_unchanged(names: list[tuple[str, str, str]]) -> None:
    def safe(text: str) -> str:
        return "".join(c for c in text if c.isprintable() or c in "\t\r\n")

    people = [
        [safe(a) + "a", safe(b), safe(c) + "c", f"p{n}@x.example", f"S{n}", "010", "Teacher", safe(b), "", "Active"]
        for n, (a, b, c) in enumerate(names)
    ]
    file = table(list(FIELD_NAMES), people)
    assert {row["action"] for row in plan_of(file, accounts=file.decode()).plan} == {"unchanged"}


def test_formula_cell_neutralised_and_restored() -> None:
    row = {**GOOD, "status": "Gone", "first_name": "=1+1", "last_name": "'=2", "middle_name": "'quoted'"}
    first = plan_of(table(list(row), [list(row.values())]))
    (written,) = cells_of(first.file)
    assert (written["first_name"], written["last_name"], written["middle_name"]) == ("'=1+1", "''=2", "'quoted'")
    assert plan_of(first.file).failed == first.failed


def test_every_formula_start_neutralised_and_restored() -> None:
    starts = [*FORMULA_STARTS, "\n=", "\u00a0\uff1d", "\ufeff@"]
    rows = [
        {**GOOD, "status": "Gone", "custom_id": f"c{n}", "email": f"{n}@x.example"}
        | {"middle_name": f"{start}1", "last_name": f"'{start}1"}
        for n, start in enumerate(starts)
    ]
    first = plan_of(table(list(rows[0]), [list(row.values()) for row in rows]))
    written = [(row["middle_name"], row["last_name"]) for row in cells_of(first.file)]
    assert written == [(f"'{start}1", f"''{start}1") for start in starts]
    assert plan_of(first.file).failed == first.failed


@pytest.mark.parametrize("cell", [' ="\'6"', " '6", *at_night('\u200b="6"', '=" \'6"', '="\'6"')])
def test_text_formula_reads_the_same_again(cell: str) -> None:
    row = {**GOOD, "status": "Gone", "custom_id": cell, "first_name": cell}
    first = plan_of(table(list(row), [list(row.values())]))
    assert [found[FIELD_NAMES.index("custom_id")] for found in first.failed] == ["6"]
    assert plan_of(first.file).failed == first.failed


def test_names_are_not_formulas() -> None:
    names = ["\u00c9lise", "\u674e\u96f7", "Ana", "1-1", "a=b", "\u2013 dash", "\u30fc"]
    rows = [
        {**GOOD, "status": "Gone", "custom_id": f"c{n}", "email": f"{n}@x.example", "middle_name": name}
        for n, name in enumerate(names)
    ]
    file = plan_of(table(list(rows[0]), [list(row.values()) for row in rows])).file
    assert [row["middle_name"] for row in cells_of(file)] == names


def test_secret_columns_left_out() -> None:
    row = {"password": "hunter22", **GOOD, "PIN": "4711", "status": "Gone"}
    first = plan_of(table(list(row), [list(row.values())]))
    assert b"hunter22" not in first.file
    assert b"4711" not in first.file
    assert plan_of(first.file).failed == first.failed


@pytest.mark.parametrize(
    ("record", "where", "found"),
    [
        (
            "Ana,,Ruiz, Jr,ana@x.example,1001,010,Student,,9,Active",
            "sis_sync_message",
            "Beyond the last column: Active",
        ),
        ("Ana,,Ruiz,ana@x.example,1001,010", "custom_id", "1001"),
        ('Ana,"A"nna,Ruiz,ana@x.example,1001,010,Student,,9,Active', "custom_id", "1001"),
        ('Ana,"Anna,Ruiz,ana@x.example,1001,010,Student,,9,Active', "custom_id", "1001"),
    ],
)
def test_unsplit_record_keeps_cells(record: str, where: str, found: str) -> None:
    good = "Ben,,Cole,ben@x.example,1002,010,Student,,9,Active"
    content = f"{','.join(FIELD_NAMES)}\n{record}\n{good}\n".encode()
    first = plan_of(content)
    assert [row["action"] for row in first.plan] == ["failed", "create"]
    (row,) = cells_of(first.file)
    assert found in row[where]
    assert "people.csv line 2, " in row["sis_sync_message"]
    corrected = {**row, **GOOD}
    assert [r["action"] for r in plan_of(table(list(corrected), [list(corrected.values())])).plan] == ["create"]


@pytest.mark.parametrize("delimiter", ["\t", ";", *at_night(",", "|")])
def test_columns_and_delimiter_kept(delimiter: str) -> None:
    row = {"Extra": "x", **GOOD, "Room": "12", "status": "Gone"}
    mapping = parse_mapping("mapper.m.skip.Extra=no")
    first = plan_of(table(list(row), [list(row.values())], delimiter=delimiter), mapping=mapping)
    expected = ["sis_sync_message", *(name for name in row if name != "Room")]
    assert first.file.decode().splitlines()[0].split(delimiter) == expected


def test_message_commas_swallow_nothing() -> None:
    row = {**GOOD, "user_type": "Parent", "grade": "x", "email": "no", "first_name": "", "status": "Gone\nfor good"}
    first = plan_of(table(list(row), [list(row.values())]))
    assert plan_of(first.file).failed == first.failed
