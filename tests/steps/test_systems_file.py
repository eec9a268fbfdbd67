"""SYSTEMS.csv and the options next to it: which ones are accepted, and how faults are explained."""

import os
from pathlib import Path

import pytest
from kit.commands import Said, command
from kit.county import ANA, COLUMNS, CY, County

from sis_sync.cli.plan_systems import LOCK


@pytest.fixture
def county(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> County:
    return County(tmp_path, capsys)


def test_paths_begin_in_own_folder(county: County, monkeypatch: pytest.MonkeyPatch) -> None:
    (county.folder / "elsewhere").mkdir()
    monkeypatch.chdir(county.folder / "elsewhere")
    county.add("north", ANA, mapping="ours.properties")
    people = county.folder / "north" / "people.csv"
    people.write_text(people.read_text(encoding="utf-8").replace("custom_id", "Number"), encoding="utf-8")
    (county.folder / "ours.properties").write_text("mapper.ours.column.custom_id=Number\n", encoding="utf-8")
    Path("ours.properties").write_text("mapper.other.column.custom_id=email\n", encoding="utf-8")
    said = command(county.capsys, "plan", "--systems", os.path.relpath(county.systems()), "--output", "made")
    assert (said.exit_code, "north: 1 to create" in said.out) == (0, True)
    assert [path.name for path in Path("made").iterdir() if path.name != LOCK] == ["north.csv"]
    assert b"2,create,1001," in Path("made/north.csv").read_bytes()


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ([], ["lists no school system"]),
        (["n,,full,o"], ["line 2", "file is empty"]),
        (["n,f,everything,o"], ["line 2", '"everything" is not a mode', "partial, full, students, staff"]),
        (["n,f,full"], ["line 2 has 3 columns, its header has 4"]),
        (["n,f,full,o", "", 'm,"f,full,o'], ["line 4", "quotation mark"]),
        (["n,f,full,o", "m,f,full,o", "N,f,full,o"], ["line 4", 'school system "n" already', "upper and lower case"]),
        (["É,f,full,o", "E\u0301,f,full,o"], ["line 3", "already"]),
        (["n,a\x00b,full,o"], ["line 2, file", "control character"]),
    ],
)
def test_wrong_row_stops_the_run(county: County, lines: list[str], says: list[str]) -> None:
    county.add("north", ANA)
    county.plan()
    said = planned_from(county, "school_system,file,mode,orgs", *lines)
    assert (said.exit_code, said.out) == (3, "")
    for words in ["list.csv", *says]:
        assert words in said.err
    assert set(county.written()) == {"north.csv"}


@pytest.mark.parametrize(
    ("header", "says"),
    [
        ("school_system,file,mode", "lacks the columns orgs"),
        (f"{COLUMNS},colour", 'an unknown column "colour"'),
        ("school_system,file,mode,orgs,FILE", "the column file twice"),
    ],
)
def test_wrong_header_is_named(county: County, header: str, says: str) -> None:
    said = planned_from(county, header)
    assert (said.exit_code, says in said.err, "It needs school_system, file, mode, orgs" in said.err) == (3, True, True)


def planned_from(county: County, *lines: str) -> Said:
    path = county.folder / "list.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="")
    return command(county.capsys, "plan", "--systems", path, "--output", county.plans)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("../north", "contains /"),
        ("north\\east", "contains \\"),
        ("north:east", "contains :"),
        ("what?", "contains ?"),
        (".north", "full stop"),
        ("north.", "full stop"),
        ("..", "full stop"),
        ("con", "device"),
        ("Lpt1.school", "device"),
        ("nor\u202eth", "cannot be shown"),
        ("ü" * 41, "longer than 80 bytes"),
    ],
)
def test_unsafe_name_is_refused(county: County, name: str, why: str) -> None:
    said = planned_from(county, "school_system,file,mode,orgs", f"{name},f,full,o")
    assert said.exit_code == 3
    for words in ("list.csv line 2", why, "letters, digits"):
        assert words in said.err


@pytest.mark.parametrize("name", ["console", "St. Mary's & All", "学校", "ü" * 40, "-n", "50% [a]", "school_system=1"])
def test_other_names_are_safe(county: County, name: str) -> None:
    county.add(name, ANA)
    assert county.plan().exit_code == 0
    assert set(county.written()) == {f"{name}.csv"}


@pytest.mark.parametrize(
    "one", [("people.csv",), ("--mode", "full"), ("--orgs", "o"), ("--accounts", "a"), ("--mapping", "clever")]
)
def test_options_of_one_are_refused(county: County, one: tuple[str, ...]) -> None:
    county.add("north", ANA)
    said = county.plan(*one)
    named = one[0] if one[0].startswith("--") else "FILE"
    assert (said.exit_code, f"cannot be combined with {named}." in said.err) == (2, True)
    assert not county.plans.exists()


def test_output_must_be_a_folder(county: County) -> None:
    county.add("north", ANA)
    systems = county.systems()
    for options in (("--output", county.folder / "no" / "where"), ("--output", systems), ()):
        said = command(county.capsys, "plan", "--systems", systems, *options)
        assert (said.exit_code, said.out) == (2, "")


def test_plans_never_overwrite_input(county: County) -> None:
    county.add("people", ANA)
    county.add("orgs", CY)
    before = (county.folder / "people" / "orgs.csv").read_bytes()
    county.plans = county.folder / "people"
    said = county.plan()
    assert (said.exit_code, "people.csv, which this run reads" in said.err) == (2, True)
    assert (county.folder / "people" / "orgs.csv").read_bytes() == before


def test_at_once_needs_systems(county: County) -> None:
    county.add("north", ANA)
    theirs = county.folder / "north"
    said = command(
        county.capsys, "plan", theirs / "people.csv", "--mode", "full", "--orgs", theirs / "orgs.csv", "--at-once", "2"
    )
    assert (said.exit_code, "--at-once works only with --systems" in said.err) == (2, True)
    assert county.plan("--at-once", "0").exit_code == 2


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "Error: Missing argument 'FILE'."),
        (["people.csv"], "Error: Missing option '--mode'. Choose from:"),
        (["people.csv", "--mode", "full"], "Error: Missing option '--orgs'."),
    ],
)
def test_one_plan_needs_its_options(county: County, arguments: list[str], says: str) -> None:
    said = command(county.capsys, "plan", *arguments)
    assert (said.exit_code, says in said.err, "Usage: sis-sync plan [OPTIONS] FILE" in said.err) == (2, True, True)
