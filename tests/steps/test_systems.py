"""`sis-sync plan --systems`: many school systems in one run, each as if it were alone."""

import os
from pathlib import Path
from unittest.mock import MagicMock

import pytest
from spark_here import need_spark
from steps.county import COLUMNS, County
from steps.offline import Said, command

from sis_sync.cli import offline_run
from sis_sync.engine import spark
from sis_sync.engine.session import Session
from sis_sync.engine.spark import SparkPlace, open_spark

ANA = "Ana,,Ruiz,first@lakeview.example,1001,020,Student,,9,Active"
BEN = "Ben,,Cole,second@lakeview.example,1002,020,Student,,9,Active"
# Other people with Ana's and Ben's custom IDs and addresses, in a school of the same external ID.
CY = "Cy,Lee,Diaz,first@lakeview.example,1002,020,Student,,10,Active"
DEE = "Dee,,Frost,second@lakeview.example,1001,020,Student,,11,Active"
MODES_OF = {"north": "full", "south": "full", "west": "partial"}
BAD = "Eve,,Gale,nowhere,1003,999,Student,,9,Active"


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


def test_each_is_planned_as_if_it_were_alone(county: County) -> None:
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


def test_nobody_of_one_is_seen_by_another(county: County) -> None:
    with_the_same_ids(county)
    north, south, west = (each["counts"] for each in document_of(county.plan("--json", "--at-once", "3")))
    some = {"rows", "create", "update", "unchanged", "failed", "delete"}
    assert isinstance(north, dict)
    assert isinstance(south, dict)
    assert isinstance(west, dict)
    assert [north[each] for each in sorted(some)] == [0, 1, 1, 2, 1, 0]
    assert [south[each] for each in sorted(some)] == [2, 0, 0, 2, 0, 0]
    assert [west[each] for each in sorted(some)] == [1, 0, 0, 1, 0, 0]


def test_many_at_once_make_what_one_after_the_other_makes(county: County) -> None:
    with_the_same_ids(county)
    one = county.plan("--at-once", "1"), county.written()
    assert (county.plan("--at-once", "2"), county.written()) == one
    assert (county.plan(), county.written()) == one


def test_on_spark_the_plans_are_the_same_bytes(county: County, monkeypatch: pytest.MonkeyPatch) -> None:
    need_spark()
    exchange = county.folder / "on spark"
    exchange.mkdir()
    monkeypatch.setenv("SIS_SYNC_SPARK_MASTER", "local[2]")
    monkeypatch.setenv("SIS_SYNC_SPARK_FOLDER", str(exchange))
    county.add("north", ANA, BAD, accounts=(ANA, BEN))
    county.add("Zürich [2] 5%", CY, DEE)
    on_duckdb = county.plan(), county.written()
    assert (county.plan("--engine", "spark", "--at-once", "2"), county.written()) == on_duckdb
    assert list(exchange.iterdir()) == []


def test_on_spark_no_session_sees_what_another_has(tmp_path: Path) -> None:
    need_spark()
    with open_spark(SparkPlace(master="local[2]", folder=tmp_path)) as application:
        with application.session("one") as one, application.session("other") as other:
            for engine, name in ((one, "Ana"), (other, "Ben")):
                engine.run("CREATE TEMP TABLE people AS SELECT :name AS name", name=name)
            one.run("CREATE TEMP TABLE mine AS SELECT 1 AS n; CREATE TEMP VIEW shown AS SELECT n FROM mine")
            one.spark.sql("CREATE TEMPORARY FUNCTION ours() RETURNS STRING RETURN 'of one'").collect()
            one.spark.conf.set("spark.sql.session.timeZone", "America/Lima")
            assert (one.rows("SELECT name FROM people"), other.rows("SELECT name FROM people")) == (
                [("Ana",)],
                [("Ben",)],
            )
            assert [table.name for table in other.spark.catalog.listTables()] == ["people"]
            assert one.spark.catalog.functionExists("ours")
            assert not other.spark.catalog.functionExists("ours")
            assert other.spark.conf.get("spark.sql.session.timeZone") == "UTC"
            assert other.folder.is_dir()
        assert not other.folder.exists()
        with application.session("one") as again:
            assert again.spark.catalog.listTables() == []


def test_a_refused_file_costs_no_other_and_leaves_no_old_plan(county: County) -> None:
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
            "fix": "Check the export in the SIS. Nobody is deleted because of this file.",
        },
    }
    assert list(south) == ["school_system", "file", "mode", "counts", "guards", "findings"]
    assert said.document["counts"]["create"] == 1
    assert set(county.written()) == {"south.csv"}


