"""Names of files and columns that mean something to the engine mean nothing here."""

from pathlib import Path

import pytest
from steps.offline import HEADER, Said, command, written_plan

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
def test_a_name_says_nothing_about_the_content(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = tmp_path / f"plan-{name}"
    assert planned(capsys, tmp_path / name, output).exit_code == 0
    assert [row["action"] for row in written_plan(output)] == ["create"]


def test_a_plan_for_a_folder_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert planned(capsys, tmp_path / "roster.csv", tmp_path / "nowhere" / "plan.csv").exit_code == 2


@pytest.mark.parametrize("more", [",note,Note", ",email"])
def test_accounts_with_a_column_twice(more: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = planned(capsys, tmp_path / "roster.csv", tmp_path / "plan.csv", HEADER + more)
    assert said.exit_code == 3
    assert "twice" in said.err
