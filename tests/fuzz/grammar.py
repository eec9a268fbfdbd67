"""Files that are nearly right: rosters, directories, mappings and settings with odd values in the right places."""

import csv
import io
from random import Random
from typing import Any

from fuzz import values
from kit.plans import accounts_file

from sis_sync.client.setting_keys import all_keys
from sis_sync.core.fields import FIELD_NAMES

KEYS = tuple(key.name for key in all_keys())


def roster(random: Random) -> bytes:
    """A file with up to 30 records, in any delimiter, quoting, line end and encoding."""
    columns = list(FIELD_NAMES)
    if random.random() < 0.3:
        random.shuffle(columns)
    if random.random() < 0.1:
        columns.insert(random.randrange(len(columns)), random.choice(values.HEADER_ODDITIES))
    rows = [_row(random, columns) for _ in range(random.choice((0, 1, 3, 8, 30)))]
    if random.random() < 0.05 and rows:
        rows.insert(random.randrange(len(rows)), list(columns))
    above = random.choice(values.ABOVE_THE_HEADER) if random.random() < 0.1 else ""
    return (above + _written(random, [columns, *rows])).encode(random.choice(values.ENCODINGS), "replace")


def accounts(random: Random) -> bytes:
    """Accounts that a directory may hold: their IDs and addresses are unique."""
    numbers = random.sample(("1001", "1002", "0007", "7", "A-1", "2001", "2002", "2003"), random.randrange(8))
    return accounts_file(_account(random, number) for number in numbers).encode()


def mapping(random: Random) -> bytes:
    """Up to three mapper lines."""
    return "".join(f"mapper.m.{_mapper_line(random)}\n" for _ in range(random.randrange(4))).encode()


def settings(random: Random) -> bytes:
    """A client.properties of up to 12 lines."""
    return "".join(f"{_setting(random)}\n" for _ in range(random.randrange(12))).encode()


def _person(random: Random) -> dict[str, str]:
    number = random.choice(values.IDENTITIES)
    return {
        "first_name": random.choice(values.NAMES),
        "middle_name": random.choice(("", "", *values.NAMES)),
        "last_name": random.choice(values.NAMES),
        "email": random.choice((f"{number}@x.example",) * 4 + values.ADDRESSES),
        "custom_id": number,
        "school_district_external_id": random.choice(values.ORG_IDS),
        "user_type": random.choice(values.USER_TYPES),
        "position": random.choice(("", "Nurse")),
        "grade": random.choice(values.GRADES),
        "status": random.choice(values.STATUSES),
    }


def _row(random: Random, columns: list[str]) -> list[str]:
    person = _person(random)
    cells = [person.get(name, "x") for name in columns]
    if random.random() < 0.05:
        cells = cells[: random.randrange(len(cells))] if random.random() < 0.5 else [*cells, "more"]
    return cells


def _account(random: Random, number: str) -> dict[str, str]:
    is_student = random.random() < 0.7
    return {
        "first_name": "Ana",
        "middle_name": "",
        "last_name": "Ruiz",
        "custom_id": number,
        "email": f"{random.choice(('', 'x'))}{number}@x.example",
        "school_district_external_id": random.choice(("010", "020", "D1")),
        "user_type": "Student" if is_student else "Teacher",
        "position": "",
        "grade": "9" if is_student else "",
        "status": random.choice(("Active", "Disabled")),
        "state": random.choice(("live", "live", "deleted")),
        "protected": random.choice(("", "", "", "yes")),
    }


def _written(random: Random, rows: list[list[str]]) -> str:
    text = io.StringIO()
    quoting: Any = random.choice((csv.QUOTE_MINIMAL, csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC))
    end, delimiter = random.choice(values.LINE_ENDS), random.choice(values.DELIMITERS)
    csv.writer(text, delimiter=delimiter, lineterminator=end, quoting=quoting).writerows(rows)
    return text.getvalue() if random.random() < 0.8 else text.getvalue().rstrip("\r\n")


def _mapper_line(random: Random) -> str:
    if random.random() < 0.3:
        option = random.choice(tuple(values.READING_VALUES))
        return f"{option}={random.choice(values.READING_VALUES[option])}"
    kind, field = random.choice(values.MAPPER_KINDS), random.choice((*FIELD_NAMES, "E-mail", ""))
    detail = random.choice(values.MAPPER_DETAILS) if kind == "value" or random.random() < 0.1 else ""
    if kind == "dates":
        field = random.choice(("status", "format", "grace", "early", ""))
    target = "" if kind in ("extends", "choose") else f".{field}"
    return f"{kind}{target}{detail}={random.choice(values.MAPPER_VALUES)}"


def _setting(random: Random) -> str:
    if random.random() < 0.2:
        return f"mapper.own.{_mapper_line(random)}"
    return f"{random.choice(KEYS)}={random.choice(values.SETTING_VALUES)}"
