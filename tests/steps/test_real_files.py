"""Sample files that other products publish, read with the presets: exact counts, findings and lines."""

import re
from pathlib import Path

import pytest
from kit.commands import Said, command, written_plan

from sis_sync.core.fields import FIELD_NAMES
from sis_sync.engine.duckdb import open_session
from sis_sync.steps.map.map import map_records
from sis_sync.steps.map.mapper_lines import parse_mapping
from sis_sync.steps.read.read import read

DATA = Path(__file__).parents[1] / "data"
ORGS = {
    "microsoft-sds": ("10001", "10002"),
    "oneroster-edfi": ("255901", "255901001"),
    "powerschool-finalsite": ("100", "200", "300"),
}
NO_CHANGE = {
    "create": 0,
    "update": 0,
    "restore": 0,
    "unchanged": 0,
    "ignored": 0,
    "failed": 0,
    "delete": 0,
    "disable": 0,
}


class Desk:
    """Plans files of `tests/data` against the orgs of their folder."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self.capsys = folder, capsys

    def plan(
        self, file: str, mapping: str, *, mode: str = "partial", accounts: Path | None = None, orgs: str = ""
    ) -> Said:
        names = ORGS[orgs or file.split("/")[0]]
        orgs_file = self.folder / "orgs.csv"
        orgs_file.write_text("external_id,name\n" + "".join(f"{org},School {org}\n" for org in names), encoding="utf-8")
        known = ("--accounts", accounts) if accounts else ()
        options = (
            "--mode",
            mode,
            "--orgs",
            orgs_file,
            "--mapping",
            self.mapping(mapping),
            "--output",
            self.output,
            *known,
        )
        return command(self.capsys, "plan", DATA / file, *options, "--json")

    def mapping(self, lines: str) -> str:
        """A preset's name, or the path of a file with these lines."""
        if "=" not in lines:
            return lines
        path = self.folder / "mapping.properties"
        path.write_text(lines, encoding="utf-8")
        return str(path)

    @property
    def output(self) -> Path:
        return self.folder / "plan.csv"


