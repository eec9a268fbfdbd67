"""What findings say: the one form everywhere, values that are safe to show, and what a value may have meant."""

import csv
import io
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kit.commands import HEADER, Said, command
from kit.plans import at_night

from sis_sync.core.did_you_mean import OrgGuesser, guess_listed
from sis_sync.core.fields import LISTED_VALUES
from sis_sync.core.findings import FINDING_CODES
from sis_sync.core.wording import fill, shown, template_of
from sis_sync.engine.duckdb import open_session
from sis_sync.engine.sql import literal
from sis_sync.steps.validate.messages import make_messages

GOOD = {
    "first_name": "Ana",
    "middle_name": "",
    "last_name": "Ruiz",
    "email": "ana@lakeview.example",
    "custom_id": "1001",
    "school_district_external_id": "0012",
    "user_type": "Student",
    "position": "",
    "grade": "9",
    "status": "Active",
}


class Desk:
    """Plans rows of a student, each with some values changed, and reads the plan back."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self.capsys = folder, capsys
        self.file, self.output = folder / "staff.csv", folder / "plan.csv"

    def plan(self, *changes: dict[str, str], options: tuple[str, ...] = ()) -> Said:
        text = io.StringIO()
        writer = csv.DictWriter(text, HEADER.split(","), lineterminator="\n")
        writer.writeheader()
        for number, values in enumerate(changes):
            unique = {"custom_id": str(1001 + number), "email": f"p{number}@lakeview.example"}
            writer.writerow({**GOOD, **unique, **values})
        self.file.write_text(text.getvalue(), encoding="utf-8", newline="")
        orgs = self.folder / "orgs.csv"
        orgs.write_text("external_id,name\n0012,Lakeview High\nNORTH,North Elementary\n", encoding="utf-8")
        options = ("--mode", "partial", "--orgs", str(orgs), "--output", str(self.output), *options)
        return command(self.capsys, "plan", self.file, *options)

    def knows(self, *people: dict[str, str]) -> tuple[str, ...]:
        """Return the options for a directory with these accounts."""
        file = self.folder / "accounts.csv"
        with file.open("w", encoding="utf-8", newline="") as text:
            writer = csv.DictWriter(text, HEADER.split(","))
            writer.writeheader()
            writer.writerows({**GOOD, **person} for person in people)
        return ("--accounts", str(file))

    def maps(self, *lines: str) -> tuple[str, ...]:
        """Return the options for a mapping called mine with these lines."""
        file = self.folder / "mine.properties"
        file.write_text("\n".join(f"mapper.mine.{line}" for line in lines), encoding="utf-8")
        return ("--mapping", str(file))

    def message(self, *, options: tuple[str, ...] = (), **values: str) -> str:
        self.plan(values, options=options)
        with self.output.open(encoding="utf-8", newline="") as file:
            return next(csv.DictReader(file))["message"]


@pytest.fixture
def desk(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Desk:
    return Desk(tmp_path, capsys)


def test_message_has_all_parts(desk: Desk) -> None:
    assert desk.message(email="ana@example", options=desk.knows({})) == (
        'staff.csv line 2, email: "ana@example" is not an email address (email.invalid). '
        "This account is left as it is. Correct it in the SIS and send the file again."
    )


def test_newcomer_has_no_account_to_leave(desk: Desk) -> None:
    assert desk.message(email="ana@example") == (
        'staff.csv line 2, email: "ana@example" is not an email address (email.invalid). '
        "Correct it in the SIS and send the file again."
    )


@pytest.mark.parametrize(
    ("known", "follows"),
    [
        ((), ""),
        (("1001",), "1 of these people have accounts, which are left as they are."),
        (("1001", "1002"), "These accounts are left as they are."),
    ],
)
def test_group_tells_of_known_accounts(desk: Desk, known: tuple[str, ...], follows: str) -> None:
    people = ({"custom_id": number, "email": f"{number}@lakeview.example"} for number in known)
    said = desk.plan({"email": "bad1"}, {"email": "bad2"}, options=desk.knows(*people))
    groups, _ = said.out.split("The failed rows:")
    assert f"  {follows} Correct it in the SIS".replace("   ", "  ") in groups
    assert ("left as" in groups) == bool(known)


def test_terminal_repeats_the_sentence(desk: Desk) -> None:
    said = desk.plan({"email": "ana@example"})
    sentence = 'staff.csv line 2, email: "ana@example" is not an email address (email.invalid).'
    assert said.out.count(sentence) == 2
    assert f"{sentence} Correct it in the SIS and send the file again." in said.out


def test_one_message_per_row(desk: Desk) -> None:
    message = desk.message(email="ana@example", first_name="", position="Captain", options=desk.knows({}))
    assert message.count("Correct it in the SIS") == 1
    assert message.count("This account is left as it is.") == 1
    for code in ("email.invalid", "first_name.required", "position.ignored"):
        assert f"({code})." in message


def test_remarks_join_what_is_said_of_a_row() -> None:
    """Codes and their sentences in order, each once; then the fixes of errors only, each once, if there are errors."""
    chance = random.Random(4)
    texts = [(code.code, code.severity == "error") for code in FINDING_CODES.values()]
    texts += [(code.code, False) for code in FINDING_CODES.values() if code.remark]
    rows = []
    for line in range(2, 302):
        for code, is_error in chance.choices(texts, k=chance.choice((1, 1, 2, 3, 9))):
            made_by = chance.choice(("", "mapper.a.b", "mapper.a.c"))
            rows.append((line, code, chance.choice(("x", "y")), "", is_error, made_by))
    with open_session() as session:
        session.run("CREATE TEMP TABLE guesses (code VARCHAR, value VARCHAR, guess VARCHAR, times BIGINT)")
        session.run("CREATE TEMP TABLE people AS SELECT 0 AS line, TRUE AS is_known, TRUE AS has_id WHERE FALSE")
        columns = "line, code, value, other, is_error, made_by"
        session.run(
            f"CREATE TEMP TABLE all_findings AS SELECT * FROM (VALUES {', '.join(map(literal, rows))}) t({columns})"
        )
        make_messages(session, codes=FINDING_CODES, file_name="staff.csv")
        said = session.rows("SELECT line, code, is_error, fix_key, sentence, fix FROM said")
        remarks = session.rows("SELECT line, codes, message FROM remarks ORDER BY line")
    assert len(said) == len(rows)
    for line, codes, message in remarks:
        of_row = [found for found in said if found[0] == line]
        has_failed = any(is_error for _, _, is_error, *_ in of_row)
        sentences = dict(sorted((code, sentence) for _, code, _, _, sentence, _ in of_row))  # the greatest of a code
        fixes = dict(sorted((key, fix) for _, _, is_error, key, _, fix in of_row if is_error == has_failed))
        assert codes == ";".join(sentences)
        expected = f"staff.csv line {line}, {' '.join(sentences.values())} {' '.join(fixes.values())}"
        assert message == expected.rstrip()
    assert len(remarks) == 300


@pytest.mark.parametrize(
    ("line", "values", "made_by"),
    [
        ("template.email={first_name:lower}@lakeview.example", {"first_name": "José"}, "template.email"),
        ("default.email={last_name:lower}@lakeview.example", {"last_name": "Núñez", "email": ""}, "default.email"),
        ("value.status.A=Here", {"status": "A"}, "value.status...=Here"),
        *at_night(
            ("constant.status=Here", {"status": ""}, "constant.status"),
            ("value.status.*=Here", {"status": "A"}, "value.status.*"),
        ),
        ('split.last_name=last_name, after ","', {"last_name": "Ruiz"}, "split.last_name"),
    ],
)
def test_message_names_the_line_that_made_the_value(
    desk: Desk, line: str, values: dict[str, str], made_by: str
) -> None:
    message = desk.message(options=desk.maps(line), **values)
    assert f"The mapping line mapper.mine.{made_by} made this value: change that line, not the SIS." in message
    assert "Correct it in the SIS" not in message


@pytest.mark.parametrize(
    ("line", "values"),
    [
        ("default.email={last_name:lower}@lakeview.example", {"email": "ana@example"}),
        ("value.status.A=Active", {"status": "Gone"}),
        ("value.status.*=keep", {"status": "Gone"}),
        ("column.status=status", {"status": "Gone"}),
    ],
)
def test_a_value_of_the_file_is_corrected_in_the_sis(desk: Desk, line: str, values: dict[str, str]) -> None:
    message = desk.message(options=desk.maps(line), **values)
    assert "Correct it in the SIS" in message
    assert "mapping line" not in message


def test_made_addresses_are_mended_by_words_of_the_mapping(desk: Desk) -> None:
    lines = desk.maps("template.email={last_name:lower}@lakeview.example")
    assert "{FIELD:ascii:letters} leaves plain letters" in desk.message(last_name="Núñez", options=lines)
    assert "unique.email=number numbers" in desk.plan({}, {}, options=lines).out


def test_group_names_the_lines_of_the_mapping_too(desk: Desk) -> None:
    said = desk.plan({"status": "A"}, {"status": "A"}, {"status": "Gone"}, options=desk.maps("value.status.A=Here"))
    groups, _ = said.out.split("The failed rows:")
    assert "change that line, not the SIS. Correct it in the SIS and send the file again." in groups


def test_warning_omits_left_alone(desk: Desk) -> None:
    message = desk.message(position="Captain")
    assert message == 'staff.csv line 2, position: "Captain" is ignored for students (position.ignored).'


def test_examples_and_lines_limited(desk: Desk) -> None:
    said = desk.plan(*({"email": f"bad{number}"} for number in range(25)))
    groups, lines = said.out.split("The failed rows:")
    assert "email.invalid: 25 (error)" in groups
    assert groups.count("is not an email address") == 3
    assert lines.count("is not an email address") == 20
    assert "and 5 more; sis-sync plan ... --output FILE has them all." in lines


def test_control_characters_are_escaped(desk: Desk) -> None:
    said = desk.plan({"email": "a\x1b[2J\u202e\u2066x"}, {"school_district_external_id": "no\u200bwhere\u2028"})
    assert r'email: "a\u001B[2J\u202E\u2066x" is not an email address' in said.out
    assert r'the external ID "no\u200Bwhere"' in said.out
    assert not set(said.out) & set("\x1b\u202e\u2066\u200b\u2028")
    assert not set(desk.output.read_text(encoding="utf-8")) & set("\x1b\u202e\u2066\u200b\u2028")


def test_a_long_value_is_shortened(desk: Desk) -> None:
    message = desk.message(email="x" * 90)
    assert f'"{"x" * 77}..."' in message


def test_value_with_braces_stays(desk: Desk) -> None:
    assert 'email: "{other}{value}" is not' in desk.message(email="{other}{value}")


@settings(deadline=None)
@given(st.text(max_size=200))
def test_engine_and_python_escape_alike(value: str) -> None:
    value = value.encode("utf-8", "ignore").decode().replace("\x00", "")
    short = value if len(value) <= 80 else f"{value[:77]}..."
    with open_session() as session:
        assert session.value("SELECT escaped(:value)", value=short) == shown(value)


def test_templates_fill_every_hole() -> None:
    for code in FINDING_CODES.values():
        parts = template_of(code.message)
        for piece in (parts.head, parts.middle, parts.tail):
            assert "{" not in piece, code.code
        said = parts.head + "V" * parts.says_value + parts.middle + "O" * parts.says_other + parts.tail
        assert said == fill(code.message, value="V", other="O")


@pytest.mark.parametrize(
    ("field", "value", "guess"),
    [
        ("grade", "KG", "K"),
        ("grade", "Kindergarten", "K"),
        ("grade", "Kindergarden", "K"),
        ("grade", "07", "7"),
        ("grade", "7th", "7"),
        ("grade", "Grade 12", "12"),
        ("grade", "Pre-K", "PreK"),
        ("grade", "14", ""),
        ("grade", "zebra", ""),
        ("user_type", "Pupil", "Student"),
        ("user_type", "Teachr", "Teacher"),
        ("user_type", "Parent", ""),
        ("status", "Inactive", "Disabled"),
        ("status", "Actve", "Active"),
        ("status", "Pending", ""),
    ],
)
def test_guess_of_listed_value(field: str, value: str, guess: str) -> None:
    assert guess_listed(field, value) == guess


@given(st.sampled_from(sorted(LISTED_VALUES)), st.text(max_size=60))
def test_guesses_are_listed_values(field: str, value: str) -> None:
    assert guess_listed(field, value) in ("", *LISTED_VALUES[field])


@pytest.mark.parametrize(
    ("value", "guess"),
    [
        ("12", "0012"),
        ("00012", "0012"),
        ("north", "NORTH"),
        ("NRTH", "NORTH"),
        ("lakeview high", "0012"),
        ("13", ""),
        ("0", ""),
        ("", ""),
    ],
)
def test_guess_of_org(value: str, guess: str) -> None:
    names = {"0012": "Lakeview High", "NORTH": "North Elementary"}
    assert OrgGuesser(names, values=1).guess(value) == guess


def test_guess_and_mapping_line_shown(desk: Desk) -> None:
    said = desk.plan({"grade": "KG"}, {"grade": "KG"}, {"school_district_external_id": "12"}, {"grade": "zebra"})
    assert "1 to 12, Other; did you mean K? (grade.unknown)." in said.out
    assert 'the external ID "12"; did you mean 0012? (org.unknown).' in said.out
    assert "mapper.NAME.value.grade.KG=K" in said.out
    assert "mapper.NAME.value.school_district_external_id.12=0012" in said.out
    assert "zebra=" not in said.out


def test_mapping_lines_mend_rows(desk: Desk) -> None:
    rows = ({"grade": "KG"}, {"user_type": "Pupil"}, {"status": "Inactive"}, {"school_district_external_id": "12"})
    said = desk.plan(*rows)
    lines = [line.strip() for line in said.out.splitlines() if line.strip().startswith("mapper.NAME.")]
    mapping = desk.folder / "mine.properties"
    mapping.write_text("\n".join(lines), encoding="utf-8")
    assert len(lines) == 4
    assert said.exit_code == 7
    assert desk.plan(*rows, options=("--mapping", str(mapping))).exit_code == 0


def test_impossible_key_not_suggested(desk: Desk) -> None:
    assert "mapper.NAME" not in desk.plan({"grade": "K=G"}).out
