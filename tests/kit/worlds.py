"""Small random directories and files for them, and the sync rules on them in plain Python.

A world is a handful of accounts and rows that share few IDs and addresses, so that swaps, chains and clashes happen.
Several worlds go through one plan: nothing of one touches another.
"""

import json
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

from sis_sync.core.fields import FIELD_NAMES, NAME_FIELDS
from sis_sync.core.modes import (
    FIELD_SETTINGS,
    MODES,
    NAMES_SETTINGS,
    OTHER_FIELDS,
    STANDARD_FIELD_SETTINGS,
    FieldSettings,
    Mode,
)

Person = dict[str, str]
IDS = ("A", "B", "C", "D", "E")
ADDRESSES = ("1", "2", "3", "4", "5")
FATES = ("moves", "moves", "moves", "moves", "fails", "absent", "deleted", "protected", "unmanaged", "teacher")
ACCOUNT_FATES: dict[str, dict[str, str]] = {
    "deleted": {"state": "deleted"},
    "protected": {"protected": "yes"},
    "unmanaged": {"custom_id": ""},
    "teacher": {"user_type": "Teacher"},
}


@dataclass(frozen=True)
class World:
    """Accounts before the run, and the rows of the file."""

    accounts: tuple[Person, ...]
    rows: tuple[Person, ...]


def _person(number: int, values: dict[str, Any]) -> Person:
    is_student = values["user_type"] == "Student"
    return {
        "first_name": values["first_name"],
        "middle_name": "",
        "last_name": f"Okafor{number}",
        "email": values["address"] and f"a{values['address']}@w{number}.example",
        "custom_id": values["custom_id"] and f"w{number}{values['custom_id']}",
        "school_district_external_id": values["org"],
        "user_type": values["user_type"],
        "position": "",
        "grade": values["grade"] if is_student else "",
        "status": values["status"],
        "state": values.get("state", "live"),
        "protected": values.get("protected", ""),
        "edited_names": values.get("edited_names", ""),
    }


def edited_first_names(here: list[str], of_sis: list[str]) -> st.SearchStrategy[str]:
    """Return none, or the edit of a first name from one of `of_sis` to one of `here`."""
    pairs = [{"here": one, "sis": other, "on": "2026-09-01"} for one in here for other in of_sis]
    return st.sampled_from(["", *(json.dumps({"first_name": pair}) for pair in pairs)])


_common: dict[str, st.SearchStrategy[str]] = {
    "first_name": st.sampled_from(["Ana", "Ben", "Ben", "Cleo"]),
    "org": st.sampled_from(["010", "020"]),
    "user_type": st.sampled_from(["Student", "Student", "Teacher"]),
    "grade": st.sampled_from(["9", "Unspecified"]),
    "status": st.sampled_from(["Active", "Active", "Disabled"]),
}
_account = st.fixed_dictionaries(
    {
        **_common,
        "custom_id": st.sampled_from(["", *IDS]),
        "address": st.sampled_from(ADDRESSES),
        "state": st.sampled_from(["live", "live", "live", "deleted"]),
        "protected": st.sampled_from(["", "", "", "yes"]),
        "edited_names": edited_first_names(["Ana", "Ben"], ["Ana", "Ben", "Cleo"]),
    }
)
field_settings = st.builds(
    FieldSettings,
    names=st.sampled_from(NAMES_SETTINGS),
    **{name: st.sampled_from(("on", *FIELD_SETTINGS)) for name in OTHER_FIELDS},
)
_row = st.fixed_dictionaries(
    {
        **_common,
        "custom_id": st.sampled_from(["", *IDS, *IDS, *IDS]),
        "address": st.sampled_from(["", *ADDRESSES, *ADDRESSES]),
        "org": st.sampled_from(["010", "020", "020", "020", "999"]),
        "status": st.sampled_from(["Active", "Active", "Active", "Disabled", "Gone"]),
    }
)


