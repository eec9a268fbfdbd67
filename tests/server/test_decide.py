"""The page on which a manager decides: what it says, what its buttons do, and what it costs."""

import re
from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from kit.plans import at_night
from kit.rosters import imported, needs_approval, save_mode_settings, settled, student, sync, teacher

from sis_sync.server.accounts.models import Account
from sis_sync.server.accounts.services import create_account, update_account
from sis_sync.server.audit.models import AuditEntry
from sis_sync.server.keys.models import ApiKey
from sis_sync.server.orgs.models import Org
from sis_sync.server.orgs.services import give_right, update_org
from sis_sync.server.runs.files import run_files
from sis_sync.server.runs.fit import plan_misfits_again
from sis_sync.server.runs.models import ModeSettings, Run


def page_of(client: Client, run: Run) -> str:
    """The page at the address of the run, as text: tags are spaces."""
    content = client.get(f"/runs/{run.pk}").content.decode()
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", content))


def four_nights(org: Org, now: datetime) -> list[dict[str, str]]:
    """Full lists of four nights: 60 people come, then one student leaves each night. Return who is left."""
    people = [student(f"S{index:02}") for index in range(50)] + [teacher(f"T{index}") for index in range(10)]
    imported(org, *people, now=now - timedelta(days=10), mode="full")
    for night in range(4):
        people = people[1:]
        imported(org, *people, now=now - timedelta(days=5 - night), mode="full")
    return people


def test_cut_off_file_is_explained_and_rejected(as_alice: Client, district: Org, north: Org, south: Org) -> None:
    people = four_nights(district, timezone.now())
    run = sync(district, *people[:30], now=timezone.now(), mode="full")
    page = page_of(as_alice, run)
    assert "26 of 57 people would be deleted (45.6 %). Usually it is 0 to 1." in page  # Alice is one of them
    assert "On hold" in page
    assert "at North School" in page  # the guards say N1
    assert "Usually: the export lost a school, a grade or the lines after some point." in page
    assert run.guards[0]["message"].startswith("26 of 57 accounts (45.6 %)"), "one base on the page"
    for address in ("/", "/bulk/pending", f"/runs/{run.pk}?action=delete"):
        assert "at North School (" in as_alice.get(address).content.decode(), address
    assert "Type 26 to approve" in page
    assert page.index("Reject") < page.index("Approve: delete 26")
    assert as_alice.post(f"/runs/{run.pk}/reject", {"reason": "cut off"}).status_code == 303
    run.refresh_from_db()
    assert (run.state, run.decision_reason) == ("rejected", "cut off")


def test_sums_are_by_school_type_and_field(as_alice: Client, district: Org, north: Org, south: Org) -> None:
    people = four_nights(district, timezone.now())
    needs_approval(district, "full")
    moved = [{**each, "school_district_external_id": "S1"} for each in people[:5]]
    run = sync(district, *moved, *people[5:-1], student("S99"), now=timezone.now(), mode="full")
    page = page_of(as_alice, run)
    assert "North School 56 1 1 5 51" in page
    assert "South School 0 0 0 0 5" in page
    assert "Student 46 0 1 5 47" in page
    assert "Teacher 10 1 0 0 9" in page
    assert "5 to South School" in page
    assert 'aria-label="People who left: 0 to 1 in the last 5 runs, 1 in this plan"' in (
        as_alice.get(f"/runs/{run.pk}").content.decode()
    )


def test_held_run_is_approved_with_a_reason(as_alice: Client, district: Org, north: Org, now: datetime) -> None:
    people = [student(f"S{index:02}") for index in range(40)]
    imported(district, *people, now=now)
    run = sync(district, *people[:33], now=timezone.now(), mode="students")
    values = {"digest": run.plan_digest}
    refused = as_alice.post(f"/runs/{run.pk}/approve", values)
    assert refused.status_code == 409
    assert 'href="#id_reason"' in refused.content.decode()
    assert "Why is it right or wrong?" in refused.content.decode()
    run.refresh_from_db()
    assert run.state == "held"
    assert as_alice.post(f"/runs/{run.pk}/approve", {**values, "reason": " a class moved "}).status_code == 303
    assert settled(run, now=timezone.now()).decision_reason == "a class moved"
    assert run.state == "applied"


