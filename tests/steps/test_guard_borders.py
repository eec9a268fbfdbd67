"""What a guard counts, where counting something else would let a bad file through or hold a good one."""

import pytest
from kit.plans import people, person
from steps.conftest import Messages


def test_disabled_accounts_leave_too(said: Messages) -> None:
    summer = people(500, 512, status="Disabled", school_district_external_id="010")
    rest = people(1, 200)
    message = said(rest, [*summer, *rest])["guard.deletions"]
    assert "12 of 12 accounts that are Disabled (100.0 %) would be deleted" in message


def test_nameless_org_not_the_total(said: Messages) -> None:
    nameless = person("5000", school_district_external_id="", user_type="Teacher", grade="")
    there = {**nameless, "school_district_external_id": "020"}
    known = people(1, 101)
    assert "guard.deletions" not in said([*known[6:], there], [*known, nameless])


@pytest.mark.parametrize(
    ("absent", "back", "holds"), [(5, 3, False), (8, 4, False), (5, 5, True), (10, 5, True), (11, 5, False)]
)
def test_renumbered_counts_who_comes_back(absent: int, back: int, holds: bool, said: Messages) -> None:
    known = people(1, 201)
    new = [{**each, "custom_id": f"N{each['custom_id']}", "email": f"n{each['email']}"} for each in known[:back]]
    assert ("guard.renumbered" in said([*known[absent:], *new], known)) == holds


def test_row_is_one_namesake(said: Messages) -> None:
    namesakes = people(1, 8, last_name="Ruiz")
    rest = people(100, 200)
    come = person("N1", last_name="Ruiz")
    assert "guard.renumbered" not in said([*rest, come], [*namesakes, *rest])


@pytest.mark.parametrize("repeated", [False, True])
def test_ignored_rows_outside_cleared_base(repeated: bool, said: Messages) -> None:
    known = people(1, 401, middle_name="May")
    rows = [*({**each, "middle_name": ""} for each in known[:21]), *known[21:]]
    assert "guard.cleared" in said([*rows, *(known[21:] if repeated else [])], known)
