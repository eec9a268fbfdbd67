"""A run from the file to the decision: received once, planned, guarded, shown, approved or rejected."""

import csv
import hashlib
import io
import shutil
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.http import Http404
from kit.plans import at_night
from kit.rosters import had_leavers, imported, needs_approval, roster, send, settled, student, sync, teacher
from pytest_django.fixtures import Settings

from sis_sync.core.errors import FileRefused, NotPermitted, RunClosed, UsageFault
from sis_sync.core.limits import FileLimits
from sis_sync.engine.duckdb import Session
from sis_sync.server.accounts.models import Account
from sis_sync.server.audit.models import AuditEntry
from sis_sync.server.errors import DeletionsNotTyped, FileDamaged, IdempotencyKeyReused, PlanDiffers
from sis_sync.server.jobs.models import Job
from sis_sync.server.keys.models import ApiKey
from sis_sync.server.keys.services import create_key
from sis_sync.server.orgs.models import Org
from sis_sync.server.runs import files, flow, planning, selectors
from sis_sync.server.runs.approval import approve_run, reject_run
from sis_sync.server.runs.expiry import expire_waiting
from sis_sync.server.runs.files import run_files
from sis_sync.server.runs.models import Run
from sis_sync.server.runs.results import results_of
from sis_sync.server.runs.selectors import access_run, plan_rows, runs_of, waiting_runs

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases_at_night]


@pytest.fixture(autouse=True)
def own_data_folder(settings: Settings, tmp_path: Path) -> None:
    settings.SIS_SYNC_DATA_FOLDER = tmp_path


@pytest.fixture
def api_key(district: Org, alice: Account, now: datetime) -> ApiKey:
    scopes = ("upload", "read", "approve")
    key, _ = create_key(
        school_system=district.school_system, org=district, name="office", scopes=scopes, actor=alice, now=now
    )
    return key


def students(count: int) -> list[dict[str, str]]:
    return [student(f"P{number}") for number in range(count)]


def rows_of(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))


def accounts_of(org: Org) -> int:
    return Account.objects.filter(school_system=org.school_system, deleted_at=None).count()


# Receiving


def test_file_is_stored_unchanged(district: Org, now: datetime) -> None:
    content = roster(student("S1"))
    run = send(district, content=content, file_name="C:\\exports\\nightly.csv", now=now)
    assert (run.state, run.file_name, run.file_size_bytes) == ("received", "nightly.csv", len(content))
    assert run.file_sha256 == hashlib.sha256(content).hexdigest()
    assert run_files(run).original.read_bytes() == content
    assert [job.kind for job in run.jobs.all()] == ["plan"]


def test_incoming_folder_stays_empty(district: Org, now: datetime, tmp_path: Path) -> None:
    send(district, student("S1"), now=now)
    with pytest.raises(FileDamaged):
        send(district, student("S1"), sha256="0" * 64, now=now)
    assert not list((tmp_path / "incoming").iterdir())
    assert Run.objects.count() == 1


def test_unknown_mode_foreign_org_refused(district: Org, alice: Account, charlie: Account, now: datetime) -> None:
    with pytest.raises(UsageFault, match="everything"):
        send(district, student("S1"), mode="everything", now=now)
    with pytest.raises(NotPermitted):
        send(charlie.org, student("S1"), by=alice, now=now)


def test_too_large_file_is_refused(district: Org, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "FILE_LIMITS", FileLimits(file_bytes=100))
    with pytest.raises(FileRefused) as refused:
        send(district, *students(5), now=now)
    assert refused.value.code == "file.too_large"
    assert "Never split a complete list" in refused.value.fix


@pytest.mark.both_databases
def test_same_idempotency_key_same_run(district: Org, api_key: ApiKey, now: datetime) -> None:
    first = send(district, student("S1"), by=api_key, idempotency_key="k1", now=now)
    again = send(district, student("S1"), by=api_key, idempotency_key="k1", now=now)
    other = send(district, student("S1"), by=api_key, idempotency_key="k2", now=now)
    assert (again.pk, other.pk) == (first.pk, first.pk + 1)
    assert first.jobs.count() == 1


@pytest.mark.both_databases
def test_reused_idempotency_key_is_refused(district: Org, api_key: ApiKey, now: datetime) -> None:
    send(district, student("S1"), by=api_key, idempotency_key="k1", now=now)
    with pytest.raises(IdempotencyKeyReused):
        send(district, student("S2"), by=api_key, idempotency_key="k1", now=now)
    with pytest.raises(IdempotencyKeyReused):
        send(district, student("S1"), by=api_key, idempotency_key="k1", mode="full", now=now)