_wild = st.tuples(st.lists(_account, max_size=5), st.lists(_row, max_size=6))


@st.composite
def _moving(draw: st.DrawFn) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
    """Everybody has one row and another's address: chains and rotations, broken here and there."""
    before, after = draw(st.permutations(ADDRESSES)), draw(st.permutations((*ADDRESSES, "6")))
    fates = draw(st.lists(st.sampled_from(FATES), min_size=6, max_size=6))
    students = {"first_name": "Ana", "org": "010", "user_type": "Student", "grade": "9", "status": "Active"}
    accounts = [
        {**students, "custom_id": custom_id, "address": address, **(ACCOUNT_FATES.get(fate) or {})}
        for custom_id, address, fate in zip(IDS, before, fates, strict=False)
    ]
    rows = [
        {**students, "custom_id": custom_id, "address": address, "status": "Gone" if fate == "fails" else "Active"}
        for custom_id, address, fate in zip((*IDS, "F"), after, fates, strict=True)
        if fate != "absent"
    ]
    return accounts, draw(st.permutations(rows))


@st.composite
def worlds(draw: st.DrawFn, *, least: int = 4, most: int = 24) -> tuple[World, ...]:
    """Several worlds: together they cost hardly more than one."""
    drawn = draw(st.lists(st.one_of(_wild, _moving()), min_size=least, max_size=most))
    return tuple(
        World(
            tuple(_possible([_person(number, each) for each in accounts])),
            tuple(_person(number, each) for each in rows),
        )
        for number, (accounts, rows) in enumerate(drawn)
    )


def _possible(accounts: list[Person]) -> list[Person]:
    """IDs are unique; live accounts do not share addresses; without an ID neither deleted nor protected."""
    kept: list[Person] = []
    for account in accounts:
        if not account["custom_id"]:
            account = {**account, "state": "live", "protected": ""}
        if account["state"] == "deleted":
            account = {**account, "protected": ""}
        same_id = any(account["custom_id"] and account["custom_id"] == other["custom_id"] for other in kept)
        live = [other for other in kept if other["state"] == "live"]
        clash = account["state"] == "live" and any(account["email"] == other["email"] for other in live)
        if not same_id and not clash:
            kept.append(account)
    return kept


@dataclass
class Decision:
    """What becomes of a row. `codes` of an ignored row are the first reason found. `remarks` are warnings.

    `given` are the values of the file that the account does not take, or that replace an edited name.
    """

    action: str = ""
    fields: str = ""
    codes: set[str] | None = None
    remarks: set[str] = field(default_factory=set)
    given: Person = field(default_factory=dict)
    keeps_address: bool = False
    keeps_type: bool = False

    @property
    def as_planned(self) -> tuple[str, str, str]:
        remarks = set() if self.action == "ignored" else self.remarks
        return self.action, self.fields, ";".join(sorted({*(self.codes or ()), *remarks}))


def decide(
    world: World, mode_name: str, settings: FieldSettings = STANDARD_FIELD_SETTINGS
) -> tuple[list[Decision], set[str]]:
    """The sync rules on one world: a decision for each row, and the custom IDs of the accounts that leave."""
    mode = MODES[mode_name]
    by_id = {account["custom_id"]: account for account in world.accounts if account["custom_id"]}
    decisions = [Decision(codes=set()) for _ in world.rows]
    settled = tuple(
        _settle(row, by_id.get(row["custom_id"]), settings, decision)
        for row, decision in zip(world.rows, decisions, strict=True)
    )
    world = World(world.accounts, settled)
    _ignore(world, by_id, decisions)
    for row, decision in zip(world.rows, decisions, strict=True):
        if not decision.action:
            _fault(row, by_id, mode, decision)
            _recognise(row, by_id, decision)
    _clash(world, decisions)
    present = {row["custom_id"] for row in world.rows}
    leaving = {
        custom_id
        for custom_id, account in by_id.items()
        if mode.judges_absence
        and account["state"] == "live"
        and not account["protected"]
        and account["user_type"] in mode.user_types
        and custom_id not in present
    }
    _take_addresses(world, by_id, decisions, leaving)
    for row, decision in zip(world.rows, decisions, strict=True):
        _act(row, by_id.get(row["custom_id"]), decision)
    return decisions, leaving


