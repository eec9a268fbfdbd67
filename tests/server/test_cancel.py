"""Cancelling a run: by whom, until when, and how its job gives way."""

import sqlite3
import time
from contextlib import nullcontext
from datetime import datetime, timedelta
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client
from kit.plans import at_night
from kit.rosters import needs_approval, send, settled, student, sync
from pytest_django.fixtures import Settings

from sis_sync.core.errors import NotPermitted, RunClosed
from sis_sync.engine.duckdb import open_session
from sis_sync.server.accounts.models import Account
from sis_sync.server.audit.models import AuditEntry
from sis_sync.server.jobs.models import Job
from sis_sync.server.keys.models import ApiKey
from sis_sync.server.keys.services import create_key
from sis_sync.server.orgs.models import Org
from sis_sync.server.runs import cancel, flow, watch
from sis_sync.server.runs.apply import apply
from sis_sync.server.runs.approval import approve_run
from sis_sync.server.runs.cancel import ask_job_to_give_way, cancel_run, is_cancel_asked
from sis_sync.server.runs.files import run_files, run_session, work_folder
from sis_sync.server.runs.models import Run
from sis_sync.server.runs.states import move
from sis_sync.server.runs.worker import work_once
from sis_sync.server.windows import Slots

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases_at_night]
UNPLANNED, PLANNED = ("received", "checking"), ("held", "applying")
# Seconds of work: a test whose work is not stopped fails, and does not hang.
LONG = "SELECT count(*) FROM range(3000000000) AS n(i) WHERE hash(i) = 1"
LONG_IN_DATABASE = {
    "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 20000000) SELECT count(*) FROM n",
    "postgresql": "SELECT pg_sleep(30)",
}


@pytest.fixture(autouse=True)
def own_data_folder(settings: Settings, tmp_path: Path) -> None:
    settings.SIS_SYNC_DATA_FOLDER = tmp_path


def key_of(org: Org, now: datetime, name: str) -> ApiKey:
    key, _ = create_key(school_system=org.school_system, org=org, name=name, actor=None, now=now)
    return key


def waiting_run(district: Org, now: datetime, **values: Any) -> Run:
    needs_approval(district, "partial")
    return sync(district, student("S1"), now=now, **values)


@pytest.mark.parametrize("state", [UNPLANNED[0], PLANNED[0], *at_night(*UNPLANNED[1:], *PLANNED[1:])])
def test_manager_cancels_an_open_run(state: str, district: Org, north: Org, as_alice: Client, now: datetime) -> None:
    run = waiting_run(district, now) if state in PLANNED else send(district, student("S1"), now=now)
    Run.objects.filter(pk=run.pk).update(state=state)
    assert f"/runs/{run.pk}/cancel" in as_alice.get(f"/runs/{run.pk}").content.decode()
    assert "cannot be taken up again" in as_alice.get(f"/runs/{run.pk}/cancel").content.decode()
    assert as_alice.post(f"/runs/{run.pk}/cancel").status_code == 303
    assert settled(run, now=now).state == "cancelled"
    assert set(run.jobs.values_list("state", flat=True)) == {"done"}
    page = as_alice.get(f"/runs/{run.pk}").content.decode()
    assert "Someone cancelled it" in page
    assert f"/runs/{run.pk}/cancel" not in page
    assert not Account.objects.filter(custom_id="S1").exists()
    assert AuditEntry.objects.get(action="run.cancelled").detail == {"run": run.pk}
    assert run_files(run).original.exists() == run_files(run).plan.exists() == (state in PLANNED)


