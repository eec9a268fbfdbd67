"""`sis-sync plan`: its output, its files and its exit codes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from kit.commands import HEADER, Said, command
from kit.plans import ORGS

from sis_sync.steps.memory import offline

ANA = "Ana,,Ruiz,ana@lakeview.example,1001,020,Student,,9,Active"
BEN = "Ben,,Cole,ben@lakeview.example,1002,020,Student,,9,Active"
COUNTS = ["rows", "create", "update", "restore", "unchanged", "ignored", "failed", "delete", "disable"]


class Desk:
    """A folder with a roster, orgs and accounts."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self.capsys = folder, capsys
        self.write("orgs.csv", ORGS)

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.write_text(text, encoding="utf-8", newline="")
        return path

    def plan(
        self, *rows: str, accounts: tuple[str, ...] = (), mode: str = "full", options: tuple[str, ...] = ()
    ) -> Said:
        file = self.write("people.csv", "\n".join([HEADER, *rows]) + "\n")
        known = self.write("accounts.csv", "\n".join([HEADER, *accounts]) + "\n")
        fixed = ("--mode", mode, "--orgs", self.folder / "orgs.csv", "--accounts", known)
        return command(self.capsys, "plan", file, *fixed, *options)


@pytest.fixture
def desk(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Desk:
    return Desk(tmp_path, capsys)


def students(count: int, start: int = 10000) -> list[str]:
    return [f"Ana,,Ruiz,s{n}@lakeview.example,{n},020,Student,,9,Active" for n in range(start, start + count)]


def test_json_has_these_parts(desk: Desk) -> None:
    said = desk.plan(ANA, accounts=(ANA, BEN), options=("--json",))
    assert list(said.document) == ["schema_version", "file", "mode", "counts", "guards", "findings"]
    assert said.document["schema_version"] == 1
    assert said.document["mode"] == "full"
    assert list(said.document["counts"]) == COUNTS
    assert said.document["counts"] == {**dict.fromkeys(COUNTS, 0), "rows": 1, "unchanged": 1, "delete": 1}
    assert said.document["guards"] == []
    assert said.document["findings"] == {}
    assert said.document["file"]["name"] == "people.csv"
    assert said.document["file"]["rows"] == 1
    assert said.err == ""


def test_json_guard_has_numbers(desk: Desk) -> None:
    everyone = students(49)
    said = desk.plan(*everyone[5:], accounts=tuple(everyone), options=("--json",))
    (guard,) = said.document["guards"]
    assert list(guard) == ["code", "message", "count", "base", "limit"]
    assert (guard["code"], guard["count"], guard["base"]) == ("guard.deletions", 5, 49)
    assert "5 of 49" in guard["message"]
    assert "10.2 %" in guard["message"]


@pytest.mark.parametrize(("leaving", "guards"), [(501, {"guard.deletions"}), (500, set())])
def test_500_deletions_are_the_limit(desk: Desk, leaving: int, guards: set[str]) -> None:
    everyone = students(5010)
    said = desk.plan(*everyone[leaving:], accounts=tuple(everyone), options=("--json",))
    assert said.document["counts"]["delete"] == leaving
    assert {guard["code"] for guard in said.document["guards"]} == guards


def test_json_refusal_has_these_parts(desk: Desk) -> None:
    said = desk.plan(ANA, HEADER, BEN, options=("--json",))
    assert said.exit_code == 6
    assert list(said.document) == ["schema_version", "refused"]
    assert list(said.document["refused"]) == ["code", "message", "line"]
    assert said.document["refused"]["code"] == "file.header_repeated"
    assert said.document["refused"]["line"] == 3


def test_refusal_is_explained_on_stderr(desk: Desk) -> None:
    said = desk.plan()
    assert (said.exit_code, said.out) == (6, "")
    assert "file.empty" in said.err
    assert "Check the export" in said.err


def test_written_plan_has_these_columns(desk: Desk) -> None:
    ben = BEN.replace("Ben,,", "Ben,Lee,").replace(",9,", ",10,")
    bad = "Cy,,Diaz,nowhere,1003,999,Student,,9,Active"
    desk.plan(ANA, ben, bad, accounts=(ANA, BEN, *students(2)), options=("--output", str(desk.folder / "plan.csv")))
    lines = (desk.folder / "plan.csv").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "line,action,custom_id,fields,codes,message"
    assert lines[1].startswith("2,unchanged,1001,,,")
    assert lines[2].startswith("3,update,1002,middle_name;grade,,")
    assert lines[3].startswith("4,failed,1003,,email.invalid;org.unknown,")
    assert '""nowhere"" is not an email address' in lines[3]
    assert lines[4:] == [",delete,10000,,,", ",delete,10001,,,"]


def test_written_plan_is_raw(desk: Desk) -> None:
    formula = ANA.replace("1001", "@1+1")
    desk.plan(formula, options=("--output", str(desk.folder / "plan.csv")))
    assert (desk.folder / "plan.csv").read_text(encoding="utf-8").splitlines()[1].startswith("2,create,@1+1,")


def test_refused_file_writes_no_plan(desk: Desk) -> None:
    desk.plan(options=("--output", str(desk.folder / "plan.csv")))
    assert not (desk.folder / "plan.csv").exists()


@pytest.mark.parametrize("least_bytes", [offline.LEAST_BYTES, 0])
def test_plan_is_printed_in_words(desk: Desk, monkeypatch: pytest.MonkeyPatch, least_bytes: int) -> None:
    monkeypatch.setattr(offline, "LEAST_BYTES", least_bytes)  # with 0, Ana's line cancels out with her account
    said = desk.plan(ANA, "Bob,,Cole,nowhere,1003,020,Student,,9,Active", accounts=(ANA, BEN))
    assert said.exit_code == 7
    assert "people.csv: 2 rows, utf-8" in said.out
    assert "0 to create, 0 to update, 1 unchanged, 1 to delete (50.0 %), 1 failed" in said.out
    assert "email.invalid: 1" in said.out
    assert 'people.csv line 3, email: "nowhere" is not an email address' in said.out
    assert "Correct it in the SIS and send the file again." in said.out
    assert "guard.unidentified_rows" in said.out
    assert said.out.splitlines()[-2] == "Next, to see everyone:"


def test_free_plan_names_upload_next(desk: Desk) -> None:
    said = desk.plan(ANA, mode="partial")
    assert said.out.splitlines()[-1] == f"Next: sis-sync upload {desk.folder / 'people.csv'} --mode partial"


def test_empty_plan_needs_nothing(desk: Desk) -> None:
    assert "Nothing to do" in desk.plan(ANA, accounts=(ANA,)).out


def test_detailed_exit_code_is_8(desk: Desk) -> None:
    everyone = students(49)
    held = tuple(everyone)
    assert desk.plan(*everyone[5:], accounts=held).exit_code == 0
    assert desk.plan(*everyone[5:], accounts=held, options=("--detailed-exitcode",)).exit_code == 8
    assert desk.plan(*everyone, accounts=held, options=("--detailed-exitcode",)).exit_code == 0


def test_history_guards_are_left_out(desk: Desk) -> None:
    everyone = students(100)
    said = desk.plan(*everyone[:60], accounts=tuple(everyone), options=("--json",))
    codes = {guard["code"] for guard in said.document["guards"]}
    assert codes & {"guard.shrunk", "guard.tail", "guard.first_sync", "guard.drip", "guard.managers"} == set()


@pytest.mark.parametrize(
    "arguments",
    [
        ["plan"],
        ["plan", "people.csv"],
        ["plan", "people.csv", "--mode", "everything", "--orgs", "orgs.csv"],
        ["plan", "people.csv", "--mode", "full"],
        ["plan", "people.csv", "--mode", "full", "--orgs", "orgs.csv", "--nonsense"],
        ["nonsense"],
    ],
)
def test_wrong_command_exits_with_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    said = command(capsys, *arguments)
    assert (said.exit_code, said.out) == (2, "")
    assert said.err != ""


def test_missing_file_is_refused(desk: Desk) -> None:
    said = command(desk.capsys, "plan", "none.csv", "--mode", "full", "--orgs", desk.folder / "orgs.csv", "--json")
    assert said.exit_code == 6
    assert said.document["refused"]["code"] == "file.not_found"


@pytest.mark.parametrize(
    ("mapping", "said_of_it"),
    [
        ("mapper.m.column.emial=Mail", ["Line 1", "mapper.m.column.emial", "Did you mean email?"]),
        ("# ours\nmapper.m.colum.email=Mail", ["Line 2", "mapper.m.colum.email", "column"]),
        ("mapper.m.pad.custom_id=x", ["Line 1", "mapper.m.pad.custom_id", "1 to 64"]),
        ("mapper.m.extends=powershool", ["powershool", "Did you mean powerschool?"]),
        ("mapper.m.column.email", ["Line 1", "key=value"]),
        ("mapper.m.column.email=A\nmapper.m.column.email=B", ["Line 2", "mapper.m.column.email", "line 1"]),
        ("mapper.a.extends=b\nmapper.b.extends=a", ["a", "b"]),
    ],
)
def test_wrong_mapping_is_explained(desk: Desk, mapping: str, said_of_it: list[str]) -> None:
    path = desk.write("mapping.properties", mapping + "\n")
    said = desk.plan(ANA, options=("--mapping", str(path)))
    assert (said.exit_code, said.out) == (3, "")
    for words in said_of_it:
        assert words in said.err


@pytest.mark.parametrize("missing", ["orgs", "accounts"])
def test_missing_columns_exit_with_3(desk: Desk, missing: str) -> None:
    file = desk.write("people.csv", f"{HEADER}\n{ANA}\n")
    wrong = desk.write("wrong.csv", "name\nLakeview\n")
    paths = {"orgs": desk.folder / "orgs.csv", "accounts": desk.write("accounts.csv", HEADER + "\n"), missing: wrong}
    options = ("--mode", "full", "--orgs", paths["orgs"], "--accounts", paths["accounts"])
    said = command(desk.capsys, "plan", file, *options)
    assert (said.exit_code, said.out) == (3, "")
    assert "wrong.csv" in said.err


def test_passwords_are_never_printed(desk: Desk) -> None:
    file = desk.write(
        "people.csv", f"{HEADER},password\n{ANA},open-sesame-1\n{BEN.replace('ben@', '')},open-sesame-2\n"
    )
    options = ("--mode", "full", "--orgs", desk.folder / "orgs.csv", "--output", desk.folder / "plan.csv")
    for form in ([], ["--json"]):
        said = command(desk.capsys, "plan", file, *options, *form)
        assert "sesame" not in said.out + said.err + (desk.folder / "plan.csv").read_text(encoding="utf-8")


def sis_sync(*arguments: str | Path, stdin: bytes) -> subprocess.CompletedProcess[bytes]:
    start = "from sis_sync.cli.main import main; main()"
    environment = {**os.environ, "PYTHONIOENCODING": "utf-8"}
    return subprocess.run([sys.executable, "-c", start, *arguments], input=stdin, capture_output=True, env=environment)


def test_stdin_can_be_planned(desk: Desk) -> None:
    options = ("--mode", "full", "--orgs", desk.folder / "orgs.csv", "--output", desk.folder / "plan.csv")
    ended = sis_sync("plan", "-", *options, stdin=f"{HEADER}\n{ANA}\n".encode())
    assert ended.returncode == 0, ended.stderr
    assert "1 to create" in ended.stdout.decode()
    assert (desk.folder / "plan.csv").read_text(encoding="utf-8").splitlines()[1].startswith("2,create,1001,")


def test_stdin_can_be_refused(desk: Desk) -> None:
    ended = sis_sync("plan", "-", "--mode", "full", "--orgs", desk.folder / "orgs.csv", "--json", stdin=b"")
    assert ended.returncode == 6
    assert b'"file.empty"' in ended.stdout
