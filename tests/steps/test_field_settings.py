"""Each field that a mode may leave alone: on, off, and on create only. kit/worlds.py mixes them at random."""

from typing import Any

import pytest
from kit.plans import accounts_file, person, plan_bytes, roster_file

from sis_sync.core.modes import FIELD_SETTINGS, OTHER_FIELDS, FieldSettings

NEW_VALUES = {
    "email": "new@x.example",
    "school_district_external_id": "010",
    "user_type": "Teacher",
    "position": "Librarian",
    "grade": "8",
    "status": "Disabled",
}
FATES = ("live", "deleted", "new")


def before(field: str, fate: str) -> dict[str, str]:
    kind = {"user_type": "Teacher", "grade": "", "position": "Cook"} if field == "position" else {}
    return person(f"{field}-{fate}", **kind)


def after(field: str, fate: str) -> dict[str, str]:
    value = f"{fate}-{NEW_VALUES[field]}" if field == "email" else NEW_VALUES[field]
    return {**before(field, fate), field: value}


@pytest.mark.parametrize("setting", FIELD_SETTINGS)
def test_each_field_on_off_and_on_create_only(setting: str) -> None:
    """One file changes each field of a person who is here, of one who was deleted, and of one who is new."""
    people = [(field, fate) for field in OTHER_FIELDS for fate in FATES]
    accounts = [before(*each) | {"state": each[1]} for each in people if each[1] != "new"]
    rows = [after(*each) for each in people if not (each[0] == "status" and each[1] != "live")]
    settings: dict[str, Any] = dict.fromkeys(OTHER_FIELDS, setting)
    plan = plan_bytes(
        roster_file(rows),
        accounts=accounts_file(accounts),
        mode="partial",
        field_settings=FieldSettings(**settings),
    )
    found = {row["custom_id"]: row for row in plan.rows}
    for field, fate in people:
        row = found.get(f"{field}-{fate}")
        if row is None:  # Disabled people without an account are not made
            continue
        takes = {"live": setting == "on", "deleted": setting != "create", "new": True}[fate]
        action = {"deleted": "restore", "new": "create"}.get(fate, "update" if takes else "unchanged")
        assert row["action"] == action, (field, fate)
        if action != "unchanged":  # the plan stores no values of those
            assert row[field] == (after if takes else before)(field, fate)[field], (field, fate)
        assert (f"{field}.kept" in row["codes"].split(";")) == (not takes), (field, fate)


def test_new_student_has_the_grade_of_the_file() -> None:
    """A teacher had no grade to keep."""
    plan = plan_bytes(
        roster_file([person("T1", user_type="Student", grade="8", position="")]),
        accounts=accounts_file([person("T1", user_type="Teacher", grade="", position="Cook")]),
        mode="partial",
        field_settings=FieldSettings(grade="off", position="off"),
    )
    assert [(row["grade"], row["position"]) for row in plan.rows] == [("8", "")]