@pytest.mark.night
@pytest.mark.both_databases_at_night
def test_creates_and_updates_only(as_alice: Client, district: Org, north: Org, now: datetime) -> None:
    people = [student(f"S{index:02}") for index in range(40)]
    imported(district, *people, now=now)
    renamed, disabled = {**people[0], "last_name": "Adeyemi"}, {**people[1], "status": "Disabled"}
    run = sync(district, renamed, disabled, *people[2:30], student("S99"), now=timezone.now(), mode="students")
    assert run.counts["delete"] == 10
    before = run.plan_digest
    assert "Only create and update" in page_of(as_alice, run)
    assert as_alice.post(f"/runs/{run.pk}/creates-and-updates", {"digest": before}).status_code == 303
    assert settled(run, now=timezone.now()).state in ("waiting", "held")
    assert run.plan_digest != before
    counts = {action: run.counts[action] for action in ("create", "update", "ignored", "delete", "disable")}
    assert counts == {"create": 1, "update": 1, "ignored": 1, "delete": 0, "disable": 0}
    assert run.findings == {"account.kept_active": 1}
    page = page_of(as_alice, run)
    assert "This plan only creates and updates" in page
    assert "No one leaves: 1 person is new and 1 changes." in page
    values = {"digest": run.plan_digest, "reason": "the rest tomorrow"}
    assert as_alice.post(f"/runs/{run.pk}/approve", values).status_code == 303
    assert settled(run, now=timezone.now()).state == "applied"
    assert not Account.objects.filter(deleted_at__isnull=False).exists()
    assert not Account.objects.exclude(status="Active").exists()
    assert Account.objects.filter(custom_id="S99").exists()


def test_part_of_a_plan_is_never_applied_by_policy(as_alice: Client, district: Org, north: Org, now: datetime) -> None:
    people = [student(f"S{index:02}") for index in range(40)]
    imported(district, *people, now=now)
    needs_approval(district, "students", required=False)
    run = sync(district, *people[:28], student("S99"), now=timezone.now(), mode="students")
    as_alice.post(f"/runs/{run.pk}/creates-and-updates", {"digest": run.plan_digest})
    kept = settled(run, now=timezone.now())
    assert (kept.state in ("waiting", "held"), kept.counts["delete"]) == (True, 0)
    as_alice.post(f"/runs/{run.pk}/creates-and-updates", {"digest": run.plan_digest, "whole": "yes"})
    assert settled(run, now=timezone.now()).counts["delete"] == 12
    actions = list(AuditEntry.objects.filter(action__startswith="run.").values_list("action", flat=True))
    assert {"run.creates_and_updates_only", "run.whole_plan"} <= set(actions)


def test_partial_approval_needs_the_shown_plan(as_alice: Client, district: Org, north: Org, now: datetime) -> None:
    people = [student(f"S{index:02}") for index in range(40)]
    imported(district, *people, now=now)
    run = sync(district, *people[:28], now=timezone.now(), mode="students")
    as_alice.post(f"/runs/{run.pk}/creates-and-updates", {"digest": "0" * 64})
    run.refresh_from_db()
    assert (run.state, run.keeps_everyone) == ("held", False)
    assert "is not the one that was shown" in page_of(as_alice, run)


def test_queries_do_not_grow_with_rows(as_alice: Client, district: Org, north: Org, south: Org, now: datetime) -> None:
    imported(district, *[student(f"S{index:03}") for index in range(200)], now=now)
    numbers = []
    for leave in (12, 150):
        kept = [student(f"S{index:03}", org="S1" if index % 2 else "N1") for index in range(200 - leave)]
        run = sync(district, *kept, now=timezone.now(), mode="students")
        with CaptureQueriesContext(connection) as queries:
            as_alice.get(f"/runs/{run.pk}")
        numbers.append(len(queries))
    assert numbers[0] == numbers[1] <= 30


