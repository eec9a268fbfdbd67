"""`mapper suggest`: what is proposed for real headers, and that any header gets lines that can be followed."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from steps.offline import command

from sis_sync.formats.mapping_lines import parse_mapping
from sis_sync.formats.suggest import lines, propose

DATA = Path(__file__).parents[1] / "data"


@pytest.mark.parametrize(
    ("file", "preset", "missing"),
    [
        ("microsoft-sds/100_Users/Student.csv", "microsoft-sds-student", []),
        ("microsoft-sds/100_Users/Teacher.csv", "microsoft-sds-teacher", []),
        ("oneroster-edfi/users.csv", "oneroster", []),
        ("powerschool-finalsite/students_example.csv", "powerschool-students", ["email"]),
    ],
)
def test_a_real_file_gets_its_preset(
    capsys: pytest.CaptureFixture[str], file: str, preset: str, missing: list[str]
) -> None:
    said = command(capsys, "mapper", "suggest", DATA / file, "--json")
    assert said.document["presets"] == [{"name": preset, "missing": missing}]
    text = command(capsys, "mapper", "suggest", DATA / file).out
    assert parse_mapping(text).rules


@pytest.mark.parametrize("file", sorted(DATA.rglob("*.csv")), ids=lambda file: "/".join(file.parts[-2:]))
def test_every_real_header_is_answered(capsys: pytest.CaptureFixture[str], file: Path) -> None:
    assert command(capsys, "mapper", "suggest", file).exit_code == 0


def test_a_guardians_address_and_a_password_are_never_proposed() -> None:
    found = propose(["Guardian Email", "password", "custom id"], [["a@b.example", "x@y.example", "1"]])
    assert [each.header for each in found if each.header] == ["custom id"]


def test_two_columns_of_addresses_are_said_and_not_guessed() -> None:
    found = propose(["Home", "Work"], [["a@b.example", "c@d.example"]])
    email = next(each for each in found if each.field == "email")
    assert email.header is None
    assert "Home, Work" in email.reason


@given(st.lists(st.text(max_size=20), max_size=12))
def test_lines_for_any_header_parse_and_share_no_column(header: list[str]) -> None:
    proposals = propose(header, [])
    chosen = [each.header for each in proposals if each.header is not None]
    assert len(chosen) == len(set(chosen))
    text = "\n".join(lines(proposals))
    if chosen:
        assert len(parse_mapping(text).rules) == len(chosen)
