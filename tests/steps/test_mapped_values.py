"""The values that the lines of a mapping make, one row of a file each."""

import csv
from datetime import date
from pathlib import Path

import pytest

from sis_sync.core.errors import FileRefused
from sis_sync.core.fields import FIELD_NAMES
from sis_sync.engine.duckdb import open_session
from sis_sync.steps.map.mapper_lines import parse_mapping
from sis_sync.steps.pipeline import map_file

TODAY = date(2026, 9, 1)
PERSON = {
    "first_name": "Zoë",
    "middle_name": "",
    "last_name": "de la Cruz",
    "email": "zoe@x.example",
    "custom_id": "17",
    "school_district_external_id": "5",
    "user_type": "Student",
    "position": "",
    "grade": "3",
    "status": "Active",
}


def mapped(folder: Path, lines: str, **cells: str) -> dict[str, str | bool | None]:
    """The row of the roster that the mapping makes of one record with these cells."""
    record = {**PERSON, **cells}
    file = folder / "roster.csv"
    with file.open("w", encoding="utf-8", newline="") as out:
        csv.writer(out).writerows([record, record.values()])
    mapping = parse_mapping("\n".join(f"mapper.m.{line.strip()}" for line in lines.strip().splitlines()))
    columns = ("early_codes", "is_skipped", "choice", "is_email_made", *FIELD_NAMES)
    with open_session(threads=1) as session:
        map_file(session, file, mapping=mapping, today=TODAY)
        (row,) = session.rows(f"SELECT {', '.join(columns)} FROM roster")
    return dict(zip(columns, row, strict=True))


@pytest.mark.parametrize(
    ("template", "cells", "made"),
    [
        ("{first_name:ascii:letters:lower}.{last_name:ascii:letters:lower}@x.example", {}, "zoe.delacruz@x.example"),
        ("{first_name:ascii:letters}@x.example", {"first_name": "Łukasz-Øyvind Weiß"}, "LukaszOyvindWeiss@x.example"),
        ("{first_name:ascii:letters}@x.example", {"first_name": "Jo\u0301se\u0301 'O"}, "JoseO@x.example"),
        ("{first_name:first 1:upper}{last_name:last 4}@x.example", {}, "ZCruz@x.example"),
        ("{first_name:upper:last 2:lower}@x.example", {}, "oë@x.example"),
        ("{first_name:ascii:letters}@x.example", {"first_name": "王 小明"}, "WangXiaoMing@x.example"),
        ("{first_name:" + ":".join(["upper", "ascii"] * 10) + "}@x.example", {}, "ZOE@x.example"),
        ("{first_name:letters}@x.example", {"first_name": "M2-ë\u00b2"}, "M2ë@x.example"),
        ("{first_name:letters}.{last_name}@x.example", {"first_name": "-"}, ""),
        ("{first_name}@x.example", {"first_name": ""}, ""),
        ("fixed@x.example", {}, "fixed@x.example"),
        ("{first_name:first 2}{first_name:last 2}@x.example", {"first_name": "a" * 20_000 + "yz"}, "aayz@x.example"),
        ("{first_name}@x.example", {"first_name": "é" * 400}, "é" * 400 + "@x.example"),
        ("{first_name}@x.example", {"first_name": "é" * 401}, "é" * 200 + "..." + "é" * 200 + "@x.example"),
        (
            "{first_name:lower:letters}",
            {"first_name": "A" + "." * 400 + "b"},
            "A" + "." * 199 + "..." + "." * 199 + "b",
        ),
        ("{first_name:ascii}", {"first_name": "x" + "\u0301" * 400}, "x" + "\u0301" * 199 + "..." + "\u0301" * 200),
        (
            "{first_name:first 201:last 2}",
            {"first_name": "A" * 200 + "b" * 201},
            "A" * 200 + "..." + "b" * 200,
        ),
        ("{first_name:first 200:last 2}@x.example", {"first_name": "A" * 200 + "b" * 201}, "AA@x.example"),
        ("{first_name:first 201:last 2}@x.example", {"first_name": "A" * 200 + "b" * 200}, "Ab@x.example"),
        ("{first_name:last 2:letters}@x.example", {"first_name": "A" + "." * 400 + "b"}, "b@x.example"),
        ("{first_name}{first_name}{first_name}", {"first_name": "é" * 200}, "é" * 200 + "..." + "é" * 200),
    ],
)
def test_words_of_a_template(tmp_path: Path, template: str, cells: dict[str, str], made: str) -> None:
    row = mapped(tmp_path, f"template.email={template}", **cells)
    assert row["email"] == made
    assert row["is_email_made"]


@pytest.mark.parametrize(("email", "is_made"), [("", True), ("zoe@x.example", False)])
def test_default_address_is_made_where_none_is(tmp_path: Path, email: str, is_made: bool) -> None:
    row = mapped(tmp_path, "default.email={custom_id}@made.example", email=email)
    assert (row["email"], row["is_email_made"]) == ("17@made.example" if is_made else email, is_made)


def test_create_is_made_of_finished_fields(tmp_path: Path) -> None:
    lines = """
        pad.custom_id=5
        value.grade.3=4
        decode.last_name=html
        create.email={last_name:ascii:letters}.{grade}.{custom_id}.{Room}@x.example
    """
    assert mapped(tmp_path, lines, last_name="O&#39;Dea", Room="7")["email"] == "ODea.4.00017.7@x.example"


