"""`sis-sync check`: findings of a file, without accounts."""

from pathlib import Path

import pytest
from kit.commands import HEADER, Said, command
from kit.plans import ORGS

ANA = "Ana,,Ruiz,ana@lakeview.example,1001,020,Student,,9,Active"
TOM = "Tom,,Till,tom@lakeview.example,T1,999,Teacher,Math,,Active"


class Checker:
    """Checks a file of these rows."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self.capsys = folder, capsys

    def __call__(self, *rows: str, options: tuple[str | Path, ...] = (), header: str = HEADER) -> Said:
        file = self.folder / "people.csv"
        file.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8", newline="")
        return command(self.capsys, "check", file, *options)

    @property
    def orgs(self) -> Path:
        path = self.folder / "orgs.csv"
        path.write_text(ORGS, encoding="utf-8")
        return path


@pytest.fixture
def check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Checker:
    return Checker(tmp_path, capsys)


def test_good_file_has_no_findings(check: Checker) -> None:
    said = check(ANA, options=("--json",))
    assert said.exit_code == 0
    assert said.document["findings"] == {}
    assert said.err == ""


def test_json_is_part_of_plans(check: Checker) -> None:
    said = check(ANA, options=("--json", "--mode", "students"))
    assert list(said.document) == ["schema_version", "file", "mode", "counts", "findings"]
    assert said.document["schema_version"] == 1
    assert said.document["mode"] == "students"
    assert said.document["file"]["rows"] == 1
    assert not {"create", "update", "restore", "unchanged", "delete", "disable"} & set(said.document["counts"])


def test_orgs_judged_if_given(check: Checker) -> None:
    assert check(TOM, options=("--json",)).document["findings"] == {}
    said = check(TOM, options=("--json", "--orgs", check.orgs))
    assert (said.exit_code, said.document["findings"]) == (7, {"org.unknown": 1})


def test_types_judged_if_mode_given(check: Checker) -> None:
    assert check(TOM, options=("--json",)).exit_code == 0
    said = check(TOM, options=("--json", "--mode", "students"))
    assert (said.exit_code, said.document["findings"]) == (7, {"user_type.out_of_mode": 1})


def test_mapping_is_used(check: Checker) -> None:
    mapping = check.folder / "mapping.properties"
    mapping.write_text("mapper.m.column.custom_id=Number\n", encoding="utf-8")
    header = HEADER.replace("custom_id", "Number")
    assert check(ANA, header=header, options=("--json",)).document["refused"]["code"] == "file.header_missing"
    assert check(ANA, header=header, options=("--json", "--mapping", mapping)).exit_code == 0


def test_missing_field_names_its_columns(check: Checker) -> None:
    mapping = check.folder / "mapping.properties"
    lines = 'mapper.m.template.email={Usernme}@l.example\nmapper.m.split.last_name=Full Nam, before ","\n'
    mapping.write_text(lines, encoding="utf-8")
    header = HEADER.replace("email", "Username").replace("last_name", "Full Name")
    message = check(ANA, header=header, options=("--json", "--mapping", mapping)).document["refused"]["message"]
    assert 'mapping\'s line template.email reads from Usernme (is it "Username"?)' in message
    assert 'mapping\'s line split.last_name reads from Full Nam (is it "Full Name"?)' in message


def test_ambiguous_bundle_file_refused(check: Checker) -> None:
    header = "person_id,person_number,first_name,middle_name,last_name,email_address,sis_username,location_id"
    said = check("P1,,Mia,,Silva,mia@x.example,,010", header=header, options=("--mapping", "apple-school-manager"))
    assert said.exit_code == 3
    assert "Name the one it is: apple-school-manager-students or apple-school-manager-staff" in said.err


def test_findings_grouped_by_code(check: Checker) -> None:
    rows = [ANA.replace("1001", str(n)).replace("ana@lakeview.example", f"bad{n}") for n in range(2)]
    gone = ANA.replace("Active", "Gone").replace("1001", "1009")
    said = check(*rows, gone)
    assert said.exit_code == 7
    assert "people.csv: 3 rows" in said.out
    places = [
        said.out.index("email.invalid: 2"),
        said.out.index('people.csv line 2, email: "bad0" is not an email address'),
        said.out.index('people.csv line 3, email: "bad1" is not an email address'),
        said.out.index("status.unknown: 1"),
        said.out.index('people.csv line 4, status: "Gone" is not one of Active, Disabled'),
    ]
    assert places == sorted(places)
    assert "Correct it in the SIS and send the file again." in said.out


def test_missing_header_with_closest_guess(check: Checker) -> None:
    said = check(ANA, header=HEADER.replace("custom_id", "custom_ident"), options=("--json",))
    assert said.exit_code == 6
    assert list(said.document) == ["schema_version", "refused"]
    message = said.document["refused"]["message"]
    assert "custom_id" in message
    assert "custom_ident" in message
    assert "status" in message, "what was found is listed"


@pytest.mark.parametrize("mode", ["full", "students", "staff"])
def test_lone_header_refused_in_full(check: Checker, mode: str) -> None:
    said = check(options=("--json", "--mode", mode))
    assert (said.exit_code, said.document["refused"]["code"]) == (6, "file.empty")


def test_lone_header_allowed_in_partial(check: Checker) -> None:
    assert check(options=("--json", "--mode", "partial")).exit_code == 0


def test_kind_of_file_is_named(check: Checker) -> None:
    said = check(header="<!DOCTYPE html><html><body>Sign in</body></html>")
    assert said.exit_code == 6
    assert "HTML" in said.err.upper()


def test_unknown_mapping_is_an_error(check: Checker) -> None:
    said = check(ANA, options=("--mapping", "one-roster"))
    assert (said.exit_code, said.out) == (3, "")
    assert "oneroster" in said.err


def test_unknown_mode_is_an_error(check: Checker) -> None:
    assert check(ANA, options=("--mode", "all")).exit_code == 2
