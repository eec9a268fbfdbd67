"""`mapper suggest`: the proposals for real headers, and lines that parse for any header."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kit.commands import command

from sis_sync.steps.map.mapper_lines import parse_mapping
from sis_sync.steps.map.suggest.sample import Sample
from sis_sync.steps.map.suggest.suggestion import propose, suggest

DATA = Path(__file__).parents[1] / "data"
OURS = "first_name,middle_name,last_name,email,custom_id,school_district_external_id,user_type,position,grade,status"


def suggested(capsys: pytest.CaptureFixture[str], folder: Path, text: str) -> list[str]:
    """The lines for a file of this text, comments among them."""
    file = folder / "export.csv"
    file.write_text(text, encoding="utf-8")
    said = command(capsys, "mapper", "suggest", file)
    assert said.exit_code == 0
    return [line.removeprefix("mapper.suggested.") for line in said.out.splitlines()]


@pytest.mark.parametrize(
    ("file", "preset", "missing"),
    [
        ("microsoft-sds/100_Users/Student.csv", "microsoft-sds-student", []),
        ("microsoft-sds/100_Users/Teacher.csv", "microsoft-sds-teacher", []),
        ("oneroster-edfi/users.csv", "oneroster", []),
        ("powerschool-finalsite/students_example.csv", "powerschool-students", ["email"]),
    ],
)
def test_real_file_gets_its_preset(
    capsys: pytest.CaptureFixture[str], file: str, preset: str, missing: list[str]
) -> None:
    said = command(capsys, "mapper", "suggest", DATA / file, "--json")
    assert said.document["presets"] == [{"name": preset, "missing": missing}]
    text = command(capsys, "mapper", "suggest", DATA / file).out
    assert parse_mapping(text).rules


@pytest.mark.parametrize("file", sorted(DATA.rglob("*.csv")), ids=lambda file: "/".join(file.parts[-2:]))
def test_every_real_header_has_lines(capsys: pytest.CaptureFixture[str], file: Path) -> None:
    assert command(capsys, "mapper", "suggest", file).exit_code == 0


def test_list_of_parents_has_no_id(capsys: pytest.CaptureFixture[str]) -> None:
    said = command(capsys, "mapper", "suggest", DATA / "powerschool-finalsite/parents_example.csv")
    assert "extends" not in said.out
    assert "speak of other people" in said.out
    assert "\n#mapper.suggested.column.custom_id=studentNumber\n" in said.out


def test_own_header_maps_values_only(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    lines = suggested(capsys, tmp_path, f"{OURS}\nAna,,Lee,a@x.example,7,1,pupil,,07,Active\n")
    assert lines[0] == "# The header has our names: no column needs a mapping."
    assert [line for line in lines if not line.startswith("#")] == ["value.user_type.pupil=Student", "value.grade.07=7"]


def test_table_prefixes_and_full_names(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    text = 'STU.ID;Student Name;STU.SC;STU.GR;STU.SEM;STU.TG\n00123;"Lee, Ana";12;9;ana@x.example;I\n'
    lines = suggested(capsys, tmp_path, text)
    assert "column.custom_id=STU.ID" in lines
    assert 'split.last_name=Student Name, before ","' in lines
    assert 'split.first_name=Student Name, after ","' in lines
    assert "column.school_district_external_id=STU.SC" in lines
    assert "#mapper.suggested.value.status.I=Disabled" in lines  # one letter means this here and that elsewhere


def test_content_finds_addresses_grades_ids(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    rows = "".join(f"1000{n},{grade},p{n}@x.example\n" for n, grade in enumerate(("09", "K", "10", "11", "12")))
    lines = suggested(capsys, tmp_path, f"A,B,C\n{rows}")
    assert "# email: content: addresses." in lines
    assert "column.email=C" in lines
    assert "# grade: content: grade codes (09, 10, 11)." in lines
    assert "column.grade=B" in lines
    assert "#mapper.suggested.column.custom_id=A" in lines


def test_parents_are_skipped(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    rows = "".join(f"{n},Lee,{role}\n" for n, role in enumerate(("learner", "guardian", "principal"), start=10))
    lines = suggested(capsys, tmp_path, f"Student ID,Last Name,Role\n{rows}")
    assert "skip.Role=guardian" in lines
    assert "value.user_type.learner=Student" in lines
    assert "#mapper.suggested.value.user_type.principal=Administrator" in lines  # nobody gets power by a guess


def test_constant_status_rejects_preset(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    header = "First_name,Last_name,Student_email,Student_id,School_id,Grade"
    assert "extends=clever-students" in suggested(capsys, tmp_path, f"{header}\nAna,Lee,a@x.example,7,1,3\n")
    with_status = suggested(capsys, tmp_path, f"{header},Enrollment Status\nAna,Lee,a@x.example,7,1,3,Withdrawn\n")
    assert "extends=clever-students" not in with_status
    assert "value.status.Withdrawn=Disabled" in with_status


def test_user_names_are_not_addresses(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    lines = suggested(capsys, tmp_path, "ID,Username\n7,lee.ana\n8,rahm.bo\n")
    assert "column.email=Username" not in lines
    assert "#mapper.suggested.template.email={Username:lower}@district.example" in lines


def test_equal_presets_are_named(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    header = "person_id,first_name,middle_name,last_name,email_address,location_id"
    lines = suggested(capsys, tmp_path, f"{header}\n7,Ana,,Lee,a@x.example,1\n")
    assert "apple-school-manager-students, apple-school-manager-staff" in lines[0]
    assert "extends=apple-school-manager-staff" not in lines


def test_written_file_is_a_mapping(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    made = tmp_path / "north.properties"
    source = DATA / "microsoft-sds/100_Users/Student.csv"
    assert command(capsys, "mapper", "suggest", source, "--write", made).exit_code == 0
    assert command(capsys, "mapper", "test", source, "--mapping", made).exit_code == 0
    again = command(capsys, "mapper", "suggest", source, "--write", made)
    assert again.exit_code != 0
    assert "exists already" in again.err


def test_guardian_and_password_never_proposed() -> None:
    found = propose(Sample(["Guardian Email", "password", "custom id"], [["a@b.example", "x@y.example", "1"]]))
    assert [each.header for each in found if each.key.startswith("column.") and each.header] == ["custom id"]


def test_two_address_columns_stay_open() -> None:
    found = propose(Sample(["Home", "Work"], [["a@b.example", "c@d.example"]]))
    email = next(each for each in found if each.field == "email")
    assert email.is_open
    assert '"Work" would fit as well' in email.reason


NAMES = st.one_of(st.text(max_size=20), st.sampled_from((*OURS.split(","), "Name", "Role", "Login")))
VALUES = ("Lee, Ana", "Lee Ana", "parent", "A", "0", "a@x.example", "K")
CELLS = st.one_of(st.text(max_size=8), st.sampled_from(VALUES))


@settings(deadline=None)  # a busy machine is slower than any deadline
@given(st.lists(NAMES, max_size=12), st.lists(st.lists(CELLS, max_size=12), max_size=6))
def test_lines_parse_for_any_file(header: list[str], rows: list[list[str]]) -> None:
    sample = Sample(header, rows)
    columns = [each.value for each in propose(sample) if each.key.startswith("column.") and each.value]
    assert len(columns) == len(set(columns))
    lines = [line for line in suggest(sample).lines() if line]
    taken_off = [line.removeprefix("#") for line in lines if line.startswith("#mapper.") and not line.endswith("=")]
    for text in ([line for line in lines if not line.startswith("#")], taken_off):
        if text:
            mapping = parse_mapping("\n".join(text))
            assert mapping.rules or mapping.skips or mapping.variants
