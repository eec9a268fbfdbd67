"""A district with every fault that a row can have, in one row of twenty, and with names that are hard on software."""

import json
import random
from dataclasses import dataclass

from kit.plans import ACCOUNT_COLUMNS, table

from sis_sync.core.fields import FIELD_NAMES, NAME_FIELDS

# ruff: noqa: RUF001 - signs that look like others are what this is about


Person = dict[str, str]
ACCOUNT_EXTRAS = ("account_id", "held_by_hand", "rights", "in_scope")
ORGS = "external_id,name,kind,in_scope\n" + "".join(
    f"{number:03d},School {number},school,{'no' if number == 19 else 'yes'}\n" for number in range(20)
)
# Letter case, composition, signs that look like others, signs that are not shown, and what is white space to some.
AWKWARD = (
    "straße", "STRASSE", "ẞ", "İstanbul", "ıstanbul", "ΟΔΥΣΣΕΥΣ", "οδυσσευς", "ﬁn", "fin", "\u0130",
    "K", "\u212a", "ſ", "e\u0301", "\u00e9", "A\u030a", "\u212b", "\u1112\u1161\u11ab", "\ud55c",
    "12345", "１２３４５", "a\u0323\u0307", "🧑\u200d🚀", "👩🏽", "שלום", "\u202eabc", "مرحبا", "a\u200bb",
    "\u00a0x\u00a0", "\u2003x", "x\ufeff", "𝒜𝓃𝒶", "\U0001f1e9\U0001f1ea", "O''Brien", "back\\slash",
    "tab\tin", "per%cent_", "q\"uote", "J\u00c3\u00a9", "ZoÃ«", "[a-z]+", "$1", "\\1", "{value}",
    "\u0085", "\u000b", "a\rb", "\u180e", "\u2060", "\U000e0041", "Ǆ", "ǅ", "ά", "ᾳ", "ŉ", "aͅ",
    "\u00ad",
)  # fmt: skip
FAULTS: tuple[Person, ...] = (
    {"first_name": ""},
    {"last_name": "\u00a0"},
    {"email": ""},
    {"custom_id": ""},
    {"school_district_external_id": ""},
    {"user_type": ""},
    {"status": ""},
    {"first_name": "n" * 300},
    {"middle_name": "é" * 300},
    {"last_name": "🧑" * 300},
    {"email": "e" * 300 + "@riverbend.example"},
    {"custom_id": "9" * 300},
    {"user_type": "Teacher", "position": "p" * 400},
    {"email": "no address"},
    {"email": "ﬁ@riverbend.example"},
    {"custom_id": "NULL"},
    {"user_type": "Pupil"},
    {"grade": "99"},
    {"status": "Gone"},
    {"school_district_external_id": "nowhere"},
    {"school_district_external_id": "019"},
    {"position": "Captain"},
    {"user_type": "Staff", "grade": "7"},
    {"custom_id": "zero\u200bwidth"},
    {"email": "a\u200bb@riverbend.example"},
    {"email": "taken@riverbend.example"},
    {"email": "shared@riverbend.example"},
    {"skip": "yes"},
)
STATES: tuple[Person, ...] = (
    {"state": "deleted"},
    {"protected": "yes"},
    {"held_by_hand": "yes"},
    {"rights": "school"},
    {"in_scope": "no"},
    {"status": "Disabled"},
    {"user_type": "Teacher", "grade": ""},
)


@dataclass(frozen=True)
class District:
    """The bytes of the roster, and the text of the accounts."""

    roster: bytes
    accounts: str


def person(number: int, **values: str) -> Person:
    """A student, whose values are made of the number."""
    return {
        "first_name": f"First{number % 977}",
        "middle_name": "",
        "last_name": f"Last{number % 1999}",
        "email": f"p{number}@riverbend.example",
        "custom_id": f"{number:08d}",
        "school_district_external_id": f"{number % 19:03d}",
        "user_type": "Student",
        "position": "",
        "grade": str(1 + number % 12),
        "status": "Active",
        **values,
    }


