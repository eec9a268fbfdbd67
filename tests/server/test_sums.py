"""Limits that a sender cannot move: the base of 7 days ago, and sums over 7 days."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from kit.rosters import approved, had_leavers, needs_approval, roster, settled, student, sync, teacher
from pytest_django.fixtures import Settings

from sis_sync.core.errors import NotPermitted
from sis_sync.server.accounts.models import Account
from sis_sync.server.accounts.services import disable_accounts, enable_accounts
from sis_sync.server.keys.services import create_key
from sis_sync.server.orgs.models import Org
from sis_sync.server.runs.approval import approve_run
from sis_sync.server.runs.models import Run

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases_at_night]
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def own_data_folder(settings: Settings, tmp_path: Path) -> None:
    settings.SIS_SYNC_DATA_FOLDER = tmp_path


def there(org: Org, count: int, *, now: datetime, first: int = 0, **values: str) -> list[dict[str, str]]:
    """Create students who have had accounts for a month, and return their rows."""
    rows = [student(f"P{number:04}", **values) for number in range(first, first + count)]
    accounts = [
        Account(school_system=org.school_system, org=org, password="!", created_at=now - 30 * DAY, **fields_of(row))
        for row in rows
    ]
    Account.objects.bulk_create(accounts)
    return rows


def fields_of(row: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in row.items() if name != "school_district_external_id"}


def newcomers(count: int, first: int = 0) -> list[dict[str, str]]:
    return [student(f"Z{number:04}") for number in range(first, first + count)]


def held_by(run: Run) -> dict[str, int]:
    return {hit["code"]: hit["count"] for hit in run.guards}


def test_newcomers_enlarge_no_base(district: Org, north: Org, now: datetime) -> None:
    people = there(north, 100, now=now)
    assert sync(district, *newcomers(49), now=now).state == "applied"
    gone = [{**row, "status": "Disabled"} for row in people[:11]]  # 11 % of 100, and 7 % of 149
    assert held_by(sync(district, *gone, now=now + DAY)) == {"guard.deletions": 11}
    late = sync(district, *gone, now=now + 8 * DAY)
    assert held_by(late) == {}


@pytest.mark.both_databases
def test_arrivals_add_up(district: Org, north: Org, now: datetime) -> None:
    there(north, 100, now=now)
    for number in range(2):
        assert sync(district, *newcomers(20, number * 20), now=now + number * DAY).state == "applied"
    third = sync(district, *newcomers(20, 40), now=now + 2 * DAY)
    assert held_by(third) == {"guard.creations": 60}
    message = third.guards[0]["message"]
    assert "60 people would have been created or restored within 7 days: 60.0 % of the 100 accounts" in message
    assert "Also" not in message  # the same people count for the mode and for the school system


def test_approval_begins_a_sum_again(district: Org, north: Org, alice: Account, now: datetime) -> None:
    there(north, 100, now=now)
    sync(district, *newcomers(40), now=now)
    held = sync(district, *newcomers(20, 40), now=now + DAY)
    assert approved(held, alice, now + DAY).state == "applied"
    after = sync(district, *newcomers(49, 60), now=now + 2 * DAY)
    assert (held_by(after), after.state) == ({}, "applied")
    assert held_by(sync(district, *newcomers(1, 109), now=now + 3 * DAY)) == {"guard.creations": 50}


@pytest.mark.parametrize(
    ("field", "value", "subject"),
    [
        ("email", "n{}@riverbend.example", "address"),
        ("middle_name", "M{}", "names"),
        ("school_district_external_id", "S1", "school or district"),
        ("user_type", "Staff", "user type"),
    ],
)
def test_creeping_changes_are_held(
    district: Org, north: Org, south: Org, now: datetime, field: str, value: str, subject: str
) -> None:
    people = there(north, 100, now=now)
    changed = [{**row, field: value.format(number)} for number, row in enumerate(people[:20])]
    if field == "user_type":
        changed = [{**row, "grade": ""} for row in changed]
    assert sync(district, *changed[:19], now=now).state == "applied"
    same = sync(district, *changed[:19], now=now + DAY)
    assert (same.state, same.counts["unchanged"]) == ("applied", 19)
    last = sync(district, changed[19], now=now + DAY)
    assert held_by(last) == {"guard.changes": 20}
    assert f"have changed their {subject}" in last.guards[0]["message"]


def test_enabled_accounts_add_up(district: Org, north: Org, now: datetime) -> None:
    there(north, 60, now=now)
    asleep = there(north, 5, now=now, first=60, status="Disabled")
    back = [{**row, "status": "Active"} for row in asleep]
    assert sync(district, *back[:4], now=now).state == "applied"
    assert held_by(sync(district, back[4], now=now + DAY)) == {"guard.enabled": 5}


def test_disabled_by_policy_stay_in_base(district: Org, north: Org, alice: Account, now: datetime) -> None:
    people = there(north, 60, now=now)
    gone = [{**row, "status": "Disabled"} for row in people[:10]]
    for number in range(0, 8, 4):
        assert sync(district, *gone[number : number + 4], now=now + number * DAY / 8).state == "applied"
    third = sync(district, *gone[8:], now=now + DAY)
    assert held_by(third) == {"guard.drip": 10}
    assert third.guards[0]["base"] == 61  # with Alice
    enable_accounts(accounts=Account.objects.filter(custom_id__in=["P0000", "P0001"]), actor=alice, now=now + DAY)
    assert held_by(sync(district, *gone[8:9], now=now + 2 * DAY)) == {}


def test_last_change_by_person_is_base(district: Org, north: Org, alice: Account, now: datetime) -> None:
    """What policy did before a person did the same is over: the four are not in the base."""
    people = there(north, 60, now=now)
    gone = [{**row, "status": "Disabled"} for row in people]
    assert sync(district, *gone[:4], now=now).state == "applied"
    four = Account.objects.filter(custom_id__in=[row["custom_id"] for row in gone[:4]])
    enable_accounts(accounts=four, actor=alice, now=now + DAY)
    disable_accounts(accounts=four, actor=alice, now=now + DAY)
    held = sync(district, *gone[4:14], now=now + DAY)
    assert (held.guards[0]["code"], held.guards[0]["base"]) == ("guard.deletions", 57)  # with Alice


def moved(people: list[dict[str, str]], org: str) -> list[dict[str, str]]:
    return [{**row, "school_district_external_id": org} for row in people]


def test_moved_people_stay_in_base_of_school(district: Org, north: Org, south: Org, now: datetime) -> None:
    """19 who were moved to a school do not make the 20 who were there few, nor do they if they are moved back."""
    others = there(north, 400, now=now)
    people = there(south, 20, now=now, first=400, school_district_external_id="S1")
    assert sync(district, *moved(others[:19], "S1"), now=now).state == "applied"
    gone = [{**row, "status": "Disabled"} for row in people[:5]]
    assert held_by(sync(district, *gone, now=now + DAY)) == {"guard.deletions": 5}


def test_base_is_before_first_change(district: Org, north: Org, south: Org, now: datetime) -> None:
    others = there(north, 400, now=now)
    people = there(south, 20, now=now, first=400, school_district_external_id="S1")
    assert sync(district, *moved(others[:19], "S1"), now=now).state == "applied"
    assert sync(district, *others[:19], now=now + DAY).state == "applied"
    gone = [{**row, "status": "Disabled"} for row in people[:5]]
    assert held_by(sync(district, *gone, now=now + DAY)) == {"guard.deletions": 5}


@pytest.mark.night
def test_retyped_people_stay_in_base_of_type(district: Org, north: Org, now: datetime) -> None:
    students = there(north, 400, now=now)
    staff = there(north, 20, now=now, first=400, user_type="Teacher", grade="")
    promoted = [{**row, "user_type": "Teacher", "grade": ""} for row in students[:19]]
    assert sync(district, *promoted, now=now).state == "applied"
    gone = [{**row, "status": "Disabled"} for row in staff[:5]]
    assert held_by(sync(district, *gone, now=now + DAY)) == {"guard.deletions": 5}


def test_approval_by_key_is_no_persons(district: Org, north: Org, alice: Account, now: datetime) -> None:
    needs_approval(district, "partial")
    there(north, 100, now=now)
    key, _ = create_key(
        school_system=district.school_system,
        org=district,
        name="office",
        scopes=("upload", "approve"),
        actor=alice,
        now=now,
    )
    first = sync(district, *newcomers(40), now=now)
    approve_run(run=first, digest=first.plan_digest, by=key, now=now)
    assert settled(first, now=now).state == "applied"
    assert held_by(sync(district, *newcomers(20, 40), now=now + DAY)) == {"guard.creations": 60}


def test_imported_students_hide_no_staff(district: Org, north: Org, now: datetime) -> None:
    """60 teachers are measured against themselves, however many students a list adds."""
    staff = there(north, 60, now=now, user_type="Teacher", grade="")
    needs_approval(district, "students", required=False)
    had_leavers(district, now)
    imported = [student(f"S{number}") for number in range(400)]
    assert sync(district, *imported, now=now, mode="students").state == "applied"
    assert sync(district, *imported[:-5], imported[-1], now=now, mode="students").state == "applied"
    changed = [{**row, "email": f"n{number}@x.example"} for number, row in enumerate(staff[:20])]
    assert held_by(sync(district, *changed, now=now + DAY)) == {"guard.changes": 20}
    gone = [{**row, "status": "Disabled"} for row in staff[:7]]
    assert held_by(sync(district, *gone, now=now + DAY)) == {"guard.deletions": 7, "guard.drip": 11}


def test_own_passwords_add_up(district: Org, north: Org, now: datetime) -> None:
    there(north, 100, now=now)

    def with_passwords(first: int, count: int) -> bytes:
        rows = [{**row, "password": "Kestrel-lamp-47"} for row in newcomers(count, first)]
        return roster(*rows, extra=("password",))

    assert sync(district, now=now, content=with_passwords(0, 2)).state == "applied"
    Run.objects.update(newcomers_with_password=20)
    assert held_by(sync(district, now=now + DAY, content=with_passwords(2, 1))) == {"guard.creations": 21}


def test_key_approves_no_disabling_row(district: Org, north: Org, alice: Account, now: datetime) -> None:
    needs_approval(district, "partial")
    people = there(north, 40, now=now)
    key, _ = create_key(
        school_system=district.school_system,
        org=district,
        name="office",
        scopes=("upload", "read", "approve"),
        actor=alice,
        now=now,
    )
    run = sync(district, {**people[0], "status": "Disabled"}, now=now)
    assert (run.state, run.counts["update"]) == ("waiting", 1)
    with pytest.raises(NotPermitted, match="accounts would leave"):
        approve_run(run=run, digest=run.plan_digest, by=key, now=now)


def test_modes_share_their_sums(district: Org, north: Org, now: datetime) -> None:
    pupils = there(north, 60, now=now)
    staff = there(north, 60, now=now, first=60, user_type="Teacher", grade="")
    changed = [{**row, "last_name": f"Rude{number}"} for number, row in enumerate([*pupils[:19], *staff[:19]])]
    needs_approval(district, "students", on_absent="nothing", required=False)
    needs_approval(district, "staff", on_absent="nothing", required=False)
    assert sync(district, *changed[:19], now=now, mode="students").state == "applied"
    assert held_by(sync(district, *changed[19:20], now=now + DAY, mode="staff")) == {"guard.changes": 20}


@pytest.mark.night
def test_retyped_people_hide_in_no_import(district: Org, north: Org, now: datetime) -> None:
    pupils = there(north, 20, now=now)
    needs_approval(district, "staff", required=False)
    had_leavers(district, now)
    staff = [teacher(f"T{number}") for number in range(300)]
    assert sync(district, *staff, now=now, mode="staff").state == "applied"
    retyped = [{**row, "user_type": "Teacher", "grade": ""} for row in pupils[:19]]
    assert sync(district, *retyped, now=now + DAY).state == "applied"
    last = sync(district, *staff, now=now + 2 * DAY, mode="staff")
    assert held_by(last)["guard.drip"] == 19


@pytest.mark.parametrize("days", [0, 60])
def test_retyped_staff_make_no_first_import(district: Org, north: Org, now: datetime, days: int) -> None:
    there(north, 100, now=now)
    staff = there(north, 3, now=now, first=100, user_type="Teacher", grade="")
    assert retyped(staff, district, now=now).state == "applied"
    assert held_by(sync(district, *teachers(50), mode="staff", now=now + days * DAY)) == {"guard.creations": 50}


def test_a_person_may_end_a_type(district: Org, north: Org, alice: Account, now: datetime) -> None:
    pupils = there(north, 3, now=now)
    needs_approval(district, "partial")
    waiting = sync(district, *[{**row, "user_type": "Teacher", "grade": ""} for row in pupils], now=now)
    assert approved(waiting, alice, now).counts["update"] == 3
    assert held_by(sync(district, *newcomers(50), mode="students", now=now + DAY)) == {}


def test_retyped_people_leave_an_import_what_it_is(district: Org, north: Org, now: datetime) -> None:
    staff = there(north, 3, now=now, user_type="Teacher", grade="")
    needs_approval(district, "students", required=False)
    assert sync(district, *newcomers(500), mode="students", now=now).state == "applied"
    assert retyped(staff, district, now=now + DAY).state == "applied"
    more = sync(district, *newcomers(5, 500), now=now + 2 * DAY)
    assert held_by(more) == {"guard.creations": 5}


def retyped(staff: list[dict[str, str]], org: Org, *, now: datetime) -> Run:
    return sync(org, *[{**row, "user_type": "Student", "grade": "7"} for row in staff], now=now)


def teachers(count: int) -> list[dict[str, str]]:
    return [teacher(f"T{number:04}") for number in range(count)]


@pytest.mark.night
def test_restored_disabled_people_are_enabled(district: Org, north: Org, now: datetime) -> None:
    there(north, 100, now=now)
    asleep = there(north, 60, now=now, first=100, status="Disabled")
    needs_approval(district, "students", required=False)
    had_leavers(district, now)
    rest = [*(student(f"P{number:04}") for number in range(100)), *asleep[5:]]
    assert sync(district, *reversed(rest), now=now, mode="students").counts["delete"] == 5
    back = [{**row, "status": "Active"} for row in asleep[:6]]
    assert held_by(sync(district, *back, now=now + DAY)) == {"guard.enabled": 6}