@pytest.mark.night
def test_people_who_come_back_say_when_they_left(as_alice: Client, district: Org, north: Org, now: datetime) -> None:
    people = [student(f"S{index:02}") for index in range(40)]
    imported(district, *people, now=now)
    left = imported(district, *people[1:], now=now, mode="students")
    needs_approval(district, "students")
    run = sync(district, *people, now=timezone.now(), mode="students")
    content = as_alice.get(f"/runs/{run.pk}").content.decode()
    listed = content.split('id="list-restore"')[1]
    assert f'by <a href="/runs/{left.pk}">run {left.pk}</a>' in listed
    account = Account.objects.get(custom_id="S00")
    assert f'<a href="/members/{account.pk}">' in listed


def test_new_ids_stand_beside_the_old_ones(as_alice: Client, district: Org, north: Org, now: datetime) -> None:
    people = [student(f"S{index:02}", f"Name{index}") for index in range(40)]
    imported(district, *people, now=now)
    again = [
        {**each, "custom_id": f"X{index}", "email": f"x{index}@a.example"} for index, each in enumerate(people[:6])
    ]
    run = sync(district, *again, *people[6:], now=timezone.now(), mode="students")
    page = page_of(as_alice, run)
    assert "New IDs for the same people: 6 people" in page
    assert "Sam Name0 S00 X0" in page


@pytest.mark.night
def test_new_id_of_a_person_whose_name_was_edited_here(
    as_alice: Client, alice: Account, district: Org, north: Org, now: datetime
) -> None:
    people = [student(f"S{index:02}", f"Name{index}") for index in range(40)]
    imported(district, *people, now=now)
    for custom_id, name in (("S00", "Sammy"), ("S01", "Sammy"), ("S02", "Sammy")):
        account = Account.objects.get(custom_id=custom_id)
        update_account(account=account, values={"first_name": name}, actor=alice, now=now)
    names = ("Sam", "Sammy", "Samuel")  # of the SIS, as edited here, and of someone else
    again = [
        {**each, "custom_id": f"X{index}", "email": f"x{index}@a.example", "first_name": names[index]}
        for index, each in enumerate(people[:3])
    ]
    run = sync(district, *again, *people[3:], now=timezone.now(), mode="students")
    page = page_of(as_alice, run)
    assert "New IDs for the same people: 2 people" in page
    assert "Sammy Name0 S00 X0" in page
    assert "Sammy Name1 S01 X1" in page


@pytest.mark.night
def test_plan_of_an_older_version_still_shows(as_alice: Client, district: Org, north: Org, now: datetime) -> None:
    people = [student(f"S{index:02}") for index in range(40)]
    imported(district, *people, now=now)
    run = sync(district, *people[:28], now=timezone.now(), mode="students")
    Run.objects.filter(pk=run.pk).update(sums={}, guards=[])
    assert "12 students would be deleted." in page_of(as_alice, run)


@pytest.mark.night
def test_stale_plan_is_made_again_before_anyone_types(
    as_alice: Client, alice: Account, district: Org, north: Org, now: datetime
) -> None:
    people = [student(f"S{index:02}") for index in range(40)]
    imported(district, *people, now=now)
    run = sync(district, *people[:28], now=timezone.now(), mode="students")
    leaver = Account.objects.get(custom_id="S39")
    untouched = Account.objects.get(custom_id="S01")
    update_account(account=untouched, values={"first_name": "Samira"}, actor=alice, now=timezone.now())
    assert "Type 12 to approve" in page_of(as_alice, run)  # S01 stays as it is
    update_account(account=leaver, values={"first_name": "Samira"}, actor=alice, now=timezone.now())
    assert as_alice.get(f"/runs/{run.pk}").status_code == 303
    page = page_of(as_alice, run)
    assert "Type 12" not in page
    assert "1 account that it touches or relies on was changed by hand since" in page
    settled(run, now=timezone.now())
    page = page_of(as_alice, run)
    assert "Type 12 to approve" in page
    assert "This is the new plan." in page


