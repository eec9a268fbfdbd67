"""Names of files and columns that the engine would interpret are plain names here."""

from pathlib import Path

import pytest
from kit.commands import HEADER, Said, command, written_plan

ROW = "Ana,,Lee,ana@school.example,101,S1,Teacher,,,Active"


def planned(capsys: pytest.CaptureFixture[str], roster: Path, output: Path, accounts: str = HEADER) -> Said:
    roster.write_text(f"{HEADER}\n{ROW}\n", encoding="utf-8")
    orgs, there = roster.with_name("orgs.csv"), roster.with_name("accounts.csv")
    orgs.write_text("external_id,name\nS1,North School\n", encoding="utf-8")
    there.write_text(accounts + "\n", encoding="utf-8")
    return command(
        capsys, "plan", roster, "--mode", "partial", "--orgs", orgs, "--accounts", there, "--output", output, "--json"
    )


@pytest.mark.parametrize("name", ["roster.csv.gz", "roster.csv.zst", "roster.parquet", "roster[1].csv", "year=1.csv"])
def test_any_file_name_is_read(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = tmp_path / f"plan-{name}"
    assert planned(capsys, tmp_path / name, output).exit_code == 0
    assert [row["action"] for row in written_plan(output)] == ["create"]


def test_plan_into_missing_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert planned(capsys, tmp_path / "roster.csv", tmp_path / "nowhere" / "plan.csv").exit_code == 2


@pytest.mark.parametrize("words", [("check",), ("mapper", "suggest")])
def test_unreadable_path_is_refused(words: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    unreadable = Path("/proc/self/mem")  # opens, and then fails at its first byte
    for path, says in ((tmp_path, "is a folder"), (tmp_path / "nix.csv", "There is no file nix.csv")):
        said = command(capsys, *words, path)
        assert (said.exit_code, "file.not_found" in said.err, says in said.err) == (6, True, True)
    if unreadable.exists():
        said = command(capsys, *words, unreadable)
        assert (said.exit_code, "cannot be read" in said.err) == (6, True)


def test_lone_return_in_the_header_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    roster = tmp_path / "roster.csv"
    roster.write_bytes(b"first_name,last\rname,status\nAna,Lee,Active\n")
    said = command(capsys, "check", roster)
    assert said.exit_code == 6
    assert "carriage return" in said.err
    assert "no account is changed" in said.err


@pytest.mark.parametrize("more", [",note,Note", ",email"])
def test_accounts_with_repeated_column(more: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = planned(capsys, tmp_path / "roster.csv", tmp_path / "plan.csv", HEADER + more)
    assert said.exit_code == 3
    assert "twice" in said.err
