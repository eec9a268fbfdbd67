"""Applying a run: accounts and their history afterwards, on both databases."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.db import connection
from kit.plans import at_night
from kit.rosters import imported, needs_approval, send, settled, student, sync, teacher
from pytest_django.fixtures import Settings

from sis_sync.core.errors import NotPermitted
from sis_sync.server.accounts.models import Account
from sis_sync.server.audit.models import AccountChange
from sis_sync.server.jobs.models import Job
from sis_sync.server.jobs.queue import enqueue
from sis_sync.server.orgs.models import Org
from sis_sync.server.orgs.services import give_right, take_right
from sis_sync.server.runs.apply.apply import apply_plan
from sis_sync.server.runs.apply.approved import ApprovedPlan, approved_plan
from sis_sync.server.runs.approval import approve_run, reject_run
from sis_sync.server.runs.files import run_files
from sis_sync.server.runs.flow import apply_run, plan_run
from sis_sync.server.runs.models import Run

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases_at_night]


@pytest.fixture(autouse=True)
def own_data_folder(settings: Settings, tmp_path: Path) -> None:
    settings.SIS_SYNC_DATA_FOLDER = tmp_path


def people(org: Org) -> dict[str | None, Account]:
    accounts = Account.objects.filter(school_system=org.school_system, deleted_at=None)
    return {account.custom_id: account for account in accounts}


def addresses(org: Org) -> dict[str | None, str]:
    return {custom_id: account.email for custom_id, account in people(org).items()}


def delete_everybody_else(org: Org, actor: Account, *rows: dict[str, str], now: datetime) -> Run:
    """A students run that waits or is held, approved by a manager, applied."""
    run = sync(org, *rows, mode="students", now=now)
    deletions = run.counts["delete"]
    approve_run(run=run, digest=run.plan_digest, by=actor, reason="checked", typed_deletions=deletions, now=now)
    return settled(run, now=now)


@pytest.mark.both_databases
def test_large_import_renews_statistics(district: Org, north: Org, alice: Account, now: datetime) -> None:
    """Without them, PostgreSQL would read the whole table for every account that the next night changes."""
    if connection.vendor != "postgresql":
        pytest.skip("SQLite needs none")
    imported(district, *[student(f"S{number}") for number in range(40)], now=now)
    with connection.cursor() as cursor:
        cursor.execute("SELECT reltuples FROM pg_class WHERE relname IN ('accounts_account', 'audit_accountchange')")
        assert [known >= 40 for (known,) in cursor.fetchall()] == [True, True]


def test_new_accounts_have_no_password(district: Org, north: Org, now: datetime) -> None:
    run = sync(district, student("S1", middle_name="Ana Lía"), teacher("T1", position="Music"), now=now)
    assert run.state == "applied"
    assert run.is_approved_by_policy
    pupil, staff = people(district)["S1"], people(district)["T1"]
    assert (pupil.org, pupil.middle_name, pupil.grade, pupil.position) == (north, "Ana Lía", "7", "")
    assert (staff.position, staff.grade) == ("Music", "")
    assert not pupil.has_usable_password()
    assert pupil.password != staff.password
    assert pupil.created_at == now


def test_history_of_a_new_account(district: Org, north: Org, now: datetime) -> None:
    run = sync(district, student("S1"), student("S2"), now=now)
    change = AccountChange.objects.get(account__custom_id="S2")
    assert (change.action, change.run, change.line, change.before) == ("create", run, 3, {})
    assert change.after["email"] == "s2@riverbend.example"
    assert change.after["school_district_external_id"] == "N1"


def test_history_keeps_changed_fields_only(district: Org, north: Org, south: Org, now: datetime) -> None:
    sync(district, student("S1", "Okafor"), now=now)
    run = sync(district, student("S1", "Okafor-Lind", org="S1", grade="8"), now=now + timedelta(days=1))
    account = people(district)["S1"]
    assert (account.last_name, account.org, account.grade) == ("Okafor-Lind", south, "8")
    change = AccountChange.objects.get(run=run)
    assert change.before == {"last_name": "Okafor", "school_district_external_id": "N1", "grade": "7"}
    assert change.after == {"last_name": "Okafor-Lind", "school_district_external_id": "S1", "grade": "8"}


@pytest.mark.night
def test_same_file_again_changes_nothing(district: Org, north: Org, now: datetime) -> None:
    sync(district, student("S1"), teacher("T1"), now=now)
    again = sync(district, student("S1"), teacher("T1"), now=now)
    assert again.state == "applied"
    assert again.counts["unchanged"] == 2
    assert not AccountChange.objects.filter(run=again).exists()


@pytest.mark.night
@pytest.mark.both_databases
def test_deleted_account_returns_as_itself(district: Org, north: Org, alice: Account, now: datetime) -> None:
    sync(district, student("S1"), student("S2"), now=now)
    account_id = people(district)["S2"].pk
    gone = delete_everybody_else(district, alice, student("S1"), now=now)
    assert gone.counts["delete"] == 1
    deleted = Account.objects.get(pk=account_id)
    assert (deleted.deleted_at, deleted.is_active) == (now, False)
    change = AccountChange.objects.get(run=gone)
    assert (change.line, change.before, change.after) == (None, {"status": "Active"}, {"status": "Deleted"})

    back = sync(district, student("S2", "Renamed"), now=now + timedelta(days=30))
    assert back.counts["restore"] == 1
    restored = people(district)["S2"]
    assert (restored.pk, restored.last_name, restored.deleted_at) == (account_id, "Renamed", None)
    change = AccountChange.objects.get(run=back)
    assert change.before == {"last_name": "Okafor", "status": "Deleted"}
    assert change.after == {"last_name": "Renamed", "status": "Active"}


@pytest.mark.night
def test_id_free_after_180_days(district: Org, north: Org, alice: Account, now: datetime) -> None:
    sync(district, student("S1"), student("S2"), now=now)
    earlier = people(district)["S2"]
    delete_everybody_else(district, alice, student("S1"), now=now)
    late = sync(district, student("S2"), now=now + timedelta(days=181))
    assert late.counts["create"] == 1
    assert people(district)["S2"].pk != earlier.pk
    earlier.refresh_from_db()
    assert earlier.custom_id is None


def test_absent_account_is_disabled(district: Org, north: Org, alice: Account, now: datetime) -> None:
    needs_approval(district, "students", on_absent="disable")
    sync(district, student("S1"), student("S2"), now=now)
    run = sync(district, student("S1"), mode="students", now=now)
    assert (run.counts["disable"], run.counts["delete"]) == (1, 0)
    approve_run(run=run, digest=run.plan_digest, by=alice, reason="checked", now=now)
    assert settled(run, now=now).state == "applied"
    assert people(district)["S2"].status == "Disabled"
    assert AccountChange.objects.get(run=run).after == {"status": "Disabled"}


@pytest.mark.night
@pytest.mark.both_databases
def test_two_accounts_swap_addresses(district: Org, north: Org, now: datetime) -> None:
    sync(district, student("S1"), student("S2"), now=now)
    swap = sync(
        district,
        student("S1", email="s2@riverbend.example"),
        student("S2", email="s1@riverbend.example"),
        now=now,
    )
    assert swap.state == "applied"
    assert addresses(district) == {"S1": "s2@riverbend.example", "S2": "s1@riverbend.example"}


def test_three_accounts_rotate_addresses(district: Org, north: Org, now: datetime) -> None:
    names = ["S1", "S2", "S3"]
    sync(district, *(student(name) for name in names), now=now)
    rotated = dict(zip(names, ["S2@riverbend.example", "s3@riverbend.example", "s1@riverbend.example"], strict=True))
    run = sync(district, *(student(name, email=address) for name, address in rotated.items()), now=now)
    assert run.state == "applied"
    assert addresses(district) == rotated


@pytest.mark.night
@pytest.mark.both_databases
def test_newcomer_takes_a_leavers_address(district: Org, north: Org, alice: Account, now: datetime) -> None:
    sync(district, student("S1"), student("S2"), now=now)
    run = delete_everybody_else(district, alice, student("S1"), student("S3", email="S2@riverbend.example"), now=now)
    assert run.state == "applied"
    assert addresses(district)["S3"] == "S2@riverbend.example"


@pytest.mark.night
def test_restore_takes_a_freed_address(district: Org, north: Org, alice: Account, now: datetime) -> None:
    sync(district, student("S1"), student("S2"), now=now)
    delete_everybody_else(district, alice, student("S1", email="s2@riverbend.example"), now=now)
    run = sync(district, student("S1", email="new@riverbend.example"), student("S2"), now=now)
    assert run.state == "applied"
    assert addresses(district) == {**addresses(district), "S1": "new@riverbend.example", "S2": "s2@riverbend.example"}


def change_last_name(account: Account, actor: Account, org: Org, now: datetime) -> None:
    Account.objects.filter(pk=account.pk).update(last_name="Edited")


def protect(account: Account, actor: Account, org: Org, now: datetime) -> None:
    Account.objects.filter(pk=account.pk).update(is_protected=True)


def delete_by_hand(account: Account, actor: Account, org: Org, now: datetime) -> None:
    Account.objects.filter(pk=account.pk).update(deleted_at=now, is_held_by_hand=True)


def take_the_new_address(account: Account, actor: Account, org: Org, now: datetime) -> None:
    Account.objects.filter(pk=actor.pk).update(email="NEW@riverbend.example")


def make_the_newcomer(account: Account, actor: Account, org: Org, now: datetime) -> None:
    Account.objects.filter(pk=actor.pk).update(custom_id="S9")


def rename_the_org(account: Account, actor: Account, org: Org, now: datetime) -> None:
    Org.objects.filter(pk=org.pk).update(external_id="N-renamed")


def give_the_account_rights(account: Account, actor: Account, org: Org, now: datetime) -> None:
    give_right(account=account, org=org, actor=actor, now=now)


def change_the_settings(account: Account, actor: Account, org: Org, now: datetime) -> None:
    needs_approval(org, "partial", deletions_percent=11)


def damage_the_plan(account: Account, actor: Account, org: Org, now: datetime) -> None:
    path = run_files(Run.objects.latest("pk")).plan
    path.write_bytes(path.read_bytes()[:-1])


def damage_what_it_saw(account: Account, actor: Account, org: Org, now: datetime) -> None:
    path = run_files(Run.objects.latest("pk")).seen
    path.write_bytes(path.read_bytes()[:-1])


def damage_its_unchanged_rows(account: Account, actor: Account, org: Org, now: datetime) -> None:
    path = run_files(Run.objects.latest("pk")).unchanged
    path.write_bytes(path.read_bytes()[:-1])


@pytest.mark.parametrize(
    "meanwhile",
    [
        *(take_the_new_address, give_the_account_rights, damage_what_it_saw),
        *at_night(change_last_name, protect, delete_by_hand, make_the_newcomer, rename_the_org, change_the_settings),
        *at_night(damage_the_plan, damage_its_unchanged_rows),
    ],
)
def test_unfit_plan_is_planned_again(
    meanwhile: "object", district: Org, north: Org, alice: Account, now: datetime
) -> None:
    sync(district, student("S1"), now=now)
    needs_approval(district, "partial")
    run = sync(district, student("S1", email="new@riverbend.example", grade="9"), student("S9"), now=now)
    approve_run(run=run, digest=run.plan_digest, by=alice, reason="checked", now=now)
    assert callable(meanwhile)
    meanwhile(Account.objects.get(custom_id="S1"), alice, north, now)
    apply_run(run.pk, now=now)

    run.refresh_from_db()
    assert run.state == "out_of_date"
    assert Account.objects.get(custom_id="S1").grade == "7"
    assert not AccountChange.objects.filter(run=run).exists()
    assert settled(run, now=now).state in ("waiting", "held") or not run.counts["update"] + run.counts["create"]
    assert run.decided_by is None
    assert Account.objects.get(custom_id="S1").grade == "7"


def test_approver_without_right_approves_nothing(
    district: Org, north: Org, alice: Account, bob: Account, now: datetime
) -> None:
    needs_approval(district, "partial")
    run = sync(north, student("S1"), now=now)
    approve_run(run=run, digest=run.plan_digest, by=bob, reason="checked", now=now)
    take_right(account=bob, org=north, actor=alice, now=now)
    assert settled(run, now=now).state == "waiting"
    assert "S1" not in people(district)


@pytest.mark.parametrize(
    ("mode", "newer_row", "is_overtaken"),
    [
        ("partial", student("S1"), True),
        ("partial", student("S2"), False),
        ("students", student("S2"), True),
        *at_night(("staff", teacher("E-1", "Abara", first_name="Alice", user_type="Administrator", org="RB"), False)),
    ],
)
def test_newer_file_overtakes_a_plan(
    mode: str, newer_row: dict[str, str], is_overtaken: bool, district: Org, north: Org, alice: Account, now: datetime
) -> None:
    needs_approval(district, "partial")
    needs_approval(district, "students", required=False, on_absent="nothing")
    older = sync(district, student("S9"), student("S1", grade="9"), now=now)
    needs_approval(district, "partial", required=False)
    newer = sync(district, newer_row, mode=mode, now=now + timedelta(hours=1))
    if newer.state in ("waiting", "held"):
        approve_run(run=newer, digest=newer.plan_digest, by=alice, reason="checked", now=now + timedelta(hours=1))
        assert settled(newer, now=now + timedelta(hours=1)).state == "applied"
    approve_run(run=older, digest=older.plan_digest, by=alice, reason="checked", now=now + timedelta(hours=2))
    apply_run(older.pk, now=now + timedelta(hours=2))
    older.refresh_from_db()
    assert older.state == ("out_of_date" if is_overtaken else "applied")
    assert ("S9" in people(district)) is not is_overtaken


def test_policy_keeps_the_newer_values(district: Org, north: Org, alice: Account, now: datetime) -> None:
    sync(district, student("S1"), now=now)
    older = send(district, student("S1", grade="8"), now=now)
    held_back = older.jobs.get()
    Job.objects.filter(pk=held_back.pk).update(state="done")
    assert sync(district, student("S1", grade="9"), now=now).state == "applied"
    Job.objects.filter(pk=held_back.pk).update(state="queued")
    assert settled(older, now=now + timedelta(minutes=1)).state == "waiting"
    assert people(district)["S1"].grade == "9"
    approve_run(run=older, digest=older.plan_digest, by=alice, reason="checked", now=now + timedelta(minutes=2))
    assert settled(older, now=now + timedelta(minutes=2)).state == "applied"


@pytest.mark.night
def test_moved_external_id_is_noticed(district: Org, north: Org, south: Org, alice: Account, now: datetime) -> None:
    needs_approval(district, "partial")
    run = sync(district, student("S9", org="N1"), now=now)
    approve_run(run=run, digest=run.plan_digest, by=alice, reason="checked", now=now)
    Org.objects.filter(pk=north.pk).update(external_id="N2")
    Org.objects.filter(pk=south.pk).update(external_id="N1")
    assert settled(run, now=now).state == "waiting"
    assert "S9" not in people(district)


def test_disabled_policy_approves_nothing(district: Org, north: Org, now: datetime) -> None:
    run = send(district, student("S1"), now=now)
    plan_run(run.pk, now=now)
    run.refresh_from_db()
    assert (run.state, run.is_approved_by_policy) == ("approved", True)
    needs_approval(district, "partial")
    assert settled(run, now=now).state == "waiting"
    assert "S1" not in people(district)


@pytest.mark.night
def test_unclean_values_are_no_change(district: Org, north: Org, now: datetime) -> None:
    sync(district, student("S1"), now=now)
    Account.objects.filter(custom_id="S1").update(last_name=" Okafor ", grade="")
    run = sync(district, student("S1", grade="9"), now=now)
    assert run.state == "applied"
    assert people(district)["S1"].grade == "9"


@pytest.mark.both_databases
def test_run_is_never_applied_twice(district: Org, north: Org, now: datetime) -> None:
    run = sync(district, student("S1"), now=now)
    Account.objects.filter(custom_id="S1").delete()
    enqueue(kind=Job.Kind.APPLY, run=run, now=now)
    settled(run, now=now)
    assert not Account.objects.filter(custom_id="S1").exists()


@pytest.mark.both_databases
def test_second_worker_applies_nothing(district: Org, north: Org, alice: Account, now: datetime) -> None:
    """Two workers may hold the same approved plan, if one was taken for dead."""
    needs_approval(district, "partial")
    run = sync(district, student("S1"), now=now)
    approve_run(run=run, digest=run.plan_digest, by=alice, reason="checked", now=now)
    Run.objects.filter(pk=run.pk).update(state="applying")
    approved = approved_plan(run.pk)
    assert approved is not None
    for seconds in range(2):
        apply_plan(approved, now=now + timedelta(seconds=seconds))
    run.refresh_from_db()
    assert (run.state, run.applied_at, AccountChange.objects.filter(run=run).count()) == ("applied", now, 1)


@pytest.mark.night
def test_unrecorded_approval_plans_again(district: Org, north: Org, alice: Account, now: datetime) -> None:
    needs_approval(district, "partial")
    run = sync(district, student("S1"), now=now)
    approve_run(run=run, digest=run.plan_digest, by=alice, reason="checked", now=now)
    Run.objects.filter(pk=run.pk).update(decided_by=None)
    assert settled(run, now=now).state == "waiting"
    assert "S1" not in people(district)


def test_last_manager_stays(district: Org, north: Org, alice: Account, now: datetime) -> None:
    run = sync(district, teacher("E-1", "Abara", first_name="Alice", email=alice.email, status="Disabled"), now=now)
    assert run.counts["failed"] == 1
    alice.refresh_from_db()
    assert alice.is_active


def test_new_last_manager_stays(district: Org, north: Org, alice: Account, bob: Account, now: datetime) -> None:
    """Bob approved that he leaves, and then Alice left."""
    give_right(account=bob, org=district, actor=alice, now=now)
    run = sync(
        district,
        student(
            "E-2", "Brandt", first_name="Bob", email=bob.email, user_type="Administrator", grade="", status="Disabled"
        ),
        now=now,
    )
    assert run.state == "held"
    approve_run(run=run, digest=run.plan_digest, by=bob, reason="checked", now=now)
    Account.objects.filter(pk=alice.pk).update(status="Disabled")
    apply_run(run.pk, now=now)
    run.refresh_from_db()
    bob.refresh_from_db()
    assert (run.state, bob.is_active) == ("out_of_date", True)
    assert "without an active manager" in run.decision_reason


@pytest.mark.parametrize("deed", [{"email": "mine@riverbend.example"}, {"status": "Disabled"}])
def test_school_manager_spares_greater_managers(
    deed: dict[str, str], district: Org, north: Org, alice: Account, bob: Account, dana: Account, now: datetime
) -> None:
    Account.objects.filter(pk=alice.pk).update(org=north)
    for account in (bob, dana):  # or Alice would be the last one
        give_right(account=account, org=district, actor=alice, now=now)
    row = teacher("E-1", "Abara", first_name="Alice", user_type="Administrator", **{"email": alice.email, **deed})
    run = sync(north, row, now=now)
    assert [hit["code"] for hit in run.guards] == ["guard.managers"]
    approve_run(run=run, digest=run.plan_digest, by=bob, reason="checked", now=now)
    take_right(account=bob, org=district, actor=alice, now=now)
    assert settled(run, now=now).state == "held"
    with pytest.raises(NotPermitted, match="manages more"):
        approve_run(run=run, digest=run.plan_digest, by=bob, reason="checked", now=now)
    assert reject_run(run=run, reason="Not ours to change", by=bob, now=now).state == "rejected"


def test_school_managers_are_peers(
    district: Org, north: Org, alice: Account, bob: Account, dana: Account, now: datetime
) -> None:
    give_right(account=dana, org=north, actor=alice, now=now)
    run = sync(north, teacher("E-4", "Dubois", first_name="Dana", email="dana@riverbend.example"), now=now)
    assert run.state == "held"
    approve_run(run=run, digest=run.plan_digest, by=bob, reason="checked", now=now)
    assert settled(run, now=now).state == "applied"


def test_school_run_keeps_to_school(district: Org, north: Org, south: Org, bob: Account, now: datetime) -> None:
    sync(district, student("S1"), student("S2", org="S1"), now=now)
    run = sync(north, student("S2", "Taken", org="S1"), student("S3", org="S1"), student("S4"), now=now)
    assert (run.counts["failed"], run.counts["create"]) == (2, 1)
    assert people(district)["S2"].last_name == "Okafor"


@pytest.mark.both_databases
def test_other_systems_stay_untouched(district: Org, north: Org, charlie: Account, now: datetime) -> None:
    run = sync(district, student("E-1", email=charlie.email), now=now)
    assert run.counts["create"] == 1
    charlie.refresh_from_db()
    assert charlie.school_system != district.school_system
    assert charlie.last_name == "Castillo"


def test_only_recorded_approvals_are_applied(district: Org, north: Org, now: datetime) -> None:
    needs_approval(district, "partial")
    run = sync(district, student("S1"), now=now)
    assert approved_plan(run.pk) is None
    Run.objects.filter(pk=run.pk).update(state="approved")
    assert approved_plan(run.pk) is None
    with pytest.raises(TypeError):
        ApprovedPlan(run.pk, 1, 1, run.plan_digest, run_files(run), object())


def test_forged_state_applies_nothing(district: Org, north: Org, now: datetime) -> None:
    needs_approval(district, "partial")
    run = send(district, student("S1"), now=now)
    settled(run, now=now)
    Run.objects.filter(pk=run.pk).update(state="approved")
    enqueue(kind=Job.Kind.APPLY, run=run, now=now)
    settled(run, now=now)
    assert "S1" not in people(district)


@pytest.mark.night
@pytest.mark.both_databases
def test_address_case_is_in_history(district: Org, north: Org, now: datetime) -> None:
    sync(district, student("S1", email="Ana.Ruiz@x.example"), now=now)
    same = sync(district, student("S1", email="ana.ruiz@x.example"), now=now)
    assert same.counts["unchanged"] == 1
    sync(district, student("S1", email="ana.ruiz@x.example", grade="8"), now=now)
    change = AccountChange.objects.filter(action="update").get()
    assert change.before == {"email": "Ana.Ruiz@x.example", "grade": "7"}
    assert change.after == {"email": "ana.ruiz@x.example", "grade": "8"}