# The gate tries on PostgreSQL what people change in the database meanwhile, the night every deed.
@pytest.mark.both_databases_at_night
@pytest.mark.parametrize(
    "deed",
    [
        *("another file", "nothing"),
        *at_night("settings", "a damaged plan", "a lost plan"),
        pytest.param("schools", marks=pytest.mark.both_databases),
        pytest.param("a namesake", marks=pytest.mark.both_databases),
    ],
)
def test_worker_makes_stale_plans_again(deed: str, alice: Account, district: Org, north: Org, now: datetime) -> None:
    people = [student(f"S{index:02}") for index in range(40)]
    imported(district, *people, now=now)
    needs_approval(district, "partial")
    run = sync(district, student("S99"), {**people[0], "last_name": "Adeyemi"}, now=timezone.now())
    if deed == "settings":
        ModeSettings.objects.filter(mode="partial").update(failed_rows_percent=7)
    elif deed == "schools":
        update_org(org=north, name="North", external_id="N2", actor=alice, now=timezone.now())
    elif deed == "another file":
        needs_approval(district, "staff", required=False)
        needs_approval(district, "partial", required=False)
        sync(district, {**people[0], "last_name": "Brandt"}, now=timezone.now())
    elif deed == "a lost plan":
        run_files(run).plan.unlink()
    elif deed == "a damaged plan":
        path = run_files(run).plan
        path.write_bytes(path.read_bytes()[:-9])
    elif deed == "a namesake":
        values = {"first_name": "Sam", "last_name": "Okafor", "email": "s99@riverbend.example", "user_type": "Staff"}
        create_account(
            school_system=district.school_system,
            org=north,
            values=values,
            password=None,
            actor=alice,
            now=timezone.now(),
        )
    assert plan_misfits_again(now=timezone.now()) == (deed != "nothing")
    run.refresh_from_db()
    assert run.state == ("waiting" if deed == "nothing" else "out_of_date")
    settled(run, now=timezone.now())
    assert plan_misfits_again(now=timezone.now()) == 0


@pytest.mark.parametrize("damage", ["cut off", *at_night("in the middle")])
def test_pages_of_a_damaged_plan(damage: str, as_alice: Client, district: Org, north: Org, now: datetime) -> None:
    people = [student(f"S{index:02}") for index in range(3)]
    done = imported(district, *people, now=now)
    needs_approval(district, "partial")
    run = sync(district, student("S99"), now=timezone.now())
    for each in (done, run):
        path = run_files(each).plan
        found = path.read_bytes()
        path.write_bytes(found[:-9] if damage == "cut off" else found[:4] + bytes(200) + found[204:])
    assert as_alice.get(f"/runs/{run.pk}").headers["Location"] == f"/runs/{run.pk}"
    run.refresh_from_db()
    assert (run.state, "damaged" in run.decision_reason) == ("out_of_date", True)
    assert "S99" in page_of(as_alice, settled(run, now=timezone.now()))
    page = page_of(as_alice, done)
    assert ("The stored plan cannot be read" in page) == (damage == "cut off")
    Run.objects.filter(pk=done.pk).update(counts={**done.counts, "failed": 1})
    for part in ("results.csv", "correct") if damage == "cut off" else ("results.csv",):
        refused = as_alice.get(f"/runs/{done.pk}/{part}")
        assert (refused.status_code, part) == (409, part)
        assert "The stored plan cannot be read: it is damaged" in refused.content.decode()


def test_two_persons(as_alice: Client, alice: Account, bob: Account, district: Org, north: Org, now: datetime) -> None:
    people = [student(f"S{index:02}") for index in range(40)]
    imported(district, *people, now=now)
    form = {"needs_two_persons": "on", "on_absent": "delete", "deletions_percent": "10", "deletions_count": "500"}
    form |= {"deletions_slice_percent": "20", "failed_rows_percent": "5"}
    refused = as_alice.post("/bulk/settings/students", form).content.decode()
    assert "There is only one active manager of the district." in refused
    give_right(account=bob, org=district, actor=alice, now=now)
    assert save_mode_settings(as_alice, "students", form, without_approval="on").status_code == 303
    renamed = {**people[0], "last_name": "Adeyemi"}
    run = sync(district, renamed, *people[1:], now=timezone.now(), mode="students", by=alice)
    assert run.state == "waiting"  # although the mode requires no approval
    assert "You sent this file, and this mode needs two persons" in page_of(as_alice, run)
    refused = as_alice.post(f"/runs/{run.pk}/approve", {"digest": run.plan_digest}).content.decode()
    assert "the sender of a file may not approve it" in refused
    as_bob = Client()
    as_bob.force_login(bob)
    assert "You sent this file" not in page_of(as_bob, run)
    assert as_bob.post(f"/runs/{run.pk}/approve", {"digest": run.plan_digest}).status_code == 303
    assert settled(run, now=timezone.now()).state == "applied"


