"""`sis-sync plan --systems`: many school systems in one run, each planned as if it were alone."""

import subprocess
import sys
from pathlib import Path

import pytest
from kit.commands import Said
from kit.county import ANA, BAD, BEN, CY, DEE, County
from kit.plans import at_night

from sis_sync.cli.plan_systems import LOCK
from sis_sync.core.file_lock import file_lock
from sis_sync.engine.duckdb import Session
from sis_sync.steps.report import write_plan

MODES_OF = {"north": "full", "south": "full", "west": "partial"}


@pytest.fixture
def county(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> County:
    return County(tmp_path, capsys)


def students(count: int) -> list[str]:
    return [f"Ana,,Ruiz,s{n}@lakeview.example,{n},020,Student,,9,Active" for n in range(10000, 10000 + count)]


def with_the_same_ids(county: County) -> None:
    county.add("north", ANA, BAD, accounts=(ANA, BEN))
    county.add("south", CY, DEE)
    county.add("west", CY, accounts=(DEE,), mode="partial")


def document_of(said: Said) -> list[dict[str, object]]:
    systems: list[dict[str, object]] = said.document["school_systems"]
    return systems


def test_each_is_planned_alone(county: County) -> None:
    with_the_same_ids(county)
    said = county.plan("--json")
    alone = {name: county.plan_alone(name, "--json", mode=mode) for name, mode in MODES_OF.items()}
    assert list(said.document) == ["schema_version", "school_systems", "counts"]
    assert document_of(said) == [
        {"school_system": name, **{key: value for key, value in one.document.items() if key != "schema_version"}}
        for name, (one, _) in alone.items()
    ]
    assert county.written() == {f"{name}.csv": plan for name, (_, plan) in alone.items()}
    assert (said.exit_code, said.err) == (7, "")


def test_people_are_kept_apart(county: County) -> None:
    with_the_same_ids(county)
    systems = county.plan("--json", "--at-once", "3").document["school_systems"]
    counts = {
        each["school_system"]: {name: number for name, number in each["counts"].items() if number} for each in systems
    }
    assert counts == {
        "north": {"rows": 2, "unchanged": 1, "failed": 1, "delete": 1},
        "south": {"rows": 2, "create": 2},
        "west": {"rows": 1, "create": 1},
    }


def test_at_once_changes_no_plan(county: County) -> None:
    with_the_same_ids(county)
    one = county.plan("--at-once", "1"), county.written()
    assert (county.plan("--at-once", "2"), county.written()) == one
    assert (county.plan(), county.written()) == one


def test_refused_file_leaves_no_plan(county: County) -> None:
    county.add("north", ANA)
    county.add("south", CY)
    assert county.plan().exit_code == 0
    assert set(county.written()) == {"north.csv", "south.csv"}
    (county.folder / "north" / "people.csv").write_text("", encoding="utf-8")
    said = county.plan("--json")
    north, south = document_of(said)
    assert said.exit_code == 6
    assert north == {
        "school_system": "north",
        "refused": {
            "code": "file.empty",
            "message": "The file is empty.",
            "line": None,
            "fix": "Check the export in the SIS. No one is deleted because of this file.",
        },
    }
    assert list(south) == ["school_system", "file", "mode", "counts", "guards", "findings"]
    assert said.document["counts"]["create"] == 1
    assert set(county.written()) == {"south.csv"}


@pytest.mark.parametrize("missing", ["orgs.csv", "accounts.csv"])
def test_wrong_configuration_stops_no_other(county: County, missing: str) -> None:
    county.add("north", ANA)
    county.add("south", CY)
    (county.folder / "north" / missing).unlink()
    said = county.plan("--json")
    assert said.exit_code == 3
    refused = document_of(said)[0]["refused"]
    assert isinstance(refused, dict)
    assert (refused["code"], missing in refused["message"], bool(refused["fix"])) == ("configuration", True, True)
    assert set(county.written()) == {"south.csv"}


def test_bug_stops_no_other(county: County, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(county.folder / "state"))

    def write_half(session: Session, path: Path) -> None:
        if path.name == "south.csv":
            path.write_text("line,act", encoding="utf-8")
            raise RuntimeError("no disk")
        write_plan(session, path)

    monkeypatch.setattr("sis_sync.cli.plan_request.write_plan", write_half)
    for name, row in (("north", ANA), ("south", CY), ("west", DEE)):
        county.add(name, row)
    said = county.plan()
    assert said.exit_code == 1
    assert "south: not planned (unexpected): Unexpected error, reference" in said.out
    assert "Traceback" not in said.out + said.err
    assert set(county.written()) == {"north.csv", "west.csv"}


def test_terminal_lists_systems_then_sums(county: County) -> None:
    everyone = students(49)
    county.add("north", *everyone[5:], accounts=tuple(everyone))
    county.add("south", CY, BAD, mode="partial")
    county.add("west")
    said = county.plan()
    lines = said.out.splitlines()
    assert lines[0] == "north: 0 to create, 0 to update, 44 unchanged, 5 to delete"
    assert lines[1] == "south: 1 to create, 0 to update, 0 unchanged, 0 to delete, 1 failed"
    assert lines[2].startswith("west: refused (file.empty): ")
    assert "Check the export" in lines[2]
    assert lines[4:6] == [
        "2 of 3 school systems planned, 46 rows:",
        "1 to create, 0 to update, 44 unchanged, 5 to delete, 1 failed",
    ]
    assert lines[6].startswith("Would be held: north (guard.deletions): 5 of 49 accounts")
    assert lines[7:] == [f"The plans are in {county.plans}."]
    assert said.err == ""


@pytest.mark.night
def test_closed_pipe_stops_no_plan(county: County) -> None:
    names = [f"n{number}" for number in range(4)]
    for name in names:
        county.add(name, ANA)
    county.add("empty")
    words = [sys.executable, "-m", "sis_sync", "plan"]
    words += ["--systems", str(county.systems()), "--output", str(county.plans)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.readline()
        process.stdout.close()
        assert (process.wait(timeout=60), process.stderr.read()) == (6, b"")
    assert set(county.written()) == {f"{name}.csv" for name in names}


def test_folder_has_one_run(county: County) -> None:
    county.add("north", ANA)
    assert county.plan().exit_code == 0
    before = county.written()
    with file_lock(county.plans / LOCK) as is_free:
        assert is_free
        said = county.plan()
    assert said.exit_code == 11
    assert "Another run writes its plans to" in said.err
    assert county.written() == before


def test_blocked_plan_keeps_old_ones(county: County) -> None:
    for name in ("north", "south"):
        county.add(name, ANA)
    county.plans.mkdir()
    (county.plans / "north.csv").write_text("an old plan", encoding="utf-8")
    (county.plans / "south.csv").mkdir()
    said = county.plan()
    assert said.exit_code == 2
    assert "south.csv is in the way" in said.err
    assert (county.plans / "north.csv").read_text(encoding="utf-8") == "an old plan"


FINE, FAILS, HELD, REFUSED, WRONG = "fine", "fails", "held", "refused", "wrong"


@pytest.mark.parametrize(
    ("kinds", "exit_code", "detailed"),
    [
        ((HELD, FINE), 0, 8),
        ((WRONG, REFUSED, HELD), 6, 6),
        *at_night(((FINE,), 0, 0), ((FINE, FAILS), 7, 7), ((FAILS, HELD), 7, 8), ((HELD, WRONG, FAILS), 3, 3)),
    ],
)
def test_exit_code_is_the_gravest(county: County, kinds: tuple[str, ...], exit_code: int, detailed: int) -> None:
    everyone = students(49)
    for kind in kinds:
        if kind == HELD:
            county.add(kind, *everyone[5:], accounts=tuple(everyone))
        elif kind == REFUSED:
            county.add(kind)
        else:
            county.add(kind, ANA, *([BAD] if kind == FAILS else []), mapping="nowhere" if kind == WRONG else "")
    assert county.plan().exit_code == exit_code
    assert county.plan("--detailed-exitcode", "--json").exit_code == detailed