@pytest.mark.parametrize("missing", ["orgs.csv", "accounts.csv"])
def test_a_wrong_configuration_costs_no_other(county: County, missing: str) -> None:
    county.add("north", ANA)
    county.add("south", CY)
    (county.folder / "north" / missing).unlink()
    said = county.plan("--json")
    assert said.exit_code == 3
    refused = document_of(said)[0]["refused"]
    assert isinstance(refused, dict)
    assert (refused["code"], missing in refused["message"], bool(refused["fix"])) == ("configuration", True, True)
    assert set(county.written()) == {"south.csv"}


def test_a_bug_costs_no_other_and_shows_no_traceback(county: County, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(county.folder / "state"))
    write_plan = offline_run.write_plan

    def write_half(session: Session, path: Path) -> None:
        if path.name == "south.csv":
            path.write_text("line,act", encoding="utf-8")
            raise RuntimeError("no disk")
        write_plan(session, path)

    monkeypatch.setattr(offline_run, "write_plan", write_half)
    for name, row in (("north", ANA), ("south", CY), ("west", DEE)):
        county.add(name, row)
    said = county.plan()
    assert said.exit_code == 1
    assert "south: not planned (unexpected): Unexpected error, reference" in said.out
    assert "Traceback" not in said.out + said.err
    assert set(county.written()) == {"north.csv", "west.csv"}


def test_the_terminal_has_a_line_for_each_and_then_all_together(county: County) -> None:
    everybody = students(49)
    county.add("north", *everybody[5:], accounts=tuple(everybody))
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


FINE, FAILS, HELD, REFUSED, WRONG = "fine", "fails", "held", "refused", "wrong"


@pytest.mark.parametrize(
    ("kinds", "exit_code", "detailed"),
    [
        ((FINE,), 0, 0),
        ((FINE, FAILS), 7, 7),
        ((HELD, FINE), 0, 8),
        ((FAILS, HELD), 7, 8),
        ((HELD, WRONG, FAILS), 3, 3),
        ((WRONG, REFUSED, HELD), 6, 6),
    ],
)
def test_the_exit_code_is_the_gravest(county: County, kinds: tuple[str, ...], exit_code: int, detailed: int) -> None:
    everybody = students(49)
    for kind in kinds:
        if kind == HELD:
            county.add(kind, *everybody[5:], accounts=tuple(everybody))
        elif kind == REFUSED:
            county.add(kind)
        else:
            county.add(kind, ANA, *([BAD] if kind == FAILS else []), mapping="nowhere" if kind == WRONG else "")
    assert county.plan().exit_code == exit_code
    assert county.plan("--detailed-exitcode", "--json").exit_code == detailed


def test_paths_begin_in_the_folder_of_the_file(county: County, monkeypatch: pytest.MonkeyPatch) -> None:
    (county.folder / "elsewhere").mkdir()
    monkeypatch.chdir(county.folder / "elsewhere")
    county.add("north", ANA, mapping="ours.properties")
    people = county.folder / "north" / "people.csv"
    people.write_text(people.read_text(encoding="utf-8").replace("custom_id", "Number"), encoding="utf-8")
    (county.folder / "ours.properties").write_text("mapper.ours.column.custom_id=Number\n", encoding="utf-8")
    Path("ours.properties").write_text("mapper.other.column.custom_id=email\n", encoding="utf-8")
    said = command(county.capsys, "plan", "--systems", os.path.relpath(county.systems()), "--output", "made")
    assert (said.exit_code, "north: 1 to create" in said.out) == (0, True)
    assert [path.name for path in Path("made").iterdir()] == ["north.csv"]
    assert b"2,create,1001," in Path("made/north.csv").read_bytes()


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ([], ["lists no school system"]),
        (["n,,full,o"], ["line 2", "file is empty"]),
        (["n,f,everything,o"], ["line 2", '"everything" is no mode', "partial, full, students, staff"]),
        (["n,f,full"], ["line 2 has 3 columns, its header has 4"]),
        (["n,f,full,o", "", 'm,"f,full,o'], ["line 4", "quotation mark"]),
        (["n,f,full,o", "m,f,full,o", "N,f,full,o"], ["line 4", 'school system "n" already', "upper and lower case"]),
        (["É,f,full,o", "E\u0301,f,full,o"], ["line 3", "already"]),
        (["n,a\x00b,full,o"], ["line 2, file", "control character"]),
    ],
)
def test_a_wrong_row_is_named_and_nobody_is_planned(county: County, lines: list[str], says: list[str]) -> None:
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
        (f"{COLUMNS},colour", 'the column "colour", which means nothing'),
        ("school_system,file,mode,orgs,FILE", "the column file twice"),
    ],
)
def test_a_wrong_header_is_named(county: County, header: str, says: str) -> None:
    said = planned_from(county, header)
    assert (said.exit_code, says in said.err, "It needs school_system, file, mode, orgs" in said.err) == (3, True, True)


