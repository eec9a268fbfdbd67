"""Random files that API keys send to a district with no one approving, and the people at each moment."""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

from kit.rosters import had_leavers, roster, sync

from sis_sync.core.fields import FIELD_NAMES
from sis_sync.server.accounts.models import Account
from sis_sync.server.keys.models import ApiKey
from sis_sync.server.keys.services import create_key, set_client_api
from sis_sync.server.orgs.models import SchoolSystem
from sis_sync.server.orgs.selectors import district_of
from sis_sync.server.orgs.services import create_org, give_right, update_org
from sis_sync.server.runs.models import ModeSettings
from sis_sync.server.setup.services import create_school_system

START = datetime.fromisoformat("2026-10-29T05:30:00+00:00")  # some days before the clocks change in North America
MANAGER = "P0000"
SCHOOL = "S1"
SLUGS = itertools.count()

People = dict[str, dict[str, str]]  # the rows of a file by custom ID
# What someone does to people, and the status that those people have before.
DEEDS = {
    "leave_out": "Active",
    "disable": "Active",
    "enable": "Disabled",
    "restore": "Deleted",
    "restore_with_password": "Deleted",
    "address": "Active",
    "names": "Active",
    "org": "Active",
    "type": "Active",
    "password": "Active",
    "renumber": "Active",
    "mixed": "Active",
}
OWN_DEEDS = ("newcomers", "newcomers_with_password", "take_back", "undo")


@dataclass(frozen=True)
class File:
    """What one file does, to how many people, in which mode, how long after the one before, and with which key."""

    deed: str
    number: int
    mode: str
    hours: int
    by_school: bool = False


@dataclass(frozen=True)
class Moment:
    """Everyone who has a custom ID, also the deleted ones, and their stored passwords."""

    at: datetime
    people: People
    passwords: dict[str, str]

    def with_status(self, *statuses: str) -> set[str]:
        """The custom IDs of those whose status is one of these. `Deleted` is one."""
        return {each for each, row in self.people.items() if row["status"] in statuses}


@dataclass
class Weeks:
    """A district, and what its keys do to it. `moments` has the people at the start and after each file."""

    system: SchoolSystem
    keys: tuple[ApiKey, ApiKey]  # of the district, of a school
    now: datetime = START
    sent: list[str] = field(default_factory=list)
    moments: list[Moment] = field(default_factory=list)
    fresh: Any = field(default_factory=itertools.count)
    random: Random = field(default_factory=lambda: Random(7))

    @property
    def start(self) -> People:
        """The people before the first file."""
        return self.moments[0].people

    def look(self) -> Moment:
        """Keep the people as they are now, and return them."""
        found = Account.objects.filter(school_system=self.system, custom_id__isnull=False).select_related("org")
        people, passwords = {}, {}
        for account in found.order_by("custom_id"):
            row = {name: getattr(account, name, "") for name in FIELD_NAMES}
            row["school_district_external_id"] = account.org.external_id
            row["status"] = "Deleted" if account.deleted_at else account.status
            people[str(account.custom_id)] = row
            passwords[str(account.custom_id)] = account.password if account.has_usable_password() else ""
        self.moments.append(Moment(self.now, people, passwords))
        return self.moments[-1]

    def send(self, file: File) -> None:
        """Send one file: everyone of the mode, or the concerned people for partial."""
        self.now += timedelta(hours=file.hours)
        people = self.moments[-1].people
        live = {each: row for each, row in people.items() if row["status"] != "Deleted"}
        changed, left_out = self._deed(file.deed, file.number, people)
        if file.mode == "partial":
            left = {each: {**live[each], "status": "Disabled"} for each in left_out} if file.deed == "renumber" else {}
            rows: Mapping[str, dict[str, str]] = {**changed, **left}
        else:
            rows = {each: row for each, row in {**live, **changed}.items() if each not in left_out}
        fitting = [row for each, row in rows.items() if _fits(row, file.mode) and self._in_scope(file, each, row)]
        if not fitting:
            return
        with_password = ("password",) if any("password" in row for row in fitting) else ()
        key = self.keys[file.by_school]
        content = roster(*fitting, extra=with_password)
        name = f"{len(self.sent)}.csv"
        run = sync(key.org, content=content, mode=file.mode, now=self.now, file_name=name, by=key)
        codes = ",".join(hit["code"] for hit in run.guards)
        self.sent.append(f"{self.now:%d %H:%M} {file}: {run.state} {codes}")
        assert run.state in ("applied", "held", "superseded", "refused"), self.sent
        self.look()

    def _in_scope(self, file: File, each: str, row: dict[str, str]) -> bool:
        """True if the file may name this person: rows of other schools would only fail."""
        before = self.moments[-1].people.get(each, row)
        return not file.by_school or SCHOOL in (
            row["school_district_external_id"],
            before["school_district_external_id"],
        )

    def _deed(self, deed: str, number: int, people: People) -> tuple[People, set[str]]:
        """Return the rows that the deed changes, and who has no row any more."""
        if deed.startswith("newcomers"):
            password = {"password": "of a newcomer"} if "password" in deed else {}
            ids = [f"Z{next(self.fresh)}" for _ in range(number)]
            return {each: {**person(each, serial), **password} for serial, each in enumerate(ids)}, set()
        if deed == "take_back":  # newcomers of these weeks leave
            return {e: {**people[e], "status": "Disabled"} for e in list(filter(is_newcomer, people))[:number]}, set()
        if deed == "undo":  # all is sent as it was at the start
            differ = [e for e, row in self.start.items() if people[e] != row and row["status"] != "Deleted"]
            return {each: self.start[each] for each in differ[:number]}, set()
        able = [
            each
            for each, row in people.items()
            if row["status"] == DEEDS[deed] and each in self.start and (each != MANAGER or deed == "password")
        ]
        chosen = self.random.sample(able, min(number, len(able)))
        if deed == "leave_out":
            return {}, set(chosen)
        if deed == "renumber":
            new = {each: f"Z{next(self.fresh)}" for each in chosen}
            values = {each: {"custom_id": new[each], "email": f"{new[each]}@x.example"} for each in chosen}
            return {new[each]: {**people[each], **values[each]} for each in chosen}, set(chosen)
        return {each: {**people[each], **self._values(deed, people[each])} for each in chosen}, set()

    def _values(self, deed: str, row: dict[str, str]) -> dict[str, str]:
        if deed == "mixed":
            deed = self.random.choice(("address", "names", "org", "type", "disable"))
        tag, is_student = next(self.fresh), row["user_type"] == "Student"
        password = {"password": f"of the key {tag}"}
        values = {
            "address": {"email": f"e{tag}@riverbend.example"},
            "names": {"last_name": f"Rude{tag}"},
            "password": password,
            "org": {"school_district_external_id": "N1" if row["school_district_external_id"] == SCHOOL else SCHOOL},
            "type": {"user_type": "Staff" if is_student else "Student", "grade": "" if is_student else "7"},
            "disable": {"status": "Disabled"},
            "restore_with_password": {"status": "Active", **password},
        }
        return values.get(deed, {"status": "Active"})


