"""Passwords of a file: encrypted while the run waits, hashed in slices after it was applied, and then gone."""

import time
from collections.abc import Callable
from contextlib import nullcontext
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.test import Client
from kit.rosters import needs_approval, roster, send, settled, student, sync, teacher
from pytest_django import DjangoCaptureOnCommitCallbacks
from pytest_django.fixtures import Settings

from sis_sync.server.accounts import sealed_passwords
from sis_sync.server.accounts.first_sign_in import make_claim_codes
from sis_sync.server.accounts.models import Account, ClaimCode, FilePassword
from sis_sync.server.accounts.sealed_passwords import (
    KEY_FOLDER,
    fingerprint_key,
    fingerprint_of,
    key_path,
    open_passwords,
)
from sis_sync.server.accounts.services import set_password
from sis_sync.server.audit.models import AuditEntry
from sis_sync.server.jobs.lock import passwords_lock
from sis_sync.server.jobs.models import Job
from sis_sync.server.keys.services import create_key
from sis_sync.server.orgs.models import Org
from sis_sync.server.orgs.selectors import district_of
from sis_sync.server.orgs.services import create_org, give_right
from sis_sync.server.runs import flow, passwords, worker
from sis_sync.server.runs.approval import approve_run, reject_run
from sis_sync.server.runs.expiry import expire_waiting
from sis_sync.server.runs.files import run_files
from sis_sync.server.runs.models import Run
from sis_sync.server.runs.states import move
from sis_sync.server.runs.superseding import supersede_older
from sis_sync.server.runs.worker import MAX_ATTEMPTS, keep_house, work_once
from sis_sync.server.web.run_page import password_words

pytestmark = pytest.mark.django_db
BOTH = pytest.mark.both_databases

SECRET = "Grey-harbour-12"


