"""The limits of a file are settings of the process, and a wrong setting is refused."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from kit.commands import command

from sis_sync.core.limits import FILE_LIMITS
from sis_sync.steps.read.quotes import split_record
from sis_sync.steps.read.shape import Shape

HEADER = "first_name,middle_name,last_name,email,custom_id,school_district_external_id,user_type,position,grade,status"


def check(file: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """`sis-sync check` as a process of its own: its limits are read once, when it starts."""
    program = Path(sys.executable).with_name("sis-sync")
    return subprocess.run([program, "check", file], env={**os.environ, **environment}, capture_output=True, text=True)


@pytest.fixture
def roster(tmp_path: Path) -> Path:
    """Two people, one of them with a position of 2,000 letters."""
    file = tmp_path / "people.csv"
    rows = "".join(f"Ana,,Lee,p{n}@x.example,{n},1,Teacher,{'a' * 2000 * n},,Active\n" for n in (0, 1))
    file.write_text(f"{HEADER}\n{rows}", encoding="utf-8")
    return file


@pytest.mark.parametrize(
    ("setting", "too_low", "enough"),
    [("SIS_SYNC_MAX_RECORDS", "1", "2"), ("SIS_SYNC_MAX_CELL_KB", "1", "2")],
)
def test_limit_follows_its_setting(roster: Path, setting: str, too_low: str, enough: str) -> None:
    refused = check(roster, **{setting: too_low})
    assert refused.returncode == 6
    assert "file.too_large" in refused.stderr
    assert "file.too_large" not in check(roster, **{setting: enough}).stderr


def test_setting_must_be_a_number(roster: Path) -> None:
    said = check(roster, SIS_SYNC_MAX_COLUMNS="many")
    assert said.returncode == 3
    assert "SIS_SYNC_MAX_COLUMNS is 'many'" in said.stderr


def test_fix_never_says_split(roster: Path) -> None:
    assert "Never split a complete list" in check(roster, SIS_SYNC_MAX_RECORDS="1").stderr


ENDLESS = '"\n' + '","\n' * 200_000  # cells with a line break, one after the other


@pytest.mark.parametrize("rows", [f"{HEADER[:20]},{ENDLESS}", f"{HEADER}\nAna,{ENDLESS}"], ids=["header", "record"])
def test_endless_header_or_record_is_too_large(rows: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "people.csv"
    file.write_text(rows, encoding="utf-8")
    said = command(capsys, "check", str(file))
    assert said.exit_code == 6
    assert "file.too_large" in said.err


def test_header_and_record_are_split_no_further_than_the_limits() -> None:
    header = split_record(ENDLESS.encode(), 0, Shape(ord(",")))
    assert len(header.cells) == FILE_LIMITS.columns + 1
    assert header.end < 10 * FILE_LIMITS.columns
    record = split_record(ENDLESS.encode(), 0, Shape(ord(","), 10, 10, 10))
    assert record.fault == "too_large"
    assert sum(map(len, record.cells)) < 10 * (FILE_LIMITS.cell_bytes + 1)