@pytest.mark.both_databases
@pytest.mark.parametrize(
    ("state", "others", "tries"),
    [("applying", 1, 4), ("applying", 2, 1), *at_night(("checking", 0, 1), ("applying", 0, 4))],
)
def test_few_cancels_wait_for_their_jobs(
    state: str,
    others: int,
    tries: int,
    district: Org,
    north: Org,
    alice: Account,
    now: datetime,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    record, calls = cancel._record_cancel, list[Any]()

    def record_when_free(*arguments: Any) -> bool:
        calls.append(arguments)
        if len(calls) < 4:
            raise OperationalError from busy_database()
        return record(*arguments)

    run = waiting_run(district, now)
    Run.objects.filter(pk=run.pk).update(state=state)
    waiting = Slots()
    for _ in range(others):
        waiting.take("jobs", most=others)
    monkeypatch.setattr(cancel, "_waiting", waiting)
    monkeypatch.setattr(cancel, "_record_cancel", record_when_free)
    assert cancel_run(run=run, by=alice, now=now).state == ("cancelled" if tries == 4 else state)
    assert (len(calls), waiting.taken("jobs")) == (tries, others)
    assert is_cancel_asked(run.pk)


@pytest.mark.both_databases
def test_busy_database_cancels_no_run_without_a_job(
    district: Org, north: Org, as_alice: Client, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_arguments: Any) -> bool:
        raise OperationalError from busy_database()

    run = waiting_run(district, now)
    monkeypatch.setattr(cancel, "_record_cancel", refuse)
    as_alice.raise_request_exception = False
    assert as_alice.post(f"/runs/{run.pk}/cancel").status_code == 503
    assert not is_cancel_asked(run.pk)


def busy_database() -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("database is locked")
    error.sqlite_errorcode = sqlite3.SQLITE_BUSY
    return error


@pytest.mark.both_databases
@pytest.mark.parametrize("is_stored", [True, False])
def test_only_the_cancel_waits_briefly(
    district: Org, north: Org, alice: Account, now: datetime, monkeypatch: pytest.MonkeyPatch, is_stored: bool
) -> None:
    if connection.vendor == "sqlite":
        pytest.skip("a process of SQLite has one time to wait")
    run, waits = waiting_run(district, now), list[str]()

    def watched_move(*arguments: Any, **values: Any) -> bool:
        waits.append(lock_wait())
        if not is_stored:
            raise OperationalError
        return move(*arguments, **values)

    monkeypatch.setattr(cancel, "move", watched_move)
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('lock_timeout', '1500ms', true)")
    with nullcontext() if is_stored else pytest.raises(OperationalError):
        cancel_run(run=run, by=alice, now=now)
    assert (waits, lock_wait()) == (["1s"], "1500ms")


def lock_wait() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SHOW lock_timeout")
        return str(cursor.fetchone()[0])


@pytest.mark.both_databases
def test_late_cancel_is_told_applied(
    district: Org, north: Org, as_alice: Client, alice: Account, now: datetime
) -> None:
    run = sync(district, student("S1"), now=now)
    with pytest.raises(RunClosed, match="It was applied before") as closed:
        cancel_run(run=run, by=alice, now=now)
    assert closed.value.state == "applied"
    assert as_alice.get(f"/runs/{run.pk}/cancel").status_code == 303
    Run.objects.filter(pk=run.pk).update(state="waiting")
    assert as_alice.get(f"/runs/{run.pk}/cancel").status_code == 200
    Run.objects.filter(pk=run.pk).update(state="applied")
    assert "It was applied before" in as_alice.post(f"/runs/{run.pk}/cancel", follow=True).content.decode()
    assert settled(run, now=now).state == "applied"


def test_key_cancels_only_its_own_undecided_run(district: Org, north: Org, alice: Account, now: datetime) -> None:
    sender, other = key_of(district, now, "office"), key_of(district, now, "other")
    run = waiting_run(district, now, by=sender)
    with pytest.raises(NotPermitted, match="did not send"):
        cancel_run(run=run, by=other, now=now)
    assert cancel_run(run=run, by=sender, now=now).state == "cancelled"
    assert cancel_run(run=run, by=sender, now=now).decided_by_key == sender
    assert AuditEntry.objects.filter(action="run.cancelled").count() == 1
    decided = waiting_run(district, now, by=sender, file_name="again.csv")
    approve_run(run=decided, digest=decided.plan_digest, by=alice, reason="checked", now=now)
    with pytest.raises(NotPermitted, match="decided"):
        cancel_run(run=decided, by=sender, now=now)
    assert settled(decided, now=now).state == "applied"
    with pytest.raises(RunClosed, match="applied"):
        cancel_run(run=decided, by=sender, now=now)


def test_plan_gives_way(
    district: Org, north: Org, alice: Account, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    def plan_for_ever(run: Run, *_arguments: Any, **_named: Any) -> None:
        cancel_run(run=run, by=alice, now=now)
        run_files(run).original.write_text("the rest of the work")
        with work_folder(run.pk) as folder, run_session(folder) as session:
            session.value(LONG)
        pytest.fail("the work went on to its end", pytrace=False)

    monkeypatch.setattr(flow, "make_stored_plan", plan_for_ever)
    run = send(district, student("S1"), now=now)
    assert settled(run, now=now).state == "cancelled"
    assert run.jobs.get().state == "done"
    assert not run_files(run).original.exists()


# PostgreSQL may carry the interruption out a moment late, on the next statement. The worker then connects anew, which
# it could not do within the transaction of a test.
@pytest.mark.night
@pytest.mark.django_db(transaction=True)
def test_endless_plan_is_refused(
    district: Org, north: Org, now: datetime, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def plan_for_ever(run: Run, *_arguments: Any, **_named: Any) -> None:
        with work_folder(run.pk) as folder, run_session(folder) as session:
            session.value(LONG)
        pytest.fail("the work went on to its end", pytrace=False)

    monkeypatch.setattr(flow, "make_stored_plan", plan_for_ever)
    settings.SIS_SYNC_PLAN_SECONDS = 1
    run = settled(send(district, student("S1"), now=now), now=now)
    assert (run.state, run.jobs.get().state, run.jobs.get().attempts) == ("refused", "done", 1)
    assert run.refusal is not None
    assert run.refusal["code"] == "run.too_long"
    assert "SIS_SYNC_PLAN_SECONDS" in run.refusal["fix"]


@pytest.mark.both_databases
def test_endless_work_ends_though_the_database_is_busy(
    district: Org, north: Org, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> None:
        raise OperationalError("database is locked")

    monkeypatch.setattr(watch, "LEAVE_SECONDS", 0)
    has_left = Event()
    job = send(district, student("S1"), now=now).jobs.get()
    with watch.JobWatch(job, has_left.set, -1, refuse).watching():
        assert has_left.wait(20)


def test_plan_over_the_memory_limit_is_refused(
    district: Org, north: Org, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    def plan_too_much(run: Run, *_arguments: Any, **_named: Any) -> None:
        with work_folder(run.pk) as folder, open_session(temp_folder=folder, memory_limit_mb=8) as session:
            session.value("SELECT length(string_agg(repeat('x', 1000), '')) FROM range(100000)")

    monkeypatch.setattr(flow, "make_stored_plan", plan_too_much)
    run = settled(send(district, student("S1"), now=now), now=now)
    assert run.state == "checking"  # it waits
    run = settled(run, now=now + timedelta(minutes=9))
    assert run.state == "checking"
    run = settled(run, now=now + timedelta(minutes=11))
    assert run.refusal is not None
    assert (run.state, run.refusal["code"]) == ("refused", "run.too_much_memory")
    assert run.jobs.get().state == "done"


def cache_size_of_sqlite() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT cache_size FROM pragma_cache_size" if connection.vendor == "sqlite" else "SELECT 0")
        return int(cursor.fetchone()[0])


@pytest.mark.both_databases
def test_apply_gives_way(
    district: Org, north: Org, alice: Account, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = waiting_run(district, now)
    approve_run(run=run, digest=run.plan_digest, by=alice, reason="checked", now=now)
    do_apply = apply._apply

    def apply_for_ever(run: Run, *arguments: Any) -> None:
        do_apply(run, *arguments)
        ask_job_to_give_way(run, alice)
        with connection.cursor() as cursor:
            cursor.execute(LONG_IN_DATABASE[connection.vendor])
        pytest.fail("the work went on to its end", pytrace=False)

    monkeypatch.setattr(apply, "_apply", apply_for_ever)
    cache_size = cache_size_of_sqlite()
    run = settled(run, now=now)
    assert cache_size_of_sqlite() == cache_size
    assert (run.state, run.applied_at, run.decided_by) == ("cancelled", None, alice)
    assert not Account.objects.filter(custom_id="S1").exists()
    assert set(Job.objects.values_list("state", flat=True)) == {"done"}


def test_job_that_hangs_ends_its_process(
    district: Org, north: Org, alice: Account, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    left: list[str] = []

    def plan_for_ever(run: Run, *_arguments: Any, **_named: Any) -> None:
        cancel_run(run=run, by=alice, now=now)
        while not left:
            time.sleep(0.01)

    monkeypatch.setattr(flow, "make_stored_plan", plan_for_ever)
    monkeypatch.setattr("sis_sync.server.runs.watch.LEAVE_SECONDS", 0.1)
    run = send(district, student("S1"), now=now)
    assert work_once(clock=lambda: now, leave=lambda: left.append("left"))
    run.refresh_from_db()
    assert (run.state, left[0]) == ("cancelled", "left")
