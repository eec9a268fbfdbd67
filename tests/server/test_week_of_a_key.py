"""No sequence of files that one upload key can send in a week, with no one approving, takes many people away.

The limits are those of the rules: 15 % leave, 25 % arrive, 5 % change one of address, names, org and user type; of
fewer than 20 people 4 of each, and no more than half leave. 20 people who have an account get a password, none of them
a manager.
"""

import itertools
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kit.plans import TIMES, examples
from kit.rosters import had_leavers, roster, sync
from pytest_django.fixtures import Settings

from sis_sync.core.fields import FIELD_NAMES
from sis_sync.server.accounts.models import Account
from sis_sync.server.orgs.models import Org, SchoolSystem
from sis_sync.server.orgs.selectors import district_of
from sis_sync.server.orgs.services import create_org, give_right, update_org
from sis_sync.server.runs.models import ModeSettings
from sis_sync.server.setup.services import create_school_system

START = datetime.fromisoformat("2026-09-07T06:00:00+00:00")
MODES = ("partial", "full", "students", "staff")
DEEDS = (
    "leave_out",
    "disable",
    "enable",
    "restore",
    "address",
    "names",
    "org",
    "type",
    "newcomers",
    "take_back",
    "password",
)
# Around every limit of districts of these sizes. The largest one takes seconds a file.
SIZES = (3, 4, 8, 19, 20, 21, 40, 99, 400, *([2_000] if TIMES > 1 else []))
NUMBERS = (1, 2, 3, 4, 5, 6, 10, 15, 19, 20, 21, 40, 49, 50, 60, 100, *([101, 299, 301, 501] if TIMES > 1 else []))
SMALL = 20
MANAGER = "P0000"
SLUGS = itertools.count()

steps = st.lists(
    st.tuples(st.sampled_from(DEEDS), st.sampled_from(NUMBERS), st.sampled_from(MODES), st.integers(0, 36)),
    min_size=2,
    max_size=7,
)


@dataclass
class Week:
    """A district, and what one key sends to it. `rows` is what the sender would have everyone be."""

    system: SchoolSystem
    scope: Org
    rows: dict[str, dict[str, str]]
    start: dict[str, dict[str, str]]
    now: datetime = START
    sent: list[str] = field(default_factory=list)
    fresh: Any = field(default_factory=itertools.count)
    random: Random = field(default_factory=lambda: Random(7))

    def send(self, deed: str, number: int, mode: str, hours: int) -> None:
        """Send one file: everyone of the mode, or the concerned people for partial."""
        self.now = min(self.now + timedelta(hours=hours), START + timedelta(days=7, minutes=-1))
        changed = self._changed(deed, number)
        rows = dict(changed) if mode == "partial" else {**self.state(), **changed}
        if deed == "leave_out":
            rows = {} if mode == "partial" else {each: row for each, row in self.state().items() if each not in changed}
        fitting = [row for row in rows.values() if _fits(row, mode)]
        if not fitting:
            return
        content = roster(*fitting, extra=("password",) if deed == "password" else ())
        run = sync(self.scope, content=content, mode=mode, now=self.now, file_name=f"{len(self.sent)}.csv")
        codes = ",".join(hit["code"] for hit in run.guards)
        self.sent.append(f"{deed} {number} {mode}: {run.state} {codes}")
        assert run.state in ("applied", "held", "superseded", "refused"), self.sent

    def state(self) -> dict[str, dict[str, str]]:
        """The live people by custom ID, as rows."""
        return {each: row for each, row in self.all().items() if row["status"] != "Deleted"}

    def all(self) -> dict[str, dict[str, str]]:
        found = Account.objects.filter(school_system=self.system, custom_id__isnull=False).select_related("org")
        people = {}
        for account in found.order_by("custom_id"):
            row = {name: getattr(account, name, "") for name in FIELD_NAMES}
            row["school_district_external_id"] = account.org.external_id
            row["status"] = "Deleted" if account.deleted_at else account.status
            people[str(account.custom_id)] = row
        return people

    def _changed(self, deed: str, number: int) -> dict[str, dict[str, str]]:
        if deed == "newcomers":
            return {row["custom_id"]: row for row in (person(f"Z{next(self.fresh)}") for _ in range(number))}
        people = self.all()
        if deed == "take_back":  # newcomers of this week leave, or return under their own ID
            chosen = [each for each in people if each.startswith("Z")]
            return {each: {**people[each], "status": "Disabled"} for each in chosen[:number]}
        wanted = {"enable": "Disabled", "restore": "Deleted"}.get(deed, "Active")
        chosen = [
            each
            for each, row in people.items()
            if row["status"] == wanted and each in self.start and (each != MANAGER or deed == "password")
        ]
        changed = {}
        for each in self.random.sample(chosen, min(number, len(chosen))):
            row, tag = people[each], next(self.fresh)
            changed[each] = {**row, **_values(deed, row, tag)}
        return changed


