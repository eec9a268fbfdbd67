"""`mapper suggest`: the proposals for real headers, and lines that parse for any header."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kit.commands import command
from kit.plans import examples

from sis_sync.steps.map.mapper_lines import parse_mapping
from sis_sync.steps.map.mapping import NO_MAPPING
from sis_sync.steps.map.suggest.header_words import names_school_year, words_of
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
        ("microsoft-sds/100_Users/Student.csv", "microsoft-sds-student-logins", ["email"]),
        ("microsoft-sds/100_Users/Teacher.csv", "microsoft-sds-teacher-logins", ["email"]),
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
    assert "are about other people" in said.out
    assert "\n#mapper.suggested.column.custom_id=studentNumber\n" in said.out


def test_own_header_maps_values_only(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    lines = suggested(capsys, tmp_path, f"{OURS}\nAna,,Lee,a@x.example,7,1,pupil,,07,Active\n")
    assert lines[0] == "# The header has our names: no column needs a mapping."
    assert [line for line in lines if not line.startswith("#")] == ["value.user_type.pupil=Student", "value.grade.07=7"]


def test_preset_and_full_names(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    text = 'STU.ID;Student Name;STU.SC;STU.GR;STU.SEM;STU.TG\n00123;"Lee, Ana";12;9;ana@x.example;I\n'
    lines = suggested(capsys, tmp_path, text)
    assert "extends=aeries-students" in lines
    assert 'split.last_name=Student Name, before ","' in lines
    assert 'split.first_name=Student Name, after ","' in lines


def test_flags_of_one_letter_stay_open(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    lines = suggested(capsys, tmp_path, "Student ID,Status\n7,A\n8,I\n")
    assert "column.status=Status" in lines
    assert "#mapper.suggested.value.status.I=Disabled" in lines  # one letter means this here and that elsewhere


def test_table_names_before_headers(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    header = "Students.Student_Number,Students.First_Name,Students.Last_Name,Students.SchoolID,Students.Grade_Level"
    lines = suggested(capsys, tmp_path, f"{header}\n7,Ana,Lee,110,3\n")
    assert "extends=powerschool-students" in lines
    assert "column.custom_id=Students.Student_Number" in lines


def test_columns_known_by_their_cells_stay_open(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    rows = "".join(f"1000{n},{grade},p{n}@x.example\n" for n, grade in enumerate(("09", "K", "10", "11", "12")))
    lines = suggested(capsys, tmp_path, f"A,B,C\n{rows}")
    assert any(line.startswith("# email: content: addresses.") for line in lines)
    assert "#mapper.suggested.column.email=C" in lines
    assert any(line.startswith("# grade: content: grade codes (09, 10, 11).") for line in lines)
    assert "#mapper.suggested.column.grade=B" in lines
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
    source = DATA / "oneroster-edfi/users.csv"
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


NAMES = st.one_of(
    st.text(max_size=20), st.sampled_from((*OURS.split(","), "Name", "Role", "Login", "Klasse", "Exit Date", "Rufname"))
)
VALUES = ("Lee, Ana", "Lee Ana", "parent", "A", "0", "-1", "a@x.example", "K", "7a", "02/03/2014")
CELLS = st.one_of(st.text(max_size=8), st.sampled_from(VALUES))


@examples(25, night=60)
@given(st.lists(NAMES, max_size=12), st.lists(st.lists(CELLS, max_size=12), max_size=6))
def test_lines_parse_for_any_file(header: list[str], rows: list[list[str]]) -> None:
    sample = Sample(header, rows)
    columns = [each.value for each in propose(sample) if each.key.startswith("column.") and not each.is_open]
    assert len(columns) == len(set(columns))
    lines = [line for line in suggest(sample).lines() if line]
    live = [line for line in lines if not line.startswith("#")]
    offered = [line.removeprefix("#") for line in lines if line.startswith("#mapper.") and line[-1] != "="]
    first_of_each = list({line.partition("=")[0]: line for line in reversed(offered)}.values())
    for text in (live, first_of_each, *([line] for line in offered)):
        if text:
            mapping = parse_mapping("\n".join(text))
            assert mapping != NO_MAPPING or mapping.variants


@examples(25, night=60)
@given(st.lists(NAMES, max_size=12), st.lists(st.lists(CELLS, max_size=12), max_size=6))
def test_no_line_that_may_hurt_counts(header: list[str], rows: list[list[str]]) -> None:
    suggestion = suggest(Sample(header, rows))
    for each in (each for each in (*suggestion.columns, *suggestion.values) if not each.is_open):
        assert not each.reason.startswith("content") or each.key.startswith(("split.", "value.", "skip."))
        assert each.key.split(".")[0] in ("column", "split", "value", "skip", "keep")
        assert not each.key.startswith("value.grade.-")


@pytest.mark.parametrize("folder", ["headers", "headers-as-described"])
def test_headers_have_no_wrong_line(folder: str) -> None:
    tool = Path(__file__).parents[2] / "tools" / "measure_suggest.py"
    measured = subprocess.run([sys.executable, tool, DATA / folder], capture_output=True, text=True, check=False)
    assert measured.returncode == 0, measured.stdout + measured.stderr


def test_header_below_title_lines(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    lines = suggested(capsys, tmp_path, "Roster of pupils\n\nNachname;Vorname;Schüler-ID\nLee;Ana;7\nAnzahl: 1\n")
    assert lines[0] == "# Line 3 looks most like the header. Lines 1 to 2 are above it."
    assert "column.last_name=Nachname" in lines
    assert "column.custom_id=Schüler-ID" in lines


def test_contrary_of_the_status_has_one_meaning(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    lines = suggested(capsys, tmp_path, "First,Last,Suspended\nMia,Silva,1\nLeo,Tanaka,0\n")
    values = [line for line in lines if "value.status" in line]
    assert values == ["#mapper.suggested.value.status.1=Disabled", "#mapper.suggested.value.status.0=Active"]


def test_person_is_no_header(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    lines = suggested(capsys, tmp_path, "06a;Lee;Ana;12.03.2014\n07b;Ek;Bo;13.04.2013\n")
    assert "#mapper.suggested.header=none" in lines
    assert "#mapper.suggested.columns=column 1 | column 2 | column 3 | column 4" in lines
    assert not any("Lee" in line for line in lines)


@pytest.mark.parametrize(
    "text",
    [
        "Ana,Ruiz,77123,Student,Active\nBen,Cole,77124,Student,Active\n",
        "Ana,Ruiz,Student,School\nAna,Ek,Student,School\nCy,Ruiz,Student,School\n",
        "Pupil,Vorname,Status\n77123,Ana,Ruiz\n" + "".join(f"7713{n:02},B{n},Cole{n}\n" for n in range(30)),
    ],
)
def test_no_line_prints_a_value_of_a_person(capsys: pytest.CaptureFixture[str], tmp_path: Path, text: str) -> None:
    printed = " ".join(suggested(capsys, tmp_path, text))
    assert not re.search("Ana|Ruiz|Cole|771", printed), printed


@pytest.mark.parametrize(
    ("header", "row", "wanted"),
    [
        ("Stamnr;Roepnaam;Achternaam;Inlognaam", "10234;Mia;Silva;msilva", "column.custom_id=Stamnr"),
        ("Voornaam;Achternaam;Jaargroep", "Mia;Silva;6", "column.grade=Jaargroep"),
        ("First Name,Last Name,Class", "Mia,Silva,Grade 9", "#column.grade=Class"),
        ("Nazwisko;PESEL;Numer w księdze uczniów", "Silva;;10234", "column.custom_id=Numer w księdze uczniów"),
        ("First,Last,Enroll date,Depart date", "Mia,Silva,8/15/2024,", "#dates.status=Enroll date | Depart date"),
        ("Prénom;Nom;École", "Mia;Silva;Foo", "#column.school_district_external_id=École"),
        ("Vezetéknév;Keresztnév;Iskola", "Silva;Mia;Foo", "#column.school_district_external_id=Iskola"),
        ("Name;Vorname;Schule", "Silva;Mia;Goethe-Gymnasium", "#column.school_district_external_id=Schule"),
        ("First,Last,School", "Mia,Silva,ELM STREET", "#column.school_district_external_id=School"),
        ("Apellidos;Nombre;Escuela", "Silva;Mia;E-110", "column.school_district_external_id=Escuela"),
        ("Cognome;Nome;Matricola;Anno di corso", "Silva;Mia;1001;5", "#column.grade=Anno di corso"),
        ("Příjmení;Jméno;Ročník", "Silva;Mia;9", "column.grade=Ročník"),
        ("Name;Vorname;Benutzername", "Silva;Mia;msilva", "column.last_name=Name"),
        ("Apellidos;Nombre;Nombre de usuario", "Silva;Mia;msilva", "column.first_name=Nombre"),
        ("First,Last,Inactive", "Mia,Silva,1", "#value.status.1=Disabled"),
        ("First,Last,Email 1,Email 2", "Mia,Silva,a@x.example,b@x.example", "#column.email=Email 1"),
        ("First,Last,Email 1", "Mia,Silva,a@x.example", "column.email=Email 1"),
        ("Name;Vorname;Aktiv", "Silva;Mia;Nein", "value.status.Nein=Disabled"),
        ("Příjmení;Jméno;Aktivní", "Silva;Mia;Ano\nEk;Bo;Ne", "value.status.Ne=Disabled"),
        ("First,Last,Student Status", "Mia,Silva,NE\nBo,Ek,AC", "#value.status.NE=Disabled"),
        ("First,Last,Unenrolled", "Mia,Silva,Yes", "#value.status.Yes=Disabled"),
        ("Cognome;Nome;Inattivo", "Silva;Mia;Sì", "#value.status.Sì=Disabled"),
        ("First,Last,Student Status", "Mia,Silva,Attending", "value.status.Attending=Active"),
    ],
)
def test_words_of_more_systems(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, header: str, row: str, wanted: str
) -> None:
    lines = suggested(capsys, tmp_path, f"{header}\n{row}\n")
    assert wanted in [line.replace("#mapper.suggested.", "#") for line in lines]


@pytest.mark.parametrize(
    ("header", "is_year"),
    [
        *(("Grade 2026-27", True), ("Grade 2026/2027", True), ("Grade 26-27", True), ("Grade SY2026", True)),
        *(("SY 19-20 Grade", True), ("Grade 1999-00", True), ("Grade 2026-28", False), ("Grade 10-12", False)),
        *(("Grade 11-12", False), ("Address 19-20", False), ("Room 2024", False), ("Easy 2024", False)),
        ("Grade 26-2027", False),
    ],
)
def test_years_in_a_header(header: str, is_year: bool) -> None:
    assert names_school_year(header) == is_year
    assert words_of(header).words[-1].isdigit() != is_year


def test_header_that_stands_twice_is_named(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    lines = suggested(capsys, tmp_path, "Student Number,Student Number,First Name,Last Name\n7,8,Ana,Lee\n")
    assert any(line.startswith('# custom_id: "Student Number" is there twice') for line in lines)
    lines = suggested(capsys, tmp_path, "Student Number,Student Number,First Name,Last Name\n7,7,Ana,Lee\n")
    assert "column.custom_id=Student Number" in lines


def test_flag_of_the_contrary_stays_open(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    lines = suggested(capsys, tmp_path, "Student ID,First Name,Last Name,Suspended\n7,Ana,Lee,0\n8,Bo,Ek,1\n")
    assert "#mapper.suggested.column.status=Suspended" in lines
    assert "#mapper.suggested.value.status.1=Disabled" in lines


def test_options_that_were_said_are_lines(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "export.csv"
    file.write_bytes("Nazwisko;Imię\nŁęcki;Jan\n".encode("windows-1250"))
    said = command(capsys, "mapper", "suggest", file, "--encoding", "windows-1250")
    assert "mapper.suggested.encoding=windows-1250\n" in said.out
    assert "mapper.suggested.column.first_name=Imię\n" in said.out