def planned_from(county: County, *lines: str) -> Said:
    path = county.folder / "list.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="")
    return command(county.capsys, "plan", "--systems", path, "--output", county.plans)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("../north", "holds /"),
        ("north\\east", "holds \\"),
        ("north:east", "holds :"),
        ("what?", "holds ?"),
        (".north", "full stop"),
        ("north.", "full stop"),
        ("..", "full stop"),
        ("con", "device"),
        ("Lpt1.school", "device"),
        ("nor\u202eth", "cannot be shown"),
        ("ü" * 41, "longer than 80 bytes"),
    ],
)
def test_a_name_that_is_no_file_name_everywhere_is_named(county: County, name: str, why: str) -> None:
    said = planned_from(county, "school_system,file,mode,orgs", f"{name},f,full,o")
    assert said.exit_code == 3
    for words in ("list.csv line 2", why, "letters, digits"):
        assert words in said.err


@pytest.mark.parametrize("name", ["console", "St. Mary's & All", "学校", "ü" * 40, "-n", "50% [a]", "school_system=1"])
def test_other_names_are_file_names(county: County, name: str) -> None:
    county.add(name, ANA)
    assert county.plan().exit_code == 0
    assert set(county.written()) == {f"{name}.csv"}


@pytest.mark.parametrize(
    "one", [("people.csv",), ("--mode", "full"), ("--orgs", "o"), ("--accounts", "a"), ("--mapping", "clever")]
)
def test_what_the_rows_say_is_not_said_again(county: County, one: tuple[str, ...]) -> None:
    county.add("north", ANA)
    said = county.plan(*one)
    named = one[0] if one[0].startswith("--") else "FILE"
    assert (said.exit_code, f"cannot be combined with {named}." in said.err) == (2, True)
    assert not county.plans.exists()


def test_the_folder_for_plans_is_needed_and_must_be_one(county: County) -> None:
    county.add("north", ANA)
    systems = county.systems()
    nowhere = (["--output", county.folder / "no" / "where"], ["--output", systems], [])
    for options in nowhere:
        said = command(county.capsys, "plan", "--systems", systems, *options)
        assert (said.exit_code, said.out) == (2, "")


def test_a_plan_never_overwrites_what_is_read(county: County) -> None:
    county.add("people", ANA)
    county.add("orgs", CY)
    before = (county.folder / "people" / "orgs.csv").read_bytes()
    county.plans = county.folder / "people"
    said = county.plan()
    assert (said.exit_code, "people.csv, which this run reads" in said.err) == (2, True)
    assert (county.folder / "people" / "orgs.csv").read_bytes() == before


def test_at_once_goes_with_many(county: County) -> None:
    county.add("north", ANA)
    theirs = county.folder / "north"
    said = command(
        county.capsys, "plan", theirs / "people.csv", "--mode", "full", "--orgs", theirs / "orgs.csv", "--at-once", "2"
    )
    assert (said.exit_code, "--at-once goes with --systems" in said.err) == (2, True)
    assert county.plan("--at-once", "0").exit_code == 2


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "Error: Missing argument 'FILE'."),
        (["people.csv"], "Error: Missing option '--mode'. Choose from:"),
        (["people.csv", "--mode", "full"], "Error: Missing option '--orgs'."),
    ],
)
def test_a_single_plan_needs_what_it_always_needed(county: County, arguments: list[str], says: str) -> None:
    said = command(county.capsys, "plan", *arguments)
    assert (said.exit_code, says in said.err, "Usage: sis-sync plan [OPTIONS] FILE" in said.err) == (2, True, True)


class Cluster:
    """Counts the sessions that are made of it, and how often each is ended."""

    def __init__(self) -> None:
        self.stopped: list[int] = []

    def session(self) -> MagicMock:
        number = len(self.stopped)
        self.stopped.append(0)
        made = MagicMock()
        made.stop.side_effect = lambda: self.stopped.__setitem__(number, self.stopped[number] + 1)
        made.newSession.side_effect = self.session
        return made


@pytest.mark.parametrize(
    ("place", "while_open", "afterwards"),
    [
        (SparkPlace(master="local[2]"), [0, 0, 0], [0, 0, 0]),
        (SparkPlace(master="spark://host:7077"), [0, 0, 0], [1, 0, 0]),  # stopping any would end all
        (SparkPlace(remote="sc://host:15002"), [0, 1, 1], [1, 1, 1]),
    ],
)
def test_spark_is_left_once_by_who_opened_it(
    place: SparkPlace, while_open: list[int], afterwards: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster = Cluster()
    monkeypatch.setattr(spark, "_connect", lambda _: cluster.session())
    with open_spark(place) as application:
        with application.session("one"), application.session("other"):
            assert cluster.stopped == [0, 0, 0]
        assert cluster.stopped == while_open
    assert cluster.stopped == afterwards