def test_maker_of_a_key_is_its_sender(as_alice: Client, district: Org, north: Org, district_key: str) -> None:
    ModeSettings.objects.filter(mode="partial").update(needs_two_persons=True)
    run = sync(district, student("S1"), now=timezone.now(), by=ApiKey.objects.get())
    refused = as_alice.post(f"/runs/{run.pk}/approve", {"digest": run.plan_digest}).content.decode()
    assert "the sender of a file may not approve it" in refused
    assert as_alice.post(f"/runs/{run.pk}/reject", {"reason": "not now"}).status_code == 303


@pytest.mark.night
def test_page_after_the_decision(as_alice: Client, district: Org, north: Org, now: datetime) -> None:
    people = [student(f"S{index:02}") for index in range(40)]
    imported(district, *people, now=now)
    needs_approval(district, "partial")
    run = sync(district, *people[2:], student("S99"), student("S98", email="no"), now=timezone.now(), mode="students")
    waits = sync(district, student("S97"), now=timezone.now())
    as_alice.post(f"/runs/{run.pk}/approve", {"digest": run.plan_digest, "reason": "two have left"})
    page = page_of(as_alice, run)
    assert "What happens next" in page
    assert "Approved: delete 2, create 1." in page
    assert f'<a href="/runs/{waits.pk}">Another run waits for your decision</a>' in (
        as_alice.get(f"/runs/{run.pk}").content.decode()
    )
    settled(run, now=timezone.now())
    page = page_of(as_alice, run)
    assert "Applied, 1 row failed" in page
    assert "All changes were made." not in page
    assert "2 deleted people can be restored until" in page
    assert "1 new person needs a claim code or a password" in page
    assert 'href="/members/codes">make claim codes</a>' in as_alice.get(f"/runs/{run.pk}").content.decode()
    history = as_alice.get("/bulk/history").content.decode()
    assert "Applied, 1 row failed" in history
    assert "2 deleted, 1 created, 1 failed" in history


def test_nothing_is_green_where_everything_failed(as_alice: Client, district: Org, north: Org, now: datetime) -> None:
    run = sync(district, student("S1", email="nonsense"), now=now)
    page = page_of(as_alice, run)
    assert "Applied, 1 row failed" in page
    assert "Nothing was changed." in page
    assert "status-good" not in as_alice.get("/").content.decode()


@pytest.mark.night
def test_superseded_run_links_to_the_newer(as_alice: Client, district: Org, north: Org, now: datetime) -> None:
    people = [student(f"S{index:02}") for index in range(40)]
    imported(district, *people, now=now)
    older = sync(district, *people[:28], now=timezone.now(), mode="students")
    newer = sync(district, *people[:27], now=timezone.now(), mode="students")
    content = as_alice.get(f"/runs/{older.pk}").content.decode()
    assert f'<a href="/runs/{newer.pk}">Run {newer.pk}</a> took its place.' in content


@pytest.mark.night
def test_people_in_rows_are_links(as_alice: Client, district: Org, north: Org, now: datetime) -> None:
    imported(district, student("S1"), now=now)
    run = sync(district, student("S1", "Adeyemi"), now=timezone.now())
    account = Account.objects.get(custom_id="S1")
    assert f'<a href="/members/{account.pk}">Sam Okafor</a>' in (
        as_alice.get(f"/runs/{run.pk}?action=update").content.decode()
    )
