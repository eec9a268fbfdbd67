"""The command that `plan` and `mapper suggest` print last: whole, quoted, and about the given files."""

import shlex
from pathlib import Path

import pytest
from kit.commands import HEADER, Said, command
from kit.plans import ORGS

ANA = "Ana,,Ruiz,ana@lakeview.example,1001,020,Student,,9,Active"
APPLE = "person_id,first_name,middle_name,last_name,grade_level,email_address,location_id\n"
APPLE_ANA = "1001,Ana,,Ruiz,09,ana@lakeview.example,020\n"
OURS = "mapper.ours.extends=apple-school-manager\nmapper.ours.value.grade.9th=9\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder whose name a shell would take apart."""
    made = tmp_path / "it's $HOME"
    made.mkdir()
    return made


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_given_command_can_be_pasted(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    leaving = [f"Ana,,Ruiz,s{n}@lakeview.example,{n},020,Student,,9,Active" for n in range(10000, 10020)]
    people = write(folder / "people.csv", f"{HEADER}\n{ANA}\n")
    accounts = write(folder / "accounts.csv", "\n".join([HEADER, *leaving, ""]))
    files: list[str | Path] = ["--orgs", write(folder / "orgs.csv", ORGS), "--accounts", accounts]
    given = ["plan", people, "--mode", "full", *files, "--detailed-exitcode"]
    pasted = shlex.split(command(capsys, *given).out.splitlines()[-1])
    assert sorted(pasted) == sorted(["sis-sync", *map(str, given), "--output", "plan.csv"])
    written = command(capsys, *[folder / word if word == "plan.csv" else word for word in pasted[1:]])
    assert written.exit_code == 8
    assert written.out.splitlines()[-1] == "On the server this run would wait for a person."
    assert (folder / "plan.csv").exists()


def plan_apple_file(capsys: pytest.CaptureFixture[str], folder: Path, mapping: str | Path) -> Said:
    people, orgs = write(folder / "people.csv", APPLE + APPLE_ANA), write(folder / "orgs.csv", ORGS)
    said = command(capsys, "plan", people, "--mode", "partial", "--orgs", orgs, "--mapping", mapping)
    assert (said.exit_code, said.err) == (0, "")
    return said


@pytest.mark.parametrize("preset", ["apple-school-manager", "apple-school-manager-students"])
def test_upload_names_given_preset(capsys: pytest.CaptureFixture[str], folder: Path, preset: str) -> None:
    last = plan_apple_file(capsys, folder, preset).out.splitlines()[-1]
    file = shlex.quote(str(folder / "people.csv"))
    assert last == f"Next: sis-sync upload {file} --mode partial --mapper {preset}"


def test_upload_names_given_mapping_file(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    mapping = write(folder / "ours.properties", OURS)
    last = plan_apple_file(capsys, folder, mapping).out.splitlines()[-1]
    before, command_line = last.split(", then ")
    assert before == f"Next: put the lines of {mapping} into client.properties"
    assert shlex.split(command_line)[-2:] == ["--mapper", "ours"]


def test_suggest_quotes_paths(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    export, mapping = write(folder / "export.csv", APPLE + APPLE_ANA), folder / "new lines.properties"
    said = command(capsys, "mapper", "suggest", export, "--write", mapping)
    pasted = shlex.split(said.out.split(", then run: ")[1])
    assert pasted == ["sis-sync", "mapper", "test", str(export), "--mapping", str(mapping)]
    assert command(capsys, *pasted[1:]).exit_code == 0