def mixed_district(count: int) -> District:
    """One row in twenty has a fault, one account in fifty a state of its own; the same for the same count."""
    chance = random.Random(20261124)
    rows: list[Person] = []
    accounts: list[Person] = []
    for number in range(count):
        before = person(number, account_id=f"a{number}", **_sometimes(chance, 0.02, STATES))
        before.update(_sometimes(chance, 0.05, [{"first_name": text} for text in AWKWARD if "\r" not in text]))
        if chance.random() < 0.97:
            accounts.append(before)
        if chance.random() < 0.98:
            rows.append({name: before[name] for name in FIELD_NAMES} | _change(chance, number))
    rows += _clashes(chance, rows, count // 200)
    rows += [person(10**7 + place, custom_id=f"x{text}{place}", last_name=text) for place, text in enumerate(AWKWARD)]
    rows += [person(2 * 10**7 + place, email=f"{text}@riverbend.example") for place, text in enumerate(AWKWARD)]
    rows += [person(3 * 10**7 + place, school_district_external_id=text) for place, text in enumerate(AWKWARD)]
    rows += [person(4 * 10**7 + place, user_type=text, middle_name=text) for place, text in enumerate(AWKWARD)]
    rows.append(person(2, custom_id="claims", email="unmanaged@riverbend.example"))
    rows.append(person(3, custom_id="manager", email="manager@riverbend.example", status="Disabled"))
    rows.append(person(5, custom_id="7331", email="7331@riverbend.example"))
    rows.append(person(6, custom_id="back", email="back@riverbend.example", middle_name="NULL"))
    rows.append(person(7, custom_id="stranger", email="stranger@riverbend.example", status="Disabled"))
    rows.append(person(8, custom_id='="0815"', email="0815@riverbend.example"))
    rows.append(person(9, custom_id="cook", email="cook@riverbend.example", user_type="Teacher", position="Baker"))
    accounts += _keepers()
    for place, name in enumerate(NAME_FIELDS * 2):
        rows.append(person(9, custom_id=f"edited{place}", email=f"edited{place}@riverbend.example"))
        of_sis = rows[-1][name] if place < len(NAME_FIELDS) else "Earlier"
        edit = {name: {"here": "Typed", "sis": of_sis, "on": "2026-09-01"}}
        accounts.append({**rows[-1], name: "Typed", "edited_names": json.dumps(edit)})
    # Python's csv module quotes what it must; the broken records are added as they are.
    text = table((*FIELD_NAMES, "skip", "password"), rows)
    return District(text.encode() + _broken(), table((*ACCOUNT_COLUMNS, *ACCOUNT_EXTRAS), accounts))


def _sometimes(chance: random.Random, share: float, values: list[Person] | tuple[Person, ...]) -> Person:
    return chance.choice(values) if chance.random() < share else {}


def _change(chance: random.Random, number: int) -> Person:
    fault = _sometimes(chance, 0.05, FAULTS)
    if fault:
        return fault
    kind = chance.random()
    if kind < 0.01:
        return {"email": f"P{number}@riverbend.example"}  # the same address in other letters
    if kind < 0.02:
        return {"email": f"p{number + chance.choice((1, 2))}@riverbend.example"}  # a neighbour's: chains and clashes
    if kind < 0.03:
        return {"school_district_external_id": "004", "grade": "8"}
    if kind < 0.035:
        return {"user_type": "Teacher", "grade": "", "position": "Head"}
    return {}


def _clashes(chance: random.Random, rows: list[Person], count: int) -> list[Person]:
    """Rows again: the same, with another org, and with another name."""
    made: list[Person] = []
    for row in chance.sample(rows, count):
        made.append(dict(row))
        made.append({**row, "school_district_external_id": "005"})
        made.append({**chance.choice(rows), "last_name": "Other"})
    return made


def _keepers() -> list[Person]:
    return [
        person(1, custom_id="keeper", email="taken@riverbend.example", user_type="Staff", grade=""),
        person(2, custom_id="", email="unmanaged@riverbend.example"),
        person(3, custom_id="manager", email="manager@riverbend.example", rights="district"),
        person(4, custom_id="00cell", email="cell@riverbend.example"),
        person(5, custom_id="007331", email="007331@riverbend.example"),
        person(9, custom_id="cook", email="cook@riverbend.example", user_type="Teacher", grade="", position="Cook"),
        person(6, custom_id="gone", email="back@riverbend.example", state="deleted"),
    ]


def _broken() -> bytes:
    good = "N,,L,b{0}@riverbend.example,b{0},001,Student,,7,Active,,\n"
    return b"".join(
        [
            b"too,few,cells\n",
            b"too,,many,t@riverbend.example,00cell,001,Student,,7,Active,,,,,\n",
            good.format(1).encode(),
            b'stray "quote,,L,b2@riverbend.example,b2,001,Student,,7,Active,,\n',
            "Zo\u00eb,,L,b3@riverbend.example,b3,001,Student,,7,Active,,\n".encode("latin-1"),
            b"\x07bell,,L,b4@riverbend.example,b4,001,Student,,7,Active,,\n",
            b"N,,L,b5@riverbend.example,b5,001,Student,,7,Active,,secret-word\n",
            b"End of report\n",
        ]
    )