def _values(deed: str, row: dict[str, str], tag: int) -> dict[str, str]:
    if deed == "address":
        return {"email": f"e{tag}@riverbend.example"}
    if deed == "names":
        return {"last_name": f"Rude{tag}"}
    if deed == "password":
        return {"password": f"of the key {tag}"}
    if deed == "org":
        return {"school_district_external_id": "S1" if row["school_district_external_id"] == "N1" else "N1"}
    if deed == "type":
        is_student = row["user_type"] == "Student"
        return {"user_type": "Staff" if is_student else "Student", "grade": "" if is_student else "7"}
    return {"status": {"disable": "Disabled"}.get(deed, "Active")}


def _fits(row: dict[str, str], mode: str) -> bool:
    is_student = row["user_type"] == "Student"
    return {"students": is_student, "staff": not is_student}.get(mode, True)


def person(custom_id: str, number: int = 0) -> dict[str, str]:
    is_staff = number % 4 == 3
    return {
        **dict.fromkeys(FIELD_NAMES, ""),
        "first_name": "Sam",
        "last_name": f"Okafor{custom_id}",
        "email": f"{custom_id.lower()}@riverbend.example",
        "custom_id": custom_id,
        "school_district_external_id": "N1" if number % 3 else "S1",
        "user_type": "Teacher" if is_staff else "Student",
        "grade": "" if is_staff else "7",
        "status": "Disabled" if number % 7 == 6 else "Active",
    }


def district_of_people(size: int) -> Week:
    """A district that has existed for a month: `size` Active people, and some who are Disabled or deleted."""
    system = create_school_system(name="Riverbend", slug=f"week{next(SLUGS)}", time_zone="UTC", now=START)
    district = update_org(org=district_of(system), name="Riverbend", external_id="RB", actor=None, now=START)
    orgs = {
        name: create_org(school_system=system, kind="school", name=name, external_id=name, actor=None, now=START)
        for name in ("N1", "S1")
    }
    long_ago = START - timedelta(days=30)
    accounts, active, number = [], 0, 0
    while active < size:
        row = person(f"P{number:04}", number)
        is_deleted = number % 11 == 9
        active += row["status"] == "Active" and not is_deleted
        values = {name: row[name] for name in FIELD_NAMES if name != "school_district_external_id"}
        accounts.append(
            Account(
                school_system=system,
                org=orgs[row["school_district_external_id"]],
                deleted_at=long_ago if is_deleted else None,
                created_at=long_ago,
                password="!",
                **values,
            )
        )
        number += 1
    Account.objects.bulk_create(accounts)
    give_right(
        account=Account.objects.get(school_system=system, custom_id=MANAGER), org=district, actor=None, now=START
    )
    ModeSettings.objects.filter(school_system=system).update(requires_approval=False, sets_passwords="on")
    had_leavers(district, START)
    week = Week(system, district, {}, {})
    week.start = week.all()
    return week


def check(week: Week, size: int) -> None:
    """Compare the end of the week with its start."""
    end = week.all()
    were_active = [each for each, row in week.start.items() if row["status"] == "Active"]
    assert len(were_active) == size
    lost = [each for each in were_active if end[each]["status"] != "Active"]
    assert len(lost) <= _most(size, 15, 4), (size, len(lost), week.sent)
    assert size >= SMALL or len(lost) * 2 <= size, (size, len(lost), week.sent)
    live_at_start = {each for each, row in week.start.items() if row["status"] != "Deleted"}
    arrived = [each for each, row in end.items() if row["status"] != "Deleted" and each not in live_at_start]
    assert len(arrived) <= _most(size, 25, 49), (size, len(arrived), week.sent)
    for names in (
        ("email",),
        ("first_name", "middle_name", "last_name"),
        ("user_type",),
        ("school_district_external_id",),
    ):
        changed = [each for each in live_at_start if any(end[each][name] != week.start[each][name] for name in names)]
        assert len(changed) <= _most(size, 5, 19), (size, names, len(changed), week.sent)
    enabled = [
        each for each, row in week.start.items() if row["status"] == "Disabled" and end[each]["status"] == "Active"
    ]
    assert len(enabled) <= _most(size, 5, 4), (size, len(enabled), week.sent)
    accounts = Account.objects.filter(school_system=week.system, custom_id__in=list(week.start))
    with_password = [account.custom_id for account in accounts if account.has_usable_password()]
    assert len(with_password) <= 20, (size, len(with_password), week.sent)
    assert MANAGER not in with_password, week.sent


def _most(size: int, percent: int, least: int) -> int:
    return min(4, least) if size < SMALL else max(size * percent // 100, least)


@pytest.fixture(autouse=True)
def own_data_folder(settings: Settings, tmp_path: Path) -> None:
    settings.SIS_SYNC_DATA_FOLDER = tmp_path


@pytest.mark.both_databases_at_night
@pytest.mark.django_db
@given(size=st.sampled_from(SIZES), files=steps)
@examples(2, night=3)
def test_key_takes_few_people(size: int, files: list[tuple[str, int, str, int]]) -> None:
    week = district_of_people(size)
    for deed, number, mode, hours in files:
        week.send(deed, number, mode, hours)
    check(week, size)