def _settle(row: Person, account: Person | None, settings: FieldSettings, decision: Decision) -> Person:
    """Return the row with the values that its account keeps, and say on the decision which these are."""
    if account is None:
        return row
    is_live, settled = account["state"] == "live", dict(row)
    is_other_kind = (row["user_type"] == "Student") != (account["user_type"] == "Student")
    keeps = {
        name
        for name in OTHER_FIELDS
        if getattr(settings, name) == "create" or (is_live and getattr(settings, name) == "off")
    }
    if is_other_kind:
        keeps -= {"grade", "position"}
    for name in keeps:
        settled[name] = account[name]
        if row[name] != account[name]:
            decision.remarks.add(f"{name}.kept")
            decision.given[name] = row[name]
    if is_other_kind and "user_type" in keeps:
        settled |= {name: account[name] for name in ("grade", "position")}
    of_sis_by_name = _names_of_sis(account)
    for name in NAME_FIELDS:
        of_sis = of_sis_by_name.get(name)
        by_edit = settings.names == "unless_edited" and of_sis == row[name]
        if by_edit or (settings.names == "never" and is_live):
            settled[name] = account[name]
            code = "kept" if of_sis is None else "edited"
        else:
            code = "" if of_sis is None else "replaced"
        if row[name] != account[name] and code:
            decision.remarks.add(f"{name}.{code}")
            decision.given[name] = row[name]
    decision.keeps_address = "email" in keeps and is_live
    decision.keeps_type = "user_type" in keeps
    return settled


def _names_of_sis(account: Person) -> Person:
    """Return what the SIS had for the names that a person edited here and that the account still has."""
    edits = json.loads(account["edited_names"] or "{}")
    return {name: edit["sis"] for name, edit in edits.items() if edit["here"] == account[name]}


def _ignore(world: World, by_id: dict[str, Person], decisions: list[Decision]) -> None:
    contending: defaultdict[str, list[tuple[Person, Decision]]] = defaultdict(list)
    for row, decision in zip(world.rows, decisions, strict=True):
        custom_id = row["custom_id"]
        if not custom_id:
            continue
        if by_id.get(custom_id, {}).get("protected"):
            decision.action, decision.codes = "ignored", {"account.protected"}
        elif row["status"] == "Disabled" and by_id.get(custom_id, {}).get("state", "deleted") == "deleted":
            decision.action, decision.codes = "ignored", {"row.not_created"}
        elif any(_said(row, decision) == _said(*other) for other in contending[custom_id]):
            decision.action, decision.codes = "ignored", {"row.duplicate"}
        else:
            contending[custom_id].append((row, decision))
    for custom_id, rows in contending.items():
        counting = _counting_row(rows, by_id.get(custom_id))
        for row, decision in rows:
            if counting is not None and row is not counting:
                decision.action, decision.codes = "ignored", {"row.other_org"}


def _said(row: Person, decision: Decision) -> tuple[Person, Person]:
    """What counts if two rows are compared: the values to store, and those that the account does not take."""
    return row, {name: value for name, value in decision.given.items() if name != "school_district_external_id"}


def _counting_row(rows: list[tuple[Person, Decision]], account: Person | None) -> Person | None:
    """Of the rows of one person, Active ones come first, then the one at the account's org, then the first one."""
    best = [each for each in rows if each[0]["status"] == "Active"] or rows
    without_org = [_said({**row, "school_district_external_id": ""}, decision) for row, decision in best]
    names = {
        (row["first_name"], row["last_name"], decision.given.get("first_name"), decision.given.get("last_name"))
        for row, decision in rows
    }
    if len(names) > 1 or any(said != without_org[0] for said in without_org):
        return None
    org = account["school_district_external_id"] if account else ""
    return next((row for row, _ in best if row["school_district_external_id"] == org), best[0][0])


