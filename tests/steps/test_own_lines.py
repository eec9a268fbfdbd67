"""An offline plan in which the own lines of accounts cancel out equals one in which they do not."""

from pathlib import Path

import pytest
from kit.plans import at_night, table

from sis_sync.cli.plan_request import PlanRequest, make_requested_plan
from sis_sync.core.damaged_names import DAMAGED_PATTERN
from sis_sync.core.errors import ConfigurationError
from sis_sync.core.fields import FIELD_NAMES
from sis_sync.engine.duckdb import open_session
from sis_sync.steps.memory import offline
from sis_sync.steps.memory.own_lines import LETTERS
from sis_sync.steps.report import write_failed_rows

Row = dict[str, str]
ORGS = "external_id,name,in_scope\n010,North Elementary,\n020,Lakeview High,no\n"
LONG = "x" * 101
NAMES = (
    "",
    "Zoë",
    "JosÃ©",
    "Zoe\u0308",
    "NULL",
    "None",
    "O'Neil",
    "-",
    "Ann ",
    " Ann",
    "A\u00a0B",
    "Ann&eacute;",
    LONG,
    "J2",
)
ODD_VALUES = {
    **dict.fromkeys(("first_name", "middle_name", "last_name"), NAMES),
    "email": (
        *("", "a@b", "a b@x.example", "a@x..example", "a@-x.example", "a@x-.example", "UP@x.example", ".a@x.example"),
        *(f"a@{'b' * 64}.example", f"{'l' * 250}@x.example", "ä@x.example", "a@x.example,", "a,b@x.example"),
    ),
    "custom_id": (
        "",
        "0",
        "000",
        "new",
        "N/A",
        "=1",
        "'7",
        "-",
        "1.2E+05",
        "a@b",
        "1234567890123450",
        "é",
        "7 ",
        "I,D",
    ),
    "school_district_external_id": ("", "010 ", "999", "020", "x@y"),
    "user_type": ("", "student", "Pupil", "Teacher", "Staff"),
    "position": ("Maths", " Maths", LONG, "Head, Maths", 'Say "hi"', "Head; Maths"),
    "grade": ("", "13", "k", "K", "PreK", "Unspecified", "9 "),
    "status": ("", "active", "Gone", "Disabled"),
}


def people() -> list[Row]:
    """One person for each odd value, twice: a student and a teacher. The rest of each is plain."""
    rows: list[Row] = []
    for user_type in ("Student", "Teacher"):
        is_student = user_type == "Student"
        for name in FIELD_NAMES:
            for value in ("plain", *ODD_VALUES[name]):
                number = 5000 + len(rows)
                row = {
                    "first_name": "Ana",
                    "middle_name": "",
                    "last_name": "Ruiz",
                    "email": f"p{number}@x.example",
                    "custom_id": f"S{number}",
                    "school_district_external_id": "010",
                    "user_type": user_type,
                    "position": "" if is_student else "Nurse",
                    "grade": "9" if is_student else "",
                    "status": "Active",
                }
                rows.append(row if value == "plain" else {**row, name: value})
    return list({row["custom_id"].strip(): row for row in rows}.values())


def planned(folder: Path) -> tuple[int, tuple[object, ...]]:
    """The number of pairs of the plan, and all that it gives."""
    request = PlanRequest(folder / "roster.csv", "full", folder / "orgs.csv", folder / "accounts.csv")
    with make_requested_plan(request, output=folder / "plan.csv", engine="duckdb") as made:
        pairs = made.session.value("SELECT people FROM pair_totals")
        write_failed_rows(made.session, made.plan.records, folder / "failed.csv")
        files = [(folder / name).read_bytes() for name in ("plan.csv", "failed.csv")]
        return pairs, (files, made.plan.counts, made.plan.findings, made.plan.records.warnings, made.hits)


def in_both_ways(folder: Path, patch: pytest.MonkeyPatch) -> tuple[int, tuple[object, ...]]:
    """The plan with pairs, after a comparison with the one without."""
    none, full = planned(folder)
    assert none == 0
    with patch.context() as small:
        small.setattr(offline, "LEAST_BYTES", 0)
        pairs, fast = planned(folder)
    assert fast == full
    return pairs, fast


def written(folder: Path, rows: list[Row], *, accounts: list[Row] | None = None, delimiter: str = ",") -> Path:
    columns = FIELD_NAMES if delimiter == "," else FIELD_NAMES[::-1]
    (folder / "roster.csv").write_text(table(columns, rows, delimiter=delimiter), encoding="utf-8")
    (folder / "accounts.csv").write_text(table(FIELD_NAMES, accounts or rows), encoding="utf-8")
    (folder / "orgs.csv").write_text(ORGS, encoding="utf-8")
    return folder


@pytest.mark.parametrize("delimiter", [",", *at_night(";")])
def test_own_lines_have_no_finding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, delimiter: str) -> None:
    rows = people()
    pairs, (_, counts, *_) = in_both_ways(written(tmp_path, rows, delimiter=delimiter), monkeypatch)
    assert 40 < pairs < len(rows) - 100, counts


def test_a_line_that_another_row_concerns_is_no_pair(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = next(row for row in people() if row["custom_id"].startswith("S"))
    rows = [{**plain, "custom_id": f"{n}1", "email": f"q{n}@x.example", "last_name": "Ng"} for n in range(100, 140)]
    assert in_both_ways(written(tmp_path, rows), monkeypatch)[0] == len(rows)
    rows[0]["email"] = rows[1]["email"]  # two accounts with one address
    cut = {**rows[5], "custom_id": f"0{rows[5]['custom_id']}", "last_name": "Li"}
    written(tmp_path, [*rows, rows[3], cut], accounts=rows)
    assert in_both_ways(tmp_path, monkeypatch)[0] == len(rows) - 4


def test_accounts_with_one_id_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    row = people()[0]
    written(tmp_path, [row], accounts=[row, {**row, "custom_id": f" {row['custom_id']}", "email": "b@x.example"}])
    monkeypatch.setattr(offline, "LEAST_BYTES", 0)
    with pytest.raises(ConfigurationError, match="the same custom_id"):
        planned(tmp_path)


def test_no_two_letters_of_an_own_line_are_a_damaged_name() -> None:
    with open_session(threads=1) as session:
        pairs = (
            "WITH letters AS (SELECT chr(CAST(i AS INTEGER)) AS c FROM range(32, 1328) AS r(i) WHERE matches(chr("
            "CAST(i AS INTEGER)), :letter)) SELECT a.c || b.c AS name FROM letters AS a, letters AS b"
        )
        odd = (
            f"SELECT name FROM ({pairs}) WHERE has_match('a' || name || 'a', :damaged) "
            "OR has_match('A' || name || ' ', :damaged) OR clean(name) <> name"
        )
        assert session.rows(odd, letter=f"[{LETTERS}.'-]", damaged=DAMAGED_PATTERN) == []