@pytest.fixture
def desk(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Desk:
    return Desk(tmp_path, capsys)


SDS_ADDRESSES = "mapper.sds.extends=microsoft-sds\nmapper.sds.template.email={Username:lower}@contoso.example\n"
PS_ADDRESSES = "mapper.ps.extends=powerschool\nmapper.ps.template.email={Student_Number}@district.example\n"


@pytest.mark.parametrize(
    ("file", "rows", "ignored_columns"),
    [
        ("100_Users/Student.csv", 86, 5),
        ("100_Users/Teacher.csv", 12, 4),
        ("25_Users/Student.csv", 22, 5),
        ("25_Users/Teacher.csv", 2, 4),
    ],
)
def test_sds_addresses_from_user_names(desk: Desk, file: str, rows: int, ignored_columns: int) -> None:
    said = desk.plan(f"microsoft-sds/{file}", SDS_ADDRESSES)
    assert said.exit_code == 0
    assert said.document["counts"] == {**NO_CHANGE, "rows": rows, "create": rows}
    assert said.document["findings"] == {"column.ignored": ignored_columns}
    assert [row["line"] for row in written_plan(desk.output)] == [str(line) for line in range(2, rows + 2)]


@pytest.mark.parametrize(
    ("file", "rows"), [("100_Users/Student.csv", 86), ("100_Users/Teacher.csv", 12), ("25_Users/Student.csv", 22)]
)
def test_sds_without_domain_lacks_addresses(desk: Desk, file: str, rows: int) -> None:
    said = desk.plan(f"microsoft-sds/{file}", "microsoft-sds")
    assert said.exit_code == 7
    assert said.document["counts"] == {**NO_CHANGE, "rows": rows, "failed": rows}
    assert said.document["findings"]["email.invalid"] == rows
    assert "guard.failed_rows" in {guard["code"] for guard in said.document["guards"]}


def test_sds_logins_need_no_second_address(desk: Desk, tmp_path: Path) -> None:
    export = tmp_path / "Student.csv"
    header = "SIS ID,School SIS ID,First Name,Last Name,Username,Grade"
    export.write_text(f"{header}\n7,10001,Ana,Lee,ALee,3\n", encoding="utf-8")
    said = desk.plan(str(export), SDS_ADDRESSES, orgs="microsoft-sds")
    assert said.exit_code == 0
    assert said.document["counts"] == {**NO_CHANGE, "rows": 1, "create": 1}


def test_sds_students_have_own_lines(desk: Desk) -> None:
    desk.plan("microsoft-sds/100_Users/Student.csv", SDS_ADDRESSES, mode="students")
    rows = written_plan(desk.output)
    assert [row["custom_id"] for row in rows] == [str(number) for number in range(13001, 13087)]


def test_teachers_in_students_mode_fail(desk: Desk) -> None:
    said = desk.plan("microsoft-sds/100_Users/Teacher.csv", SDS_ADDRESSES, mode="students")
    assert said.document["counts"] == {**NO_CHANGE, "rows": 12, "failed": 12}
    assert said.document["findings"]["user_type.out_of_mode"] == 12


def test_oneroster_with_ragged_rows(desk: Desk) -> None:
    said = desk.plan("oneroster-edfi/users.csv", "oneroster")
    assert said.exit_code == 0  # two records lack cells of optional columns at their end
    assert said.document["counts"] == {**NO_CHANGE, "rows": 10, "create": 10}
    assert said.document["findings"] == {"row.columns_empty": 1, "file.no_final_newline": 1, "column.ignored": 7}
    assert {guard["code"] for guard in said.document["guards"]} == {"guard.no_final_newline"}
    rows = [(row["line"], row["action"], row["custom_id"], row["codes"]) for row in written_plan(desk.output)]
    assert rows[0] == ("2", "create", "604863", "")
    assert [row[:2] for row in rows[8:]] == [("10", "create"), ("11", "create")]


def test_oneroster_ragged_teacher_is_kept(desk: Desk) -> None:
    kelley = "Kelley,Heidi,Christian,Kelley.Christian@studentgps.org,207270,255901001,Teacher,,,Active"
    left = "Ana,,Ruiz,ana@studentgps.org,207271,255901001,Teacher,,,Active"
    accounts = desk.folder / "accounts.csv"
    header = (
        "first_name,middle_name,last_name,email,custom_id,school_district_external_id,user_type,position,grade,status"
    )
    accounts.write_text(f"{header}\n{kelley}\n{left}\n", encoding="utf-8")
    said = desk.plan("oneroster-edfi/users.csv", "oneroster", mode="full", accounts=accounts)
    assert said.document["counts"] == {**NO_CHANGE, "rows": 10, "create": 9, "unchanged": 1, "delete": 1}
    assert written_plan(desk.output)[-1]["custom_id"] == "207271"
    held = {guard["code"] for guard in said.document["guards"]}
    assert held == {"guard.creations", "guard.no_final_newline"}


def test_no_cell_is_cleaned_inside_another() -> None:
    """Each copy of a cleaned cell inside another multiplies what the engine prepares: with OneRoster, seconds."""
    mapping = parse_mapping("mapper.other.extends=oneroster\n")
    with open_session() as session:
        records = read(session, DATA / "oneroster-edfi/users.csv", mapping=mapping)
        map_records(session, records, is_complete=False)
        view = session.value("SELECT sql FROM duckdb_views() WHERE view_name = 'roster'")
    brackets: list[str] = []
    for found in re.findall(r"clean\(|\(|\)", re.sub("'[^']*'", "''", view)):
        if found == ")":
            brackets.pop()
        else:
            brackets.append(found)
            assert brackets.count("clean(") <= 1
    assert view.count("clean(") > len(FIELD_NAMES)


def test_powerschool_addresses_from_numbers(desk: Desk) -> None:
    said = desk.plan("powerschool-finalsite/students_example.csv", PS_ADDRESSES, mode="students")
    assert said.exit_code == 0
    assert said.document["counts"] == {**NO_CHANGE, "rows": 19, "create": 19}
    assert said.document["findings"] == {"column.ignored": 20}
    assert said.document["guards"] == []


REFUSED = [
    ("powerschool-finalsite/students_example.csv", "powerschool"),
    ("powerschool-finalsite/parents_example.csv", PS_ADDRESSES),
    ("microsoft-sds/Min_Required_Attributes/Student.csv", SDS_ADDRESSES),
    ("microsoft-sds/Min_Required_Attributes/Teacher.csv", SDS_ADDRESSES),
    ("microsoft-sds/100_Users/School.csv", SDS_ADDRESSES),
    ("microsoft-sds/100_Users/StudentEnrollment.csv", SDS_ADDRESSES),
    ("microsoft-sds/100_Users/TeacherRoster.csv", SDS_ADDRESSES),
    ("oneroster-edfi/academicSessions.csv", "oneroster"),
    ("oneroster-edfi/classes.csv", "oneroster"),
    ("oneroster-edfi/courses.csv", "oneroster"),
    ("oneroster-edfi/demographics.csv", "oneroster"),
    ("oneroster-edfi/enrollments.csv", "oneroster"),
    ("oneroster-edfi/manifest.csv", "oneroster"),
    ("oneroster-edfi/orgs.csv", "oneroster"),
]


@pytest.mark.parametrize(("file", "mapping"), REFUSED)
def test_bundle_file_without_users_refused(desk: Desk, file: str, mapping: str) -> None:
    said = desk.plan(file, mapping, mode="full")
    assert said.exit_code == 6
    assert said.document["refused"]["code"] == "file.header_missing"
    assert not desk.output.exists()
