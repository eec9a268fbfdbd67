"""The line of the header: what is skipped above it, and the files whose first row is a person."""

import re
from pathlib import Path

import pytest
from kit.commands import HEADER, Said, command

PEOPLE = (
    "Ana,,Ruiz,ana@lakeview.example,1001,020,Student,,9,Active",
    "Bo,,Lund,bo@lakeview.example,1002,020,Student,,9,Active",
    "Cy,,Vale,cy@lakeview.example,1003,010,Student,,5,Active",
)
ROSTER = "\n".join([HEADER, *PEOPLE]) + "\n"
TITLES = "Lakeview School District\nRun date: 11/28/2026 06:00 AM\n\n"
VALUES = re.compile(r"Ana|Ruiz|lakeview|1001|020|06a|2014|Lund")


class Checker:
    """Checks files of these bytes, with these lines of a mapping."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self.capsys = folder, capsys

    def __call__(self, content: str | bytes, *options: str | Path, mapping: str = "") -> Said:
        file, lines = self.folder / "people.csv", self.folder / "m.properties"
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        lines.write_text("".join(f"mapper.m.{line}\n" for line in mapping.split("\n")), encoding="utf-8")
        mapped = ("--mapping", lines) if mapping else ()
        return command(self.capsys, "check", file, "--json", "--mode", "students", *mapped, *options)


@pytest.fixture
def check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Checker:
    return Checker(tmp_path, capsys)


@pytest.mark.parametrize(
    "content",
    [
        "sep=,\n" + ROSTER,
        "\ufeffsep=,\r\n" + ROSTER.replace("\n", "\r\n"),
        '"sep=;"\n' + ROSTER.replace(",", ";"),
        "SEP=\t\n" + ROSTER.replace(",", "\t"),
        "sep=|\n\n" + ROSTER.replace(",", "|"),
        "sep=,,,,,,,,,\n" + ROSTER,
        '#TYPE System.Management.Automation.PSCustomObject\n"' + HEADER.replace(",", '","') + '"\n' + PEOPLE[0] + "\n",
        TITLES + ROSTER,
        "sep=,\n" + TITLES + ROSTER,
        TITLES.replace("\n", "\r\n") + ROSTER.replace("\n", "\r\n"),
        (TITLES + ROSTER).encode("utf-16"),
        "Students,,,,,,,,,\n,,,,,,,,,\nPrinted,11/28/2026,,,,,,,,\n" + ROSTER,
        "HDR|20261128|STUDENTS\n" + ROSTER.replace(",", "|"),
        "# written by the SIS\n" * 19 + ROSTER,
        'Title\n"first_\nname"' + ROSTER.removeprefix("first_name"),
    ],
)
def test_lines_above_the_header_are_skipped(check: Checker, content: str | bytes) -> None:
    said = check(content)
    assert (said.exit_code, said.document["findings"]) == (0, {"file.preamble": 1})
    assert said.document["file"]["rows"] == (1 if "#TYPE" in str(content) else 3)


@pytest.mark.parametrize("content", [ROSTER, "\n\n \n" + ROSTER, "\ufeff\n" + ROSTER])
def test_blank_lines_are_no_preamble(check: Checker, content: str) -> None:
    assert check(content).document["findings"] == {}


def test_lines_keep_their_numbers_under_titles(check: Checker, capsys: pytest.CaptureFixture[str]) -> None:
    file = check.folder / "people.csv"
    file.write_text(TITLES + ROSTER.replace("ana@lakeview.example", "ana"), encoding="utf-8")
    said = command(capsys, "check", file)
    assert "line 5" in said.out
    assert "the header is on line 4; the lines above it were skipped: 2" in said.out


@pytest.mark.parametrize(
    ("content", "code", "line"),
    [
        (TITLES + ROSTER.replace("custom_id", "number"), "file.header_missing", 4),
        ("#\n" * 20 + ROSTER, "file.header_missing", 1),
        (f"{PEOPLE[0]}\n{ROSTER}", "file.no_header", 1),
        (f"Ana,,Ruiz,,1001,020,Student,,9,Active\n{ROSTER}", "file.no_header", 1),
        (HEADER.replace("email", "mail") + f"\n{PEOPLE[0]}\n{ROSTER}", "file.header_missing", 1),
        (HEADER.replace(",status", "") + f"\n{PEOPLE[0]}\n{ROSTER}", "file.header_missing", 1),
    ],
)
def test_people_above_a_header_are_no_titles(check: Checker, content: str, code: str, line: int) -> None:
    said = check(content)
    assert said.exit_code == 6
    assert (said.document["refused"]["code"], said.document["refused"]["line"]) == (code, line)
    assert not VALUES.search(said.out + said.err)


@pytest.mark.parametrize(
    "above",
    [
        "Bo,M,Lee,none,BETA,SOUTH,Teacher,Head,,Disabled",
        "Bo,M,Lee,none,١٢,SOUTH,Teacher,Head,,Disabled",
        "Bo,M,Lee,none,BETA,SOUTH,Teacher,Teacher,,Disabled",
        "NULL,NULL,NULL,none,BETA,SOUTH,Teacher,Head,,Disabled",
        "Lee,Lee,Lee,Lee,Lee,Lee,Lee,Lee,Lee,Lee",
        "Pupil,Pupil,Pupil,Contact,Number,School,Kind,Job,Class,Active",
        "Pupil,Pupil,Pupil,Contact,Number,School,Kind,Job,Class,State\n",
        "Pupil,Pupil,Pupil,Contact,Number,School,Kind,Job,Class,State\nStudents",
        "Pupil,Pupil,Contact,Contact,Number,School,Kind,Job,Class,State",
    ],
)
def test_line_of_words_above_a_header_may_be_a_person(check: Checker, above: str) -> None:
    assert check(f"{above}\n{ROSTER}").document["refused"]["line"] == 1


def test_labels_are_directly_above_the_header(check: Checker) -> None:
    labels = "Pupil,Pupil,Pupil,Contact,Number,School,Kind,Job,Class,State\n"
    assert check(f"Students\n{labels}{ROSTER}").document["findings"] == {"file.preamble": 1}
    repeated = ROSTER.replace("Bo,,Lund", "Bo,Bo,Lund")
    assert check(labels + repeated).exit_code == 6  # equal values in a record, as if the line were a person


@pytest.mark.parametrize(
    "first",
    [
        "06a;Ruiz;Ana;12.03.2014;S1;110",
        "06a;Ruiz;Ana;2014-03-12;S1;110",
        "06a;Ruiz;Ana;3/12/14;S1;110",
        "06a;Ruiz;Ana;3/12/2014 0:00;S1;110",
        "06a;Ruiz;Ana;20140312;S1;110",
        "06a;Ruiz;Ana;12 Mar 2014;S1;110",
        "06a;Ruiz;Ana;ana@lakeview.example;S1;110",
        "06a;Ruiz;Ana;;S1;110",  # the class and the school are also below
        '"06A ";Ruiz;Ana;;S1;110',
        "email;Ruiz;Ana;12.03.2014;custom_id;110",
    ],
)
def test_first_row_that_is_a_person_is_no_header(check: Checker, first: str) -> None:
    said = check(f"{first}\n06a;Lund;Bo;;S2;110\n07b;Vale;Cy;;S3;110\n")
    assert (said.exit_code, said.document["refused"]["code"]) == (6, "file.no_header")
    assert not VALUES.search(said.out + said.err)


@pytest.mark.parametrize(
    "first",
    [
        "Class;Last;First;Birth date;Number;School",
        "06a;Last;First;Born;Number;School",  # one cell like one below
        "Active;Last;First;Student;Number;School",  # names of columns that hold Y and N
        "Class;Last;First;Grade 9-10;Number;2026-27",
    ],
)
def test_header_that_lacks_fields_is_one(check: Checker, first: str) -> None:
    said = check(f"{first}\n06a;Lund;Bo;Y;S2;110\n07b;Vale;Cy;N;S3;110\n")
    assert said.document["refused"]["code"] == "file.header_missing"


def test_two_joined_exports_are_no_person(check: Checker) -> None:
    part = "Class;Last;First\n06a;Lund;Bo\n"
    assert check(part * 2).document["refused"]["code"] == "file.header_missing"


def test_only_person_of_a_file_is_not_printed(check: Checker) -> None:
    said = check("1001;Ana;Ruiz;020\n")
    assert said.exit_code == 6
    assert not VALUES.search(said.out + said.err)


def test_whole_header_is_never_a_person(check: Checker) -> None:
    lines = "column.first_name=Given\nconstant.middle_name=\ncolumn.last_name=Family\ncolumn.email=Mail"
    more = "custom_id=No\nconstant.school_district_external_id=020\nconstant.user_type=Student"
    mapping = f"{lines}\ncolumn.{more}\nconstant.position=\nconstant.grade=9\nconstant.status=Active"
    content = "Given,Family,Mail,No,1/2/2014,9\nAna,Ruiz,ana@lakeview.example,No,1/2/2014,9\n"
    assert check(content, mapping=mapping).exit_code == 0


def test_header_that_was_said_is_never_a_person(check: Checker) -> None:
    said = check("06a;Ruiz;12.03.2014\n07b;Vale;11.04.2014\n", "--header-line", "1")
    assert said.document["refused"]["code"] == "file.header_missing"


def test_person_that_was_said_to_be_the_header_is_not_printed(check: Checker) -> None:
    # "Active" is also the name of a column in some exports.
    for content in ("\n".join(PEOPLE) + "\n", "\n".join(line.replace("@", "") for line in PEOPLE) + "\n"):
        said = check(content, "--header-line", "1")
        assert said.document["refused"]["code"] == "file.header_missing"
        assert not re.search(f"{VALUES.pattern}|Active", str(said.document))


def test_people_above_a_header_that_was_said_are_counted(check: Checker) -> None:
    said = check("\n".join([*PEOPLE[:2], "", HEADER, PEOPLE[2]]) + "\n", "--header-line", "4")
    assert said.document["findings"] == {"file.preamble": 1}
    assert said.document["file"]["rows"] == 1


@pytest.mark.parametrize(
    "line",
    [
        *(
            "column.email=ana@lakeview.example",
            "column.email=Mail | 12.03.2014",
            'split.first_name=2014-03-12, after ","',
        ),
        *("skip.ana@lakeview.example=x", "header=none\ncolumns=A | ana@lakeview.example"),
        "template.email={ana@lakeview.example}",
    ],
)
def test_mapping_that_names_a_person_is_refused(check: Checker, line: str) -> None:
    said = check(ROSTER, mapping=line)
    assert (said.exit_code, said.document["refused"]["code"]) == (6, "file.no_header")
    assert not VALUES.search(said.out + said.err)


def test_columns_of_a_file_without_a_header_are_named(check: Checker) -> None:
    columns = HEADER.replace(",", " | ").replace("position", "")
    mapping = f"header=none\ncolumns={columns}\nconstant.position="
    plain = "\n".join(PEOPLE)
    for content in (
        plain,
        "\ufeff" + "\r\n".join(PEOPLE),
        "\n\n" + plain.replace(",", ";"),
        plain.replace("ive", "ive,,"),
    ):
        said = check(content, mapping=mapping)
        assert (said.exit_code, said.document["file"]["rows"]) == (0, 3), said.out


def test_refusal_names_the_line_most_like_a_header(check: Checker) -> None:
    refused = check(TITLES + ROSTER.replace("custom_id", "number")).document["refused"]
    assert refused["message"].startswith("The header on line 4 lacks custom_id.")


def test_columns_must_be_as_many_as_the_cells(check: Checker) -> None:
    said = check("\n".join(PEOPLE), mapping=f"columns={HEADER.replace(',', ' | ')} | more")
    assert said.document["refused"]["code"] == "file.header_missing"
    assert "11 columns were named" in said.document["refused"]["message"]
    assert not VALUES.search(said.out + said.err)


def test_refusal_names_the_whole_header_below_a_wide_title(check: Checker) -> None:
    title = "Report,Student list,School,Lakeview,Year,2026/27,User,admin\n"
    refused = check(title + ROSTER)
    assert refused.document["refused"]["code"] == "file.header_missing"
    assert "Line 2 has all of them. If the lines above it are titles" in refused.err
    assert check(title + ROSTER, "--header-line", "2").document["file"]["rows"] == len(PEOPLE)


def test_columns_of_a_file_that_one_delimiter_cannot_split(check: Checker) -> None:
    refused = check('"Mia"|"Silva"\n', mapping="columns=A | B | C").document["refused"]
    assert refused["message"] == "3 columns were named, but the first lines of the file have at most 2."


@pytest.mark.parametrize(("line", "code"), [("3", "file.header_missing"), ("9", "file.header_missing")])
def test_said_line_must_be_there(check: Checker, line: str, code: str) -> None:
    assert check(TITLES + ROSTER, "--header-line", line).document["refused"]["code"] == code
    assert check(TITLES + ROSTER, "--header-line", "4").document["findings"] == {}


def test_flag_beats_the_mapping(check: Checker) -> None:
    assert check(TITLES + ROSTER, "--header-line", "4", mapping="header=1").exit_code == 0
    assert check(ROSTER.replace(",", ";"), "--delimiter", ";", mapping="delimiter=comma").exit_code == 0
    assert check(ROSTER.replace(",", ";"), mapping="delimiter=comma").exit_code == 6


def test_our_failed_rows_are_read_whatever_is_said(check: Checker) -> None:
    columns = HEADER.replace(",", " | ")
    said = check(
        f"sis_sync_message,{HEADER}\nwrong,{PEOPLE[0]}\n",
        *("--mode", "partial"),  # corrections go back as partial
        mapping=f"encoding=utf-16-le\ndelimiter=tab\nheader=none\ncolumns={columns}",
    )
    assert (said.exit_code, said.document["file"]["rows"]) == (0, 1)