@pytest.fixture(autouse=True)
def own_data_folder(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.SIS_SYNC_DATA_FOLDER = tmp_path
    monkeypatch.setattr(passwords, "SLICE_SECONDS", 3600.0)  # on a busy machine too, a slice ends with its rows


def with_passwords(*rows: dict[str, str]) -> bytes:
    return roster(*rows, extra=("password",))


def newcomers(number: int) -> list[dict[str, str]]:
    return [student(f"S{each}", password=f"{SECRET}-{each}") for each in range(number)]


def waiting_run(org: Org, now: datetime, *rows: dict[str, str]) -> Run:
    needs_approval(org, "partial")
    return sync(org, content=with_passwords(*rows or newcomers(2)), now=now)


def approved(run: Run, by: Account, now: datetime) -> Run:
    run.refresh_from_db()
    return approve_run(run=run, digest=run.plan_digest, by=by, reason="checked", now=now)


def applied(run: Run, by: Account, now: datetime) -> Run:
    """The run after its apply job, before any other job."""
    approved(run, by, now)
    flow.apply_run(run.pk, now=now)
    Job.objects.filter(run=run, kind="apply").update(state="done")
    run.refresh_from_db()
    assert run.state == "applied"
    return run


def outcomes(run: Run) -> list[str]:
    return list(FilePassword.objects.filter(run=run).order_by("line").values_list("outcome", flat=True))


def bytes_on_disk(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def never(*_arguments: object, **_named: object) -> str:
    raise AssertionError("a password was hashed")


def die(*_arguments: object, **_named: object) -> None:
    raise KeyboardInterrupt


def test_nothing_is_hashed_before_approval(
    district: Org, north: Org, alice: Account, now: datetime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passwords, "make_password", never)
    run = waiting_run(district, now)
    assert (run.state, run.newcomers_with_password) == ("waiting", 2)
    assert b"harbour" not in bytes_on_disk(tmp_path)
    assert key_path(run.pk).stat().st_mode & 0o777 == 0o600
    assert open_passwords(run.pk) == {2: f"{SECRET}-0", 3: f"{SECRET}-1"}
    applied(run, alice, now)
    assert not any(account.has_usable_password() for account in Account.objects.filter(custom_id__startswith="S"))


@BOTH
def test_all_can_sign_in_at_the_end(
    district: Org, north: Org, alice: Account, now: datetime, client: Client, tmp_path: Path
) -> None:
    run = waiting_run(district, now, *newcomers(50))
    applied(run, alice, now)
    assert settled(run, now=now).jobs.get(kind="prepare").attempts == 1
    assert outcomes(run) == ["set"] * 50
    for account in Account.objects.filter(custom_id__startswith="S"):
        assert account.check_password(f"{SECRET}-{(account.custom_id or '')[1:]}")
    assert [path.name for path in (tmp_path / KEY_FOLDER).iterdir()] == ["fingerprints"]
    assert not (run_files(run).folder / "passwords").exists()
    assert AuditEntry.objects.get(action="run.passwords_set").detail == {"run": run.pk, "accounts": 50}


def test_password_of_a_file_ends_the_code(district: Org, north: Org, alice: Account, now: datetime) -> None:
    run = applied(waiting_run(district, now), alice, now)
    pupil = Account.objects.get(custom_id="S1")
    make_claim_codes(accounts=[pupil], valid_for=timedelta(days=30), actor=alice, now=now)
    settled(run, now=now)
    pupil.refresh_from_db()
    assert pupil.check_password(f"{SECRET}-1")
    assert not ClaimCode.objects.exists()


def test_digest_depends_on_no_key(district: Org, north: Org, now: datetime) -> None:
    run = waiting_run(district, now)
    first = run.plan_digest
    sealed_passwords.seal_passwords(run.pk, open_passwords(run.pk).items())
    flow.plan_again(run.pk, reason="a test", now=now, states=(run.state,))
    again = settled(run, now=now)
    assert (again.plan_digest, again.newcomers_with_password) == (first, 2)
    key_path(run.pk).unlink()
    flow.plan_again(run.pk, reason="a test", now=now, states=(run.state,))
    assert settled(run, now=now).newcomers_with_password == 0


def test_killed_hashing_goes_on(
    district: Org, north: Org, alice: Account, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = applied(waiting_run(district, now), alice, now)
    for broken_step in ("make_password", "_end"):
        with monkeypatch.context() as dying:
            dying.setattr(passwords, broken_step, die)
            with pytest.raises(KeyboardInterrupt):
                work_once(clock=lambda: now)
        assert outcomes(run) == ["waiting", "waiting"]
    ticks = iter(range(0, 99_999, 3600))  # each look at the clock is an hour later, so the slice ends after the first
    assert passwords.prepare_passwords(run.pk, now=now, seconds=lambda: float(next(ticks)))
    assert outcomes(run) == ["set", "waiting"]
    settled(run, now=now)
    assert Account.objects.get(custom_id="S1").check_password(f"{SECRET}-1")


@BOTH
def test_hashing_gives_way(
    district: Org, north: Org, alice: Account, charlie: Account, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    lakeside = charlie.org
    create_org(school_system=charlie.school_system, kind="school", name="A", external_id="N1", actor=None, now=now)
    many, few = waiting_run(district, now, *newcomers(2 * passwords.SLICE_ROWS)), waiting_run(lakeside, now)
    applied(many, alice, now)
    applied(few, charlie, now)
    with monkeypatch.context() as elsewhere:  # another worker has the lock: nothing is hashed, all else is done
        elsewhere.setattr(worker, "passwords_lock", lambda: nullcontext(False))
        assert sync(district, teacher("T1"), now=now).state == "waiting"
    with passwords_lock() as is_free:
        assert is_free
    assert work_once(clock=lambda: now)
    assert {outcomes(many).count("waiting"), outcomes(few).count("waiting")} in ({20, 2}, {40, 0})
    others = [send(org, teacher("T2"), now=now) for org in (lakeside, district)]
    assert work_once(clock=lambda: now)
    assert work_once(clock=lambda: now)
    assert [Run.objects.get(pk=other.pk).state for other in others] == ["waiting", "waiting"]
    assert work_once(clock=lambda: now)  # the turn of the other school system
    assert (outcomes(many).count("waiting"), outcomes(few)) == (passwords.SLICE_ROWS, ["set", "set"])


def test_slice_ends_after_a_while(district: Org, north: Org, alice: Account, now: datetime) -> None:
    run = applied(waiting_run(district, now), alice, now)
    ticks = iter(range(0, 9 * 3600, 3600))  # an hour between two looks at the clock
    assert passwords.prepare_passwords(run.pk, now=now, seconds=lambda: float(next(ticks)))
    assert outcomes(run) == ["set", "waiting"]


def test_not_ready_is_told_to_the_person_only(
    district: Org, north: Org, alice: Account, now: datetime, client: Client
) -> None:
    applied(waiting_run(district, now), alice, now)

    def answer(email: str, password: str) -> str:
        page = client.post("/sign-in", {"email": email, "password": password}).content.decode()
        return page.partition("data-error-summary")[2].partition("</div>")[0]

    wrong = answer("s1@riverbend.example", f"{SECRET}-0")
    assert wrong == answer("nobody@riverbend.example", f"{SECRET}-0")
    assert "do not belong together" in wrong
    for _ in range(12):  # the right password is never counted as a wrong one
        assert "being prepared. Try again in a few minutes" in answer("s1@riverbend.example", f"{SECRET}-1")


def test_missing_key_ends_the_job(district: Org, north: Org, alice: Account, now: datetime, as_alice: Client) -> None:
    run = waiting_run(district, now)
    assert "2 new people get the password of this file." in as_alice.get(f"/runs/{run.pk}/approve").content.decode()
    applied(run, alice, now)
    assert "of 2 people are being prepared" in password_words(run)
    key_path(run.pk).unlink()
    settled(run, now=now)
    assert outcomes(run) == ["lost", "lost"]
    assert AuditEntry.objects.get(action="run.passwords_lost").detail == {"run": run.pk, "accounts": 2}
    assert "2 new people have no password" in as_alice.get(f"/runs/{run.pk}").content.decode()
    assert {job.state for job in run.jobs.all()} == {"done"}


@pytest.mark.night
def test_failing_job_leaves_the_rest_without(
    district: Org, north: Org, alice: Account, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = applied(waiting_run(district, now), alice, now)
    Job.objects.filter(run=run, kind="prepare").update(attempts=MAX_ATTEMPTS)
    settled(run, now=now)
    assert (run.state, outcomes(run)) == ("applied", ["lost", "lost"])
    keep_house(now=now)
    assert not key_path(run.pk).exists()


def test_password_by_hand_and_rights_are_left_alone(district: Org, north: Org, alice: Account, now: datetime) -> None:
    run = applied(waiting_run(district, now, *newcomers(3)), alice, now)
    by_hand, manager = Account.objects.get(custom_id="S0"), Account.objects.get(custom_id="S1")
    set_password(account=by_hand, password="Green-lighthouse-7", actor=alice, now=now)
    give_right(account=manager, org=north, actor=alice, now=now)
    settled(run, now=now)
    by_hand.refresh_from_db()
    manager.refresh_from_db()
    assert outcomes(run) == ["not_needed", "not_needed", "set"]
    assert by_hand.check_password("Green-lighthouse-7")
    assert not manager.has_usable_password()


@pytest.mark.night
def test_same_password_is_not_hashed_again(
    district: Org, north: Org, alice: Account, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = settled(applied(waiting_run(district, now), alice, now), now=now)
    for each in FilePassword.objects.filter(run=run):
        assert each.fingerprint == fingerprint_of(each.account_id, f"{SECRET}-{each.line - 2}", key=fingerprint_key())
    sealed_passwords.seal_passwords(run.pk, [(2, f"{SECRET}-0"), (3, f"{SECRET}-1")])
    FilePassword.objects.filter(run=run).update(outcome="waiting")
    monkeypatch.setattr(passwords, "make_password", never)
    assert not passwords.prepare_passwords(run.pk, now=now)
    assert outcomes(run) == ["set", "set"]


@BOTH
def test_key_ends_with_the_run(
    district: Org,
    north: Org,
    alice: Account,
    now: datetime,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    run = waiting_run(district, now)
    runs = Run.objects.filter(pk=run.pk)
    newer = Run.objects.create(
        school_system=run.school_system, scope_org=district, mode="full", file_size_bytes=1, received_at=now
    )

    def supersede() -> None:
        runs.update(mode="full")
        supersede_older(newer)

    def fail() -> None:
        runs.update(state="checking")
        flow.fail_run(run.pk, reference="0a1b")

    def remove() -> None:
        runs.delete()
        keep_house(now=now)

    ends: list[Callable[[], object]] = [
        lambda: reject_run(run=run, reason="no", by=alice, now=now),
        lambda: expire_waiting(now=now + timedelta(days=8)),
        supersede,
        fail,
        lambda: move(run.pk, ("waiting",), "applied"),
        remove,
    ]
    for end in ends:
        runs.update(state="waiting")
        sealed_passwords.seal_passwords(run.pk, [(2, SECRET)])
        keep_house(now=now)
        assert key_path(run.pk).exists()
        with django_capture_on_commit_callbacks(execute=True):
            end()
        assert not key_path(run.pk).exists()


@pytest.mark.both_databases_at_night
def test_passwords_leave_the_file(district: Org, north: Org, alice: Account, now: datetime) -> None:
    needs_approval(district, "partial")
    rows = [student("S1", password=SECRET), student("S2", middle_name="two\nlines", password="x")]
    broken = b"S3,too,few,Red-harbour-34\r\n"
    content = (
        roster(*rows, extra=("password",))
        + broken
        + roster(student("S4", password="y"), extra=("password",))[len(roster(extra=("password",))) :]
    )
    run = sync(district, content=content, now=now)
    stored = run_files(run).original.read_bytes()
    assert b"harbour" not in stored
    assert b"password" not in stored
    assert stored.count(b"\n") == content.count(b"\n")

    Account.objects.filter(pk=alice.pk).update(email="s4@riverbend.example")
    approve_run(run=run, digest=run.plan_digest, by=alice, reason="checked", now=now)
    again = settled(run, now=now)
    assert (again.state, again.counts["create"], again.counts["failed"]) == ("waiting", 2, 2)
    approve_run(run=again, digest=again.plan_digest, by=alice, reason="checked", now=now)
    assert settled(run, now=now).state == "applied"
    assert Account.objects.get(custom_id="S1").check_password(SECRET)


@pytest.mark.night
def test_file_of_a_key_is_planned_again(
    district: Org, north: Org, alice: Account, dana: Account, now: datetime
) -> None:
    Account.objects.filter(pk=dana.pk).update(is_protected=True)
    key, _ = create_key(school_system=district.school_system, org=district, name="pc", actor=alice, now=now)
    needs_approval(district, "partial")
    ignored = teacher("E-4", email=dana.email, Room="12", password=SECRET)
    content = roster(student("S1", Room="13", password=SECRET), ignored, extra=("Room", "password"))
    run = sync(district, content=content + b"E-4,13,broken\r\n", by=key, now=now)
    told, findings = run.told, run.findings
    assert (run.counts["ignored"], run.counts["failed"], run.findings["column.ignored"]) == (1, 1, 1)
    assert not {b"Room", b"13", SECRET.encode()} & set(run_files(run).original.read_bytes().split(b","))
    flow.plan_again(run.pk, reason="a test", now=now, states=(run.state,))
    again = settled(run, now=now)
    assert again.state == "waiting"
    assert (again.told, again.findings, again.plan_digest) == (told, findings, run.plan_digest)


@pytest.mark.both_databases_at_night
def test_unsplittable_records_keep_their_people(district: Org, north: Org, alice: Account, now: datetime) -> None:
    pupils = [student(f"S{number}") for number in range(8)]
    sync(district, *pupils, now=now)
    whole = roster(*({**each, "password": ""} for each in pupils[1:]), extra=("password",))
    broken = b"Sam,,Okafor,s0@riverbend.example,S0;y,N1,Student,,7,Active,Grey-harbour-12,more\r\n"
    lines = "mapper.m.first.custom_id=;"
    run = sync(district, content=whole + broken, now=now, mode="students", mapping_lines=lines, mapping_name="m")
    assert run.counts["delete"] == 0
    assert b"harbour" not in run_files(run).original.read_bytes()
    flow.plan_again(run.pk, reason="a test", now=now, states=(run.state,))
    again = settled(run, now=now)
    assert (again.counts["delete"], again.counts["failed"]) == (0, 1)


@pytest.mark.night
@BOTH
def test_thousand_newcomers_can_sign_in(
    district: Org, north: Org, alice: Account, charlie: Account, now: datetime, client: Client
) -> None:
    run = applied(waiting_run(district, now, *newcomers(1_000)), alice, now)
    lakeside = district_of(charlie.school_system)
    needs_approval(lakeside, "partial")
    assert work_once(clock=lambda: now)
    other = send(lakeside, teacher("T1"), now=now)
    assert work_once(clock=lambda: now)
    other.refresh_from_db()
    assert other.state != "received"
    assert outcomes(run).count("set") == passwords.SLICE_ROWS
    settled(run, now=now)
    for number in range(1_000):
        pair = {"email": f"s{number}@riverbend.example", "password": f"{SECRET}-{number}"}
        assert client.post("/sign-in/riverbend", pair).status_code == 303


@pytest.mark.night
def test_slice_of_real_hashes_is_short(
    district: Org, north: Org, alice: Account, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passwords, "SLICE_SECONDS", 0.5)
    run = applied(waiting_run(district, now, *newcomers(6)), alice, now)
    for name, value in {"time_cost": 2, "memory_cost": 102_400, "parallelism": 8}.items():
        monkeypatch.setattr(Argon2PasswordHasher, name, value)
    while "waiting" in outcomes(run):
        began = time.process_time()
        assert work_once(clock=lambda: now)
        assert time.process_time() - began < 2