# Planning


def test_refused_file_says_why(district: Org, now: datetime) -> None:
    run = sync(district, content=b"PK\x03\x04 not a roster", now=now)
    assert run.state == "refused"
    assert run.refusal is not None
    assert run.refusal["code"] == "file.not_text"
    assert set(run.refusal) == {"code", "message", "line", "fix"}


def test_wrong_mapping_refuses_the_run(district: Org, now: datetime) -> None:
    run = sync(district, student("S1"), mapping_lines="mapper.x.colum.email=Mail", now=now)
    assert run.state == "refused"
    assert run.refusal is not None
    assert run.refusal["code"] == "mapping.invalid"


def test_mapping_name_is_no_path(district: Org, tmp_path: Path, now: datetime) -> None:
    path = tmp_path / "own.properties"
    path.write_text("mapper.x.column.email=email\n")
    run = sync(district, student("S1"), mapping_name=str(path), now=now)
    assert run.state == "refused"


def test_mapping_lines_are_followed(district: Org, north: Org, now: datetime) -> None:
    content = roster(student("S1")).replace(b"custom_id", b"Student Number")
    run = sync(district, content=content, mapping_lines="mapper.ours.column.custom_id=Student Number", now=now)
    assert run.counts["create"] == 1
    assert run.file_facts["mapping"] == "ours"
    assert run.file_facts["name"] == "people.csv"


def test_full_run_waits_for_approval(district: Org, north: Org, alice: Account, now: datetime) -> None:
    run = sync(district, student("S1"), student("S2", email="no address"), mode="students", now=now)
    assert run.state == "waiting"
    assert run.planned_at == now
    assert run.counts["create"] == 1
    assert run.findings == {"email.invalid": 1}
    assert accounts_of(district) == 1
    files = run_files(run)
    parts = (files.plan, files.unchanged, files.notes, files.seen)
    stored = b"".join(path.read_bytes() for path in parts)
    assert hashlib.sha256(stored).hexdigest() == run.plan_digest
    results = rows_of(results_of(run))
    assert [row["action"] for row in results] == ["create", "failed"]
    assert len(rows_of(files.failed)) == 1


@pytest.mark.night
def test_plan_rows_are_paged(district: Org, north: Org, now: datetime) -> None:
    sync(district, *students(3), now=now)
    needs_approval(district, "partial")
    run = sync(district, student("P0", grade="8"), student("P1"), student("P9"), now=now)
    page = plan_rows(run=run)
    assert (page.total, [row.action for row in page.rows]) == (3, ["update", "create", "unchanged"])
    assert page.rows[0].changes == (("grade", "7", "8"),)
    assert page.rows[0].line == 2
    assert [row.person for row in page.rows] == ["Sam Okafor"] * 3
    assert ("email", "", "p9@riverbend.example") in page.rows[1].changes
    assert plan_rows(run=run, action="create").total == 1
    second = plan_rows(run=run, page=2, page_size=2)
    assert [row.custom_id for row in second.rows] == ["P1"]