def is_newcomer(custom_id: str) -> bool:
    """True for the ID of someone whom a file created."""
    return custom_id.startswith("Z")


def _fits(row: dict[str, str], mode: str) -> bool:
    is_student = row["user_type"] == "Student"
    return {"students": is_student, "staff": not is_student}.get(mode, True)


def person(custom_id: str, number: int = 0) -> dict[str, str]:
    """A row of one of four people a teacher, one of three at the school, one of seven Disabled."""
    is_staff = number % 4 == 2  # the third is one, so that no week begins with a first import, which has no limit
    return {
        **dict.fromkeys(FIELD_NAMES, ""),
        "first_name": "Sam",
        "last_name": f"Okafor{custom_id}",
        "email": f"{custom_id.lower()}@riverbend.example",
        "custom_id": custom_id,
        "school_district_external_id": "N1" if number % 3 else SCHOOL,
        "user_type": "Teacher" if is_staff else "Student",
        "grade": "" if is_staff else "7",
        "status": "Disabled" if number % 7 == 6 else "Active",
    }


def district_of_people(size: int, **mode_settings: Any) -> Weeks:
    """A district that has existed for a month: `size` Active people, and some who are Disabled or deleted.

    No mode needs an approval. `mode_settings` are those of all modes.
    """
    slug = f"weeks{next(SLUGS)}"
    system = create_school_system(name="Riverbend", slug=slug, time_zone="America/New_York", now=START)
    district = update_org(org=district_of(system), name="Riverbend", external_id="RB", actor=None, now=START)
    orgs = {
        name: create_org(school_system=system, kind="school", name=name, external_id=name, actor=None, now=START)
        for name in ("N1", SCHOOL)
    }
    long_ago = START - timedelta(days=30)
    accounts: list[Account] = []
    active = 0
    while active < size:
        row = person(f"P{len(accounts):04}", len(accounts))
        is_deleted = len(accounts) % 11 == 9
        active += row["status"] == "Active" and not is_deleted
        org = orgs[row.pop("school_district_external_id")]
        deleted_at = long_ago if is_deleted else None
        made = {"org": org, "deleted_at": deleted_at, "created_at": long_ago, "password": "!"}
        accounts.append(Account(school_system=system, **made, **row))
    Account.objects.bulk_create(accounts)
    manager = Account.objects.get(school_system=system, custom_id=MANAGER)
    give_right(account=manager, org=district, actor=None, now=START)
    free = {"requires_approval": False, "sets_passwords": "on"}
    ModeSettings.objects.filter(school_system=system).update(**free, **mode_settings)
    had_leavers(district, START)
    set_client_api(school_system=system, enabled=True, actor=None, now=START)
    keys = [
        create_key(school_system=system, org=org, name="key", actor=None, now=START)[0]
        for org in (district, orgs[SCHOOL])
    ]
    weeks = Weeks(system, (keys[0], keys[1]))
    weeks.look()
    return weeks