def _fault(row: Person, by_id: dict[str, Person], mode: Mode, decision: Decision) -> None:
    account = by_id.get(row["custom_id"])
    faults = {
        "custom_id.required": not row["custom_id"],
        "email.required": not row["email"],
        "org.unknown": row["school_district_external_id"] == "999",
        "status.unknown": row["status"] == "Gone",
        "user_type.out_of_mode": row["user_type"] not in mode.user_types and not decision.keeps_type,
        "account.out_of_mode": account is not None and account["user_type"] not in mode.user_types,
    }
    decision.codes = {code for code, holds in faults.items() if holds}


def _recognise(row: Person, by_id: dict[str, Person], decision: Decision) -> None:
    """An unknown ID of a person who was deleted under another one, by the names shown or those that the SIS had."""
    names = ("first_name", "middle_name", "last_name", "school_district_external_id")
    deleted = [account for account in by_id.values() if account["state"] == "deleted"]
    gone = [*deleted, *({**account, **_names_of_sis(account)} for account in deleted)]
    alike = any(row["email"] == a["email"] or all(row[name] == a[name] for name in names) for a in gone)
    if alike and row["custom_id"] and row["custom_id"] not in by_id:
        decision.remarks.add("custom_id.returning")


def _clash(world: World, decisions: list[Decision]) -> None:
    counted = [(row, made) for row, made in zip(world.rows, decisions, strict=True) if made.action != "ignored"]
    for number, (row, decision) in enumerate(counted):
        others = [other for place, (other, _) in enumerate(counted) if place != number]
        assert decision.codes is not None
        if row["custom_id"] and any(other["custom_id"] == row["custom_id"] for other in others):
            decision.codes.add("custom_id.duplicate")
        strangers = [
            other
            for place, (other, made) in enumerate(counted)
            if place != number
            and not made.keeps_address
            and (not other["custom_id"] or other["custom_id"] != row["custom_id"])
        ]
        if row["email"] and not decision.keeps_address and any(other["email"] == row["email"] for other in strangers):
            decision.codes.add("email.duplicate")


def _take_addresses(world: World, by_id: dict[str, Person], decisions: list[Decision], leaving: set[str]) -> None:
    """Until nothing changes: who is not allowed to go, keeps; who wants what is kept, may not go."""
    unmanaged = {account["email"] for account in world.accounts if not account["custom_id"]}
    changed = True
    while changed:
        changed = False
        moving = {r["custom_id"] for r, d in zip(world.rows, decisions, strict=True) if not d.action and not d.codes}
        staying = {
            r["custom_id"] for r, d in zip(world.rows, decisions, strict=True) if not d.action and d.keeps_address
        }
        kept = {
            account["email"]: custom_id
            for custom_id, account in by_id.items()
            if account["state"] == "live"
            and custom_id not in leaving
            and (custom_id not in moving or custom_id in staying)
        }
        for row, decision in zip(world.rows, decisions, strict=True):
            if decision.action or decision.codes or kept.get(row["email"]) == row["custom_id"]:
                continue
            if row["email"] in kept or row["email"] in unmanaged:
                decision.codes = {"email.taken" if row["email"] in kept else "email.taken_unmanaged"}
                changed = True


def _act(row: Person, account: Person | None, decision: Decision) -> None:
    if decision.action:
        return
    if decision.codes:
        decision.action = "failed"
    elif account is None:
        decision.action = "create"
    else:
        decision.fields = ";".join(name for name in FIELD_NAMES if row[name] != account[name])
        is_back = account["state"] == "deleted"
        decision.action = "restore" if is_back else "update" if decision.fields else "unchanged"