def test_vanishing_plan_has_no_rows(district: Org, north: Org, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    run = sync(district, *students(3), now=now)

    def made_anew() -> AbstractContextManager[Session]:
        shutil.rmtree(run_files(run).plan.parent)
        return files.reading_session()

    monkeypatch.setattr(selectors, "reading_session", made_anew)
    assert plan_rows(run=run).rows == ()


@pytest.mark.parametrize("broken_step", ["_record_plan", "make_stored_plan"])
def test_passwords_outlive_a_dead_worker(
    broken_step: str, district: Org, north: Org, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = send(district, content=roster(student("S1", password="Grey-harbour-12"), extra=("password",)), now=now)
    with monkeypatch.context() as dying:
        if broken_step == "make_stored_plan":
            dying.setattr(planning, "limits_of", die)  # before anything is stored
        else:
            dying.setattr(flow, broken_step, die)
        with pytest.raises(KeyboardInterrupt):
            flow.plan_run(run.pk, now=now)
    assert settled(run, now=now).state == "applied"
    assert b"harbour" not in run_files(run).original.read_bytes()
    assert Account.objects.get(custom_id="S1").check_password("Grey-harbour-12")


@pytest.mark.parametrize("broken_step", ["adopt_plan", *at_night("keep_passwords", "forget_plans", "keep_what_counts")])
def test_dead_worker_leaves_whole_plan(
    broken_step: str, district: Org, north: Org, alice: Account, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync(district, student("S2"), now=now)
    needs_approval(district, "partial")
    rows = [student("S1", password="Grey-harbour-12"), student("S2", grade="8")]
    run = sync(district, content=roster(*rows, extra=("password",)), now=now)
    first = run.plan_digest
    approve_run(run=run, digest=first, by=alice, reason="checked", now=now)
    Account.objects.filter(custom_id="S2").update(grade="8")
    run_files(run).failed.unlink()  # a missing report must not cost anyone a password
    flow.apply_run(run.pk, now=now)
    with monkeypatch.context() as dying:
        dying.setattr(planning, broken_step, die)
        with pytest.raises(KeyboardInterrupt):
            flow.plan_run(run.pk, now=now)
    run.refresh_from_db()
    shown = [(row.line, row.action) for row in plan_rows(run=run).rows]
    assert shown == [(2, "create"), (3, "update" if run.plan_digest == first else "unchanged")]
    again = settled(run, now=now)
    assert [path.name for path in run_files(again).folder.iterdir() if path.is_dir()] == [again.plan_digest]
    approve_run(run=again, digest=again.plan_digest, by=alice, reason="checked", now=now)
    assert settled(run, now=now).state == "applied"
    assert Account.objects.get(custom_id="S1").check_password("Grey-harbour-12")


@pytest.mark.parametrize("name", ["plan", "unchanged", "seen"])
def test_damaged_plan_is_made_again(name: str, district: Org, north: Org, alice: Account, now: datetime) -> None:
    needs_approval(district, "partial")
    run = sync(district, student("S1"), now=now)
    approve_run(run=run, digest=run.plan_digest, by=alice, reason="checked", now=now)
    getattr(run_files(run), name).unlink()
    assert settled(run, now=now).state == "waiting"
    approve_run(run=run, digest=run.plan_digest, by=alice, reason="checked", now=now)
    assert settled(run, now=now).state == "applied"
    assert getattr(run_files(run), name).is_file()


def die(*_arguments: object, **_named: object) -> None:
    raise KeyboardInterrupt


def test_unplanned_file_is_not_kept(district: Org, north: Org, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    content = roster(student("S1", password="Grey-harbour-12"), extra=("password",)).replace(b"email", b"mail?", 1)
    refused = sync(district, content=content, now=now)
    monkeypatch.setattr(flow, "make_stored_plan", fail)
    failed = sync(district, student("S1"), now=now)
    assert (refused.state, failed.state) == ("refused", "failed")
    assert not run_files(refused).original.exists()
    assert not run_files(failed).original.exists()
    kept = run_files(refused).refused.read_bytes()
    assert kept == roster(student("S1")).replace(b"email", b"mail?", 1)


def test_refused_file_of_unknown_columns_is_not_kept(district: Org, north: Org, now: datetime) -> None:
    workbook = sync(district, content=b"PK\x03\x04" + b"Grey-harbour-12" * 9, now=now)
    unmapped = sync(district, content=roster(student("S1")), now=now, mapping_lines="mapper.m.colum.email=mail")
    assert (workbook.state, unmapped.state) == ("refused", "refused")
    for run in (workbook, unmapped):
        assert list(run_files(run).folder.iterdir()) == []


@pytest.mark.both_databases
def test_worker_dies_while_refusing(district: Org, north: Org, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    content = roster(student("S1", password="Grey-harbour-12"), extra=("password",)).replace(b"email", b"mail?", 1)
    for step in ("keep_refused", "remove_original"):
        run = send(district, content=content, now=now)
        with monkeypatch.context() as dying:
            dying.setattr(flow, step, die)
            with pytest.raises(KeyboardInterrupt):
                flow.plan_run(run.pk, now=now)
        assert settled(run, now=now).state == "refused"
        assert [path.name for path in run_files(run).folder.iterdir()] == ["refused"]
        assert b"harbour" not in run_files(run).refused.read_bytes()


def fail(*_arguments: object, **_named: object) -> None:
    raise OSError


def test_log_names_no_one(district: Org, north: Org, now: datetime, caplog: pytest.LogCaptureFixture) -> None:
    sync(district, student("S1", "Vanderquist"), now=now)
    Account.objects.filter(custom_id="S1").update(user_type="Nobody")
    sync(district, student("S1", "Vanderquist", email="bad"), now=now)
    assert "Vanderquist" not in caplog.text


# Deciding


def test_guard_holds_the_whole_run(district: Org, north: Org, alice: Account, now: datetime) -> None:
    imported(district, *students(20), now=now)
    needs_approval(district, "students", required=False)
    run = sync(district, *students(10), student("P99"), mode="students", now=now)
    assert run.state == "held"
    assert "guard.deletions" in [hit["code"] for hit in run.guards]
    assert accounts_of(district) == 21
    assert not Job.objects.filter(run=run, kind="apply").exists()


def test_approved_held_run_is_applied(district: Org, north: Org, alice: Account, now: datetime) -> None:
    imported(district, *students(20), now=now)
    run = sync(district, *students(10), mode="students", now=now)
    approve_run(run=run, digest=run.plan_digest, by=alice, reason="checked", now=now)
    run = settled(run, now=now)
    assert (run.state, run.decided_by, run.is_approved_by_policy) == ("applied", alice, False)
    assert accounts_of(district) == 11
    deeds = AuditEntry.objects.filter(detail__run=run.pk).values_list("action", "actor")
    assert ("run.approved", alice.pk) in deeds
    assert ("run.applied", alice.pk) in deeds


def test_many_deletions_are_typed(district: Org, north: Org, alice: Account, now: datetime) -> None:
    imported(district, *students(20), now=now)
    run = sync(district, *students(9), mode="students", now=now)
    for typed in (None, 10, 12):
        with pytest.raises(DeletionsNotTyped, match="11 accounts would leave"):
            approve_run(run=run, digest=run.plan_digest, by=alice, reason="checked", typed_deletions=typed, now=now)
    assert settled(run, now=now).state == "held"
    approve_run(run=run, digest=run.plan_digest, by=alice, reason="checked", typed_deletions=11, now=now)
    assert settled(run, now=now).state == "applied"


def test_another_digest_is_refused(district: Org, north: Org, alice: Account, now: datetime) -> None:
    run = sync(district, student("S1"), mode="full", now=now)
    with pytest.raises(PlanDiffers):
        approve_run(run=run, digest="0" * 64, by=alice, reason="checked", now=now)
    assert settled(run, now=now).state in ("waiting", "held")


def test_rejected_run_applies_nothing(district: Org, north: Org, alice: Account, now: datetime) -> None:
    run = sync(district, student("S1"), mode="students", now=now)
    with pytest.raises(UsageFault):
        reject_run(run=run, reason="  ", by=alice, now=now)
    run = reject_run(run=run, reason="Last year's file", by=alice, now=now)
    assert (run.state, run.decision_reason, run.decided_by) == ("rejected", "Last year's file", alice)
    with pytest.raises(RunClosed, match="rejected"):
        approve_run(run=run, digest=run.plan_digest, by=alice, reason="checked", now=now)
    assert settled(run, now=now).state == "rejected"
    assert accounts_of(district) == 1


@pytest.mark.both_databases
def test_repeated_approval_counts_once(district: Org, north: Org, alice: Account, now: datetime) -> None:
    run = sync(district, student("S1"), mode="students", now=now)
    approve_run(run=run, digest=run.plan_digest, by=alice, reason="checked", now=now)
    approve_run(run=run, digest=run.plan_digest, by=alice, reason="checked", now=now)
    assert run.jobs.filter(kind="apply").count() == 1
    settled(run, now=now)
    assert approve_run(run=run, digest=run.plan_digest, by=alice, reason="checked", now=now).state == "applied"


@pytest.mark.both_databases
def test_newer_file_supersedes_waiting_one(district: Org, north: Org, alice: Account, now: datetime) -> None:
    older = sync(district, student("S1"), mode="students", now=now)
    other_mode = sync(district, teacher("T1"), teacher("E-1", email=alice.email), mode="staff", now=now)
    newer = sync(district, student("S1"), student("S2"), mode="students", now=now)
    older.refresh_from_db()
    other_mode.refresh_from_db()
    assert (older.state, newer.state) == ("superseded", "waiting")
    assert other_mode.state in ("waiting", "held")
    with pytest.raises(RunClosed, match="newer file"):
        approve_run(run=older, digest=older.plan_digest, by=alice, reason="checked", now=now)


def test_late_older_file_is_superseded(district: Org, north: Org, now: datetime) -> None:
    older = send(district, student("S1"), mode="students", now=now)
    held_back = older.jobs.get()
    Job.objects.filter(pk=held_back.pk).update(state="done")
    newer = sync(district, student("S2"), mode="students", now=now)
    Job.objects.filter(pk=held_back.pk).update(state="queued")
    assert settled(older, now=now).state == "superseded"
    newer.refresh_from_db()
    assert newer.state == "waiting"


def test_refused_file_supersedes_nothing(district: Org, north: Org, now: datetime) -> None:
    older = sync(district, student("S1"), mode="students", now=now)
    assert sync(district, mode="students", now=now).state == "refused"
    older.refresh_from_db()
    assert older.state == "waiting"


def test_schools_file_supersedes_no_districts(district: Org, north: Org, now: datetime) -> None:
    whole = sync(district, student("S1"), mode="students", now=now)
    sync(north, student("S1"), mode="students", now=now)
    whole.refresh_from_db()
    assert whole.state == "waiting"


@pytest.mark.night
def test_partial_runs_wait_separately(district: Org, north: Org, now: datetime) -> None:
    needs_approval(district, "partial")
    runs = [sync(district, student(f"S{number}"), now=now) for number in range(3)]
    for run in runs:
        run.refresh_from_db()
    assert [run.state for run in runs] == ["waiting"] * 3


def test_plan_expires_after_seven_days(district: Org, north: Org, alice: Account, now: datetime) -> None:
    run = sync(district, student("S1"), mode="students", now=now)
    other = sync(north, student("S1"), mode="students", now=now)
    flow.plan_again(other.pk, reason="made again", now=now + timedelta(days=5), states=("waiting",))
    assert settled(other, now=now + timedelta(days=5)).state == "waiting"  # the days go on
    assert expire_waiting(now=now + timedelta(days=7)) == 0
    with pytest.raises(RunClosed, match="7 days"):
        approve_run(run=run, digest=run.plan_digest, by=alice, reason="checked", now=now + timedelta(days=7, seconds=1))
    assert expire_waiting(now=now + timedelta(days=8)) == 1
    other.refresh_from_db()
    assert other.state == "expired"


# Who may


def test_only_its_managers_decide_it(
    district: Org, north: Org, alice: Account, bob: Account, charlie: Account, dana: Account, now: datetime
) -> None:
    needs_approval(district, "partial")
    whole = sync(district, student("S1"), now=now)
    school = sync(north, student("S2"), now=now)
    assert [set(waiting_runs(actor=actor)) for actor in (alice, bob, charlie, dana)] == [
        {whole, school},
        {school},
        set(),
        set(),
    ]
    for actor in (bob, charlie, dana):
        with pytest.raises(Http404):
            access_run(actor=actor, run_id=whole.pk)
        with pytest.raises(NotPermitted):
            approve_run(run=whole, digest=whole.plan_digest, by=actor, reason="checked", now=now)
        with pytest.raises(NotPermitted):
            reject_run(run=whole, reason="no", by=actor, now=now)
    with pytest.raises(Http404):
        access_run(actor=alice, run_id="none")
    assert access_run(actor=bob, run_id=school.pk) == school
    assert runs_of(actor=alice).first() == school
    assert approve_run(run=school, digest=school.plan_digest, by=bob, reason="checked", now=now).state == "approved"


def test_key_approves_harmless_runs_only(
    district: Org, north: Org, alice: Account, api_key: ApiKey, now: datetime
) -> None:
    needs_approval(district, "students", required=False)
    had_leavers(district, now)
    sync(district, *students(20), mode="students", now=now)
    needs_approval(district, "students")
    deleting = sync(district, *students(20)[1:], mode="students", now=now)
    assert (deleting.state, deleting.counts["delete"]) == ("waiting", 1)
    with pytest.raises(NotPermitted, match="accounts would leave"):
        approve_run(run=deleting, digest=deleting.plan_digest, by=api_key, now=now)
    harmless = sync(district, *students(21), mode="students", now=now)
    approve_run(run=harmless, digest=harmless.plan_digest, by=api_key, now=now)
    done = settled(harmless, now=now)
    assert (done.state, done.decided_by_key) == ("applied", api_key)


def test_key_needs_the_approve_scope(district: Org, north: Org, alice: Account, now: datetime) -> None:
    key, _ = create_key(
        school_system=district.school_system, org=district, name="up", scopes=("upload",), actor=alice, now=now
    )
    run = sync(district, student("S1"), mode="students", now=now)
    with pytest.raises(NotPermitted):
        approve_run(run=run, digest=run.plan_digest, by=key, now=now)
    with pytest.raises(NotPermitted):
        reject_run(run=run, reason="no", by=key, now=now)
