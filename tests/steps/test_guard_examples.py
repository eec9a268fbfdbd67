"""A guard against damage names examples that belong together: old and new, or the lines to look at."""

import json

import pytest
from kit.plans import person
from steps.conftest import Messages


def test_lost_zeros_pair_ids(said: Messages) -> None:
    known = [f"{'0' * (1 + number % 3)}{number}" for number in range(8, 30)]
    messages = said([person(each.lstrip("0")) for each in known], [person(each) for each in known])
    assert "(for example 10 for 0010, 11 for 00011, 12 for 012)" in messages["guard.lost_zeros"]


def test_rounded_ids_name_their_lines(said: Messages) -> None:
    messages = said([person(f"{number}.2E+05") for number in range(1, 7)], [])
    assert "(for example 1.2E+05 on line 2, 2.2E+05 on line 3, 3.2E+05 on line 4)" in messages["guard.rounded_ids"]


def test_identity_names_both_people(said: Messages) -> None:
    new = person("7", first_name="Bo", last_name="Rahm", email="bo@x.example")
    messages = said([new], [person("7", last_name="Ruiz")])
    assert "(for example ID 7 from Ana Ruiz to Bo Rahm)" in messages["guard.identity"]


def test_renumbered_pairs_ids(said: Messages) -> None:
    old = [person(f"A{number}", last_name=f"Ruiz{number}") for number in range(1, 7)]
    new = [person(f"B{number}", last_name=f"Ruiz{number}") for number in range(1, 7)]
    assert "(for example A1 as B1, A2 as B2, A3 as B3)" in said(new, old)["guard.renumbered"]


def test_six_emptied_schools_named(said: Messages) -> None:
    schools = [f"{number:03}" for number in range(30, 38)]
    accounts = [
        person(f"{school}-{number}", school_district_external_id=school)
        for place, school in enumerate(schools)
        for number in range(6 + place)
    ]
    message = said([person("N1")], accounts)["guard.emptied"]
    assert message == (
        "All 6 active accounts at 030 would be gone after this run. Also at 037 (13 of 13), at 036 (12 of 12), "
        "at 035 (11 of 11), at 034 (10 of 10), at 033 (9 of 9) and 2 more."
    )


def sams(letter: str, **values: str) -> list[dict[str, str]]:
    """Six people called Sam, with IDs that begin with this letter."""
    return [person(f"{letter}{n}", first_name="Sam", last_name=f"Ruiz{n}", **values) for n in range(1, 7)]


def edited_here(people: list[dict[str, str]], *, ended: bool = False) -> list[dict[str, str]]:
    """The people after a person edited their first names here, from Sam to Max."""
    edit = {"here": "Max", "sis": "Sam", "on": "2026-09-02", **({"ended_by": 1} if ended else {})}
    return [each | {"first_name": "Max", "edited_names": json.dumps({"first_name": edit})} for each in people]


@pytest.mark.parametrize("name", ["Sam", "Max"])
def test_edited_people_are_renumbered_under_either_name(said: Messages, name: str) -> None:
    rows = [row | {"first_name": name} for row in sams("B")]
    assert "(for example A1 as B1, A2 as B2, A3 as B3)" in said(rows, edited_here(sams("A")))["guard.renumbered"]
    if name == "Sam":
        assert "guard.renumbered" not in said(rows, edited_here(sams("A"), ended=True))


@pytest.mark.parametrize("name", ["Sam", "Max", "Kim"])
def test_failed_row_could_be_an_edited_person_under_either_name(said: Messages, name: str) -> None:
    stays = [person(str(number)) for number in range(30)]
    failed = person("", first_name=name, last_name="Ruiz1", email="another@x.example")
    messages = said([*stays, failed], [*stays, *edited_here(sams("A")[:1])])
    assert ("guard.unidentified_rows" in messages) == (name != "Kim")