@pytest.mark.parametrize(
    ("name", "decoded"),
    [
        ("O&#39;Brien &amp; Ren&eacute;e D&#x27;Arc", "O'Brien & Renée D'Arc"),
        ("Smith &amp;amp; Jones", "Smith &amp; Jones"),
        ("B&B Ott &Poe; &#0; &#1; &#128;", "B&B Ott &Poe; &#0; &#1; €"),
        ("Mary&nbsp;", "Mary"),
        ("Reed &", "Reed &"),
        ("e&#769;", "é"),
    ],
)
def test_entities_are_decoded_once(tmp_path: Path, name: str, decoded: str) -> None:
    assert mapped(tmp_path, "decode.last_name=html", last_name=name)["last_name"] == decoded


@pytest.mark.parametrize(
    ("lines", "begin", "end", "status"),
    [
        ("", "2026-09-01", "2026-09-01", "Active"),
        ("", "2026-09-02", "", "Disabled"),
        ("", "", "2026-08-31", "Disabled"),
        ("", "", "", "Active"),
        ("dates.grace=1", "", "2026-08-31", "Active"),
        ("dates.grace=1", "", "2026-08-30", "Disabled"),
        ("dates.early=7", "2026-09-08", "", "Active"),
        ("dates.early=7", "2026-09-09", "", "Disabled"),
        ("dates.format=MM/DD/YYYY", "9/1/2026", "09/30/2026", "Active"),
        ("dates.format=D.M.YY", "01.09.26", "2.9.26", "Active"),
        ("dates.format=YYYYMMDD", "20260901", "20260931", "status.unknown"),
        ("dates.format=YYYYMMDD", "20260902", "", "Disabled"),
        ("", "2026-08-01T00:00:00", "2026-08-31 00:00:00.000", "Disabled"),
        ("", "26-09-01", "", "status.unknown"),
        ("", "09/01/2026", "", "status.unknown"),
        ("", "", "Active", "status.unknown"),
        ("", "2026-02-30", "", "status.unknown"),
    ],
)
def test_dates_make_the_status(tmp_path: Path, lines: str, begin: str, end: str, status: str) -> None:
    row = mapped(tmp_path, f"dates.status=Begin | End\n{lines or 'pad.custom_id=2'}", Begin=begin, End=end)
    assert (row["early_codes"] or row["status"]) == status


def test_values_apply_to_the_status_of_dates(tmp_path: Path) -> None:
    lines = "dates.status=Begin\nvalue.status.Disabled=Active"
    assert mapped(tmp_path, lines, Begin="2027-01-01")["status"] == "Active"


@pytest.mark.parametrize("line", ["dates.status=Begn | End", "create.email={Frst}@x.example"])
def test_missing_header_is_named(tmp_path: Path, line: str) -> None:
    kind = line.partition("=")[0]
    with pytest.raises(FileRefused, match=f"the mapping's line {kind} reads from (Begn|Frst)"):
        mapped(tmp_path, line, Begin="", End="", First="")


@pytest.mark.parametrize(("org", "padded"), [("5", "005"), ("12", "012"), ("1234", "1234"), ("A5", "A5"), ("0", "0")])
def test_pad_of_orgs(tmp_path: Path, org: str, padded: str) -> None:
    row = mapped(tmp_path, "pad.school_district_external_id=3", school_district_external_id=org)
    assert row["school_district_external_id"] == padded


@pytest.mark.parametrize(
    ("skip", "cell", "is_skipped"),
    [
        ("Test*", "tESTER", True),
        ("Test*", "Test", True),
        ("Test*", "a Test", False),
        ("*test* | x", "A TEST 1", True),
        ("*", "2026", True),
        ("*", "", False),
        ("", "", True),
        ("50%*", "50 of", False),
        ("50%*", "50% of", True),
        ("a_*", "ab", False),
        ("É*", "école", True),
    ],
)
def test_skip_with_wildcards(tmp_path: Path, skip: str, cell: str, is_skipped: bool) -> None:
    assert mapped(tmp_path, f"skip.Note={skip}", Note=cell)["is_skipped"] is is_skipped


def test_skip_and_choose_read_the_cells_as_they_are(tmp_path: Path) -> None:
    lines = "value.status.A=Active\nconstant.grade=4\nskip.status=Active\nskip.grade=4\nchoose=status: A"
    row = mapped(tmp_path, lines, status="A")
    assert (row["is_skipped"], row["choice"], row["status"], row["grade"]) == (False, "1", "Active", "4")


@pytest.mark.parametrize(
    ("line", "cell", "choice"),
    [
        ("choose=Main: Y | yes", "YES", "1"),
        ("choose=Main: Y | yes", "N", ""),
        ("choose=latest Main", "2026-08-24", "2026-08-24"),
        ("choose=latest Main", "soon", ""),
        ("choose=latest Main", "", ""),
        ("choose=latest Maine", "2026-08-24", ""),
    ],
)
def test_choice(tmp_path: Path, line: str, cell: str, choice: str) -> None:
    assert mapped(tmp_path, line, Main=cell)["choice"] == choice


def test_kept_field_needs_no_column(tmp_path: Path) -> None:
    lines = "keep.middle_name=\nkeep.position=\ncolumn.position=Job\nkeep.grade=\nconstant.grade=2"
    row = mapped(tmp_path, lines, middle_name="Ann", Job="Nurse")
    assert (row["middle_name"], row["position"], row["grade"]) == ("", "Nurse", "2")
