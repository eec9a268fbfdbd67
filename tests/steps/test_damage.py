"""The guards against damaged files: letters of a wrong encoding, columns that moved."""

# ruff: noqa: RUF001 - the signs that look like others are what this is about

import pytest
from kit.plans import at_night, plan_bytes, roster_file

from sis_sync.core.fields import FIELD_NAMES

HONEST = (
    *("JOÃO", "SÃO", "IRMÃ", "NATÃ\u00a0SILVA", "“JOÃ”", "ÅSA", "Ångström", "Ääri", "KNÍŽEK", "LUKÁŠ", "KÚŠIK"),
    *("NICOLÒ’", "O’ÑEIL", "Mª", "col·lecció", "Nguyễn Thị Hồng", "Ștefan", "ÇELİK", "Łukasz", "Ελένη", "Иван", "山田"),
    *("Jean–Éric", "«JOSÉ»", "Øystein", "Þór", "Weiß", "ÂNGELA", "PEÑÚÑURI", "שרה", "محمد", "Đorđe", "Jēkabs"),
)
LETTERS = (
    *("José", "Müller", "GÖKHAN", "ANTÔNIO", "MUÑOZ", "Óscar", "Zoë", "Wałęsa", "Čapek", "Dvořák", "ŠIMON", "Żak"),
    *("Erdoğan", "DOĞAN", "ŞAHİN", "Jēkabs", "Jankauskienė", "Ștefania", "Ionuț", "Ελένη", "Иван", "محمد", "שרה"),
    *("Nguyễn", "山田", "O’Brien", "niccolàs", "Cœur", "Ågot", "Weiß", "Željko"),
)
READ_AS = {byte: bytes([byte]).decode("cp1252", "ignore") or chr(byte) for byte in range(256)}


def damaged(text: str) -> str:
    """What a program makes of UTF-8 that it takes for Windows-1252."""
    return "".join(READ_AS[byte] for byte in text.encode())


def person(number: int, **values: str) -> dict[str, str]:
    row = {"first_name": "Ana", "last_name": "Ruiz", "email": f"{number}@x.example", "custom_id": str(number)}
    rest = {"school_district_external_id": "020", "user_type": "Student", "grade": "9", "status": "Active"}
    return {**dict.fromkeys(FIELD_NAMES, ""), **row, **rest, **values}


def guards_of(rows: list[dict[str, str]]) -> frozenset[str]:
    return plan_bytes(roster_file(rows), mode="partial").guards


@pytest.mark.parametrize("times", [1, 2])
def test_every_damaged_name_counts(times: int) -> None:
    names = [damaged(name) if times == 1 else damaged(damaged(name)) for name in LETTERS]
    rows = [person(number, last_name=name) for number, name in enumerate(names, 1)]
    plan = plan_bytes(roster_file(rows), mode="partial")
    written = plan.with_action("create")  # a few names that were damaged twice are no valid names
    assert plan.found["guard.mojibake"] == len(written)
    assert len(written) > (len(LETTERS) - 1 if times == 1 else 20)


def test_honest_names_are_not_damaged() -> None:
    rows = [person(number, last_name=name) for number, name in enumerate((*HONEST, *LETTERS) * 3, 1)]
    assert "guard.mojibake" not in guards_of(rows)


@pytest.mark.parametrize(("rows", "holds"), [(3000, False), (2999, True)])
def test_damaged_names_limit(rows: int, holds: bool) -> None:
    people = [person(number, last_name="Ruiz" if number > 3 else "JosÃ©") for number in range(1, rows + 1)]
    assert ("guard.mojibake" in guards_of(people)) is holds


@pytest.mark.parametrize("field", ["first_name", "custom_id", *at_night("middle_name", "last_name")])
def test_at_sign_outside_address(field: str) -> None:
    people = [person(number) for number in range(1, 101)]
    for row in people[:4]:
        row[field] = f"{row['custom_id']}@y.example"
    assert "guard.shifted_columns" not in guards_of(people)
    people[4][field] = "9@y.example"
    assert "guard.shifted_columns" in guards_of(people)


def test_all_columns_moved_hold() -> None:
    rows = [person(number) for number in range(1, 7)]
    header, *lines = roster_file(rows).decode().splitlines()
    moved = "\n".join([header, *(line[line.index(",") + 1 :] + "," for line in lines), ""])
    assert "guard.shifted_columns" in plan_bytes(moved.encode(), mode="partial").guards
