"""Several runs of one school system at once: each plan is made after the earlier one is applied, so guards add up."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from kit.rosters import approved, had_leavers, imported, needs_approval, roster, send, settled, student, sync, teacher
from pytest_django.fixtures import Settings

from sis_sync.core.whole_files import replaced_whole
from sis_sync.server.accounts.models import Account
from sis_sync.server.accounts.services import update_account
from sis_sync.server.jobs.models import Job
from sis_sync.server.keys.services import create_key, revoke_key, set_client_api
from sis_sync.server.orgs.models import Org
from sis_sync.server.orgs.services import create_org, give_right, take_right
from sis_sync.server.runs import flow, planning
from sis_sync.server.runs.approval import approve_run
from sis_sync.server.runs.files import reading_session, run_files
from sis_sync.server.runs.flow import plan_run
from sis_sync.server.runs.models import Run
from sis_sync.server.runs.selectors import plan_rows
from sis_sync.server.runs.settings import PLANNED_WITH
from sis_sync.steps.plan.plan import plan_digest

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases_at_night]

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
STUDENTS = [student(f"N{number:03}", f"Okafor {number}") for number in range(100)]


@pytest.fixture(autouse=True)
def own_data_folder(settings: Settings, tmp_path: Path) -> None:
    settings.SIS_SYNC_DATA_FOLDER = tmp_path


def live(org: Org) -> int:
    return Account.objects.filter(org=org, status="Active", deleted_at=None, user_type="Student").count()


@pytest.mark.night
def test_later_list_is_planned_later(district: Org, north: Org, now: datetime) -> None:
    needs_approval(district, "students", required=False)
    had_leavers(district, now)
    sync(district, *STUDENTS, now=now, mode="students")
    short = send(district, *STUDENTS[9:], now=now + DAY, mode="students")
    whole = send(district, *STUDENTS, now=now + DAY, mode="students")
    settled(whole, now=now + DAY)
    short.refresh_from_db()
    assert (short.state, whole.state) == ("applied", "applied")
    assert whole.counts["restore"] == 9
    assert live(north) == 100


def test_guards_see_both_files(district: Org, north: Org, now: datetime) -> None:
    sync(district, *STUDENTS, now=now)
    leavers = [dict(row, status="Disabled") for row in STUDENTS]
    runs = [send(district, *leavers[first : first + 10], now=now + DAY) for first in range(0, 100, 10)]
    for run in runs:
        settled(run, now=now + DAY)
    assert {run.state for run in runs[1:]} == {"held"}
    assert live(north) == 90


@pytest.mark.night
def test_undercut_plan_is_shown_again(district: Org, north: Org, alice: Account, now: datetime) -> None:
    needs_approval(district, "partial")
    approved(sync(district, *STUDENTS, now=now), alice, now)
    older = sync(district, *STUDENTS[9:], now=now + HOUR, mode="students")
    newer = sync(district, dict(STUDENTS[0], grade="9"), *STUDENTS[1:9], now=now + 2 * HOUR)
    assert newer.counts["unchanged"] == 8
    assert approved(older, alice, now + 3 * HOUR).state == "applied"
    assert approved(newer, alice, now + 4 * HOUR).state == "waiting"
    assert newer.counts["restore"] == 9
    assert "changed by another run" in newer.decision_reason


@pytest.mark.night
def test_two_other_runs_undercut_no_one(district: Org, north: Org, alice: Account, now: datetime) -> None:
    imported(district, *STUDENTS, now=now)
    waiting = sync(district, *STUDENTS[1:], now=now + HOUR, mode="students")
    for number in range(2):
        assert sync(district, student(f"new{number}"), now=now + 2 * HOUR).state == "applied"
    assert approved(waiting, alice, now + 3 * HOUR).state == "applied"


@pytest.mark.both_databases
def test_plan_overtaken_while_made(
    district: Org, north: Org, alice: Account, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    needs_approval(district, "partial")
    approved(sync(district, *STUDENTS, now=now), alice, now)
    older = sync(district, *STUDENTS[9:], now=now + HOUR, mode="students")
    newer = send(district, *STUDENTS, now=now + HOUR)
    make = planning.make_stored_plan

    def made_while_another_is_applied(*values: object, **named: object) -> object:
        planned = make(*values, **named)  # type: ignore[arg-type]
        monkeypatch.setattr(flow, "make_stored_plan", make)
        approve_run(run=older, digest=older.plan_digest, by=alice, reason="checked", now=now + 3 * HOUR)
        flow.apply_run(older.pk, now=now + 3 * HOUR)
        return planned

    monkeypatch.setattr(flow, "make_stored_plan", made_while_another_is_applied)
    plan_run(newer.pk, now=now + 2 * HOUR)
    newer.refresh_from_db()
    assert newer.state == "out_of_date"
    assert settled(newer, now=now + 4 * HOUR).counts["restore"] == 9


@pytest.mark.night
def test_policy_applies_no_older_plan(district: Org, north: Org, alice: Account, now: datetime) -> None:
    imported(district, *STUDENTS, now=now)
    runs = [
        send(district, *(dict(row, status="Disabled") for row in part), now=now + DAY)
        for part in (STUDENTS[:10], STUDENTS[10:20])
    ]
    for run in runs:  # two workers plan at the same time
        plan_run(run.pk, now=now + DAY)
    for run in runs:
        settled(run, now=now + DAY + HOUR)
    assert [run.state for run in runs] == ["applied", "held"]
    assert live(north) == 90


@pytest.mark.night
def test_person_decides_the_new_plan(district: Org, north: Org, alice: Account, now: datetime) -> None:
    imported(district, *STUDENTS[:40], now=now)
    run = sync(district, *(dict(row, status="Disabled") for row in STUDENTS[:6]), now=now + HOUR)
    assert run.state == "held"
    imported(district, *STUDENTS[40:], now=now + 2 * HOUR)
    person = Account.objects.get(custom_id="N000")
    update_account(account=person, values={"grade": "9"}, actor=alice, now=now + 2 * HOUR)
    assert approved(run, alice, now + 3 * HOUR).state == "waiting"
    assert (run.guards, live(north)) == ([], 100)
    assert approved(run, alice, now + 4 * HOUR).state == "applied"


def test_file_of_revoked_key_waits(district: Org, north: Org, alice: Account, now: datetime) -> None:
    keys = [
        create_key(school_system=district.school_system, org=district, name=name, actor=alice, now=now)[0]
        for name in ("revoked", "disabled")
    ]
    revoked, disabled = (send(district, student(key.name), now=now, by=key, idempotency_key="one") for key in keys)
    revoke_key(key=keys[0], actor=alice, now=now)
    assert settled(revoked, now=now).state == "waiting"
    disabled.refresh_from_db()
    assert disabled.state == "applied"
    later = send(district, student("later"), now=now, by=keys[1], idempotency_key="two")
    set_client_api(school_system=district.school_system, enabled=False, actor=alice, now=now)
    assert settled(later, now=now).state == "waiting"


@pytest.mark.night
def test_file_of_former_manager_waits(district: Org, north: Org, alice: Account, bob: Account, now: datetime) -> None:
    run = send(north, student("S1"), now=now, by=bob)
    plan_run(run.pk, now=now)
    take_right(account=bob, org=north, actor=alice, now=now)
    assert settled(run, now=now + HOUR).state == "waiting"
    assert live(north) == 0


def test_new_manager_is_not_deleted(district: Org, north: Org, alice: Account, bob: Account, now: datetime) -> None:
    teachers = [teacher(f"T{number:03}", f"Ferrari {number}") for number in range(60)]
    imported(district, *teachers, now=now)
    of_alice = teacher("E-1", "Abara", first_name="Alice", email=alice.email, user_type="Administrator", org="RB")
    run = sync(district, of_alice, *teachers[1:], mode="staff", now=now)  # without Bob, a manager
    assert "guard.managers" in [hit["code"] for hit in run.guards]
    promoted = Account.objects.get(custom_id="T000")
    give_right(account=promoted, org=north, actor=alice, now=now)
    assert approved(run, alice, now + HOUR).state == "held"
    assert "T000" in next(hit["message"] for hit in run.guards if hit["code"] == "guard.managers")
    assert approved(run, alice, now + 2 * HOUR).state == "applied"


@pytest.mark.night
def test_older_versions_plan_shown_again(
    district: Org, north: Org, alice: Account, bob: Account, now: datetime
) -> None:
    run = sync(district, teacher("E-2", "Brandt", first_name="Bob", email="bob@new.example"), now=now)
    settings = {name: run.settings_used[name] for name in (*PLANNED_WITH, "orgs")}
    Run.objects.filter(pk=run.pk).update(settings_used=settings)
    assert approved(run, alice, now + HOUR).state == "held"
    assert approved(run, alice, now + 2 * HOUR).state == "applied"


@pytest.mark.night
def test_plan_in_an_older_format_is_made_again(district: Org, north: Org, alice: Account, now: datetime) -> None:
    needs_approval(district, "partial")
    run = sync(district, student("P0"), now=now)
    files = run_files(run)
    with reading_session() as session, replaced_whole(files.plan) as draft:
        query = "SELECT * EXCLUDE brings_password FROM read_parquet(:plan)"
        session.run(f"COPY ({query}) TO :draft (FORMAT parquet)", plan=str(files.plan), draft=str(draft))
    run.plan_digest = plan_digest(*files.stored_plan)
    files.plan.parent.rename(files.folder / run.plan_digest)
    del run.settings_used["plan_format"]
    run.save()
    assert approved(run, alice, now + HOUR).state == "waiting"
    assert run.decision_reason == "another version of the server planned it"
    assert not run.jobs.exclude(state="done").exists()
    assert approved(run, alice, now + 2 * HOUR).state == "applied"


@pytest.mark.night
@pytest.mark.both_databases
def test_overtaken_plan_needs_one_attempt(district: Org, north: Org, now: datetime) -> None:
    sync(district, student("P0"), now=now)
    older = send(district, student("P0", "Old"), now=now)
    Job.objects.filter(run=older).update(state="done")
    sync(district, student("P0", "New"), now=now + HOUR)
    Job.objects.filter(run=older).update(state="queued")
    assert settled(older, now=now + 2 * HOUR).state == "waiting"
    assert older.jobs.get().attempts == 1


@pytest.mark.night
def test_failed_row_keeps_its_password(district: Org, north: Org, alice: Account, now: datetime) -> None:
    needs_approval(district, "partial")
    new = [{**student("P1"), "password": ""}, {**student("P2", org="W1"), "password": "a horse at 9 o'clock"}]
    run = sync(district, now=now, content=roster(*new, extra=("password",)))
    assert run.counts["failed"] == 1
    system = district.school_system
    create_org(school_system=system, kind="school", name="West", external_id="W1", actor=alice, now=now)
    sync(district, student("P1"), now=now + HOUR)
    other = Run.objects.latest("pk")
    approved(other, alice, now + HOUR)
    assert approved(run, alice, now + 2 * HOUR).state == "waiting"
    assert approved(run, alice, now + 3 * HOUR).state == "applied"
    assert Account.objects.get(custom_id="P2").check_password("a horse at 9 o'clock")


def test_school_manager_sees_school_only(district: Org, north: Org, south: Org, bob: Account, now: datetime) -> None:
    sync(district, student("S777", "Weiss", org="S1", first_name="Wilhelmina", email="w.weiss@x.example"), now=now)
    asked = sync(north, student("S777", "X", first_name="X"), now=now, by=bob)
    assert [row.person for row in plan_rows(run=asked).rows] == ["X X"]
    taken = sync(north, student("N1", email="w.weiss@x.example"), now=now, by=bob)
    assert "belongs to an account of another school" in plan_rows(run=taken).rows[0].message
    assert "S777" not in plan_rows(run=taken).rows[0].message
