"""Jobs: none is lost with its worker, done by two workers, or tried for ever."""

import os
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from django.db import connection
from django.db.models.functions import Now
from kit.rosters import roster, send, settled, student
from pytest_django.fixtures import Settings

from sis_sync.server.accounts.models import Account
from sis_sync.server.jobs.lock import (
    LockGroup,
    end_frozen_holder,
    jobs_lock,
    lock_path,
    named_lock,
    passwords_lock,
    purge_lock,
)
from sis_sync.server.jobs.models import Job
from sis_sync.server.jobs.queue import enqueue
from sis_sync.server.orgs.models import Org
from sis_sync.server.runs import planning, worker
from sis_sync.server.runs.files import clear_incoming, run_files
from sis_sync.server.runs.worker import MAX_ATTEMPTS, work_until_idle

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


@pytest.fixture(autouse=True)
def own_data_folder(settings: Settings, tmp_path: Path) -> None:
    settings.SIS_SYNC_DATA_FOLDER = tmp_path


def test_done_job_stays_done(district: Org, north: Org, now: datetime) -> None:
    run = settled(send(district, student("S1"), now=now), now=now)
    assert {job.state for job in run.jobs.all()} == {"done"}
    assert [job.attempts for job in run.jobs.all()] == [1, 1]
    assert work_until_idle(clock=lambda: now) == 0


def test_frozen_workers_job_is_taken(district: Org, north: Org, now: datetime, settings: Settings) -> None:
    """On PostgreSQL its lock is a connection's, which ends. On SQLite its supervisor must end its process first."""
    settings.SIS_SYNC_FROZEN_SECONDS = 1
    run = send(district, student("S1"), now=now)
    Job.objects.filter(run=run).update(state="running", attempts=1)
    if connection.vendor != "postgresql":
        with jobs_lock(district.school_system_id):
            assert not end_frozen_holder(district.school_system_id)
            assert work_until_idle(clock=lambda: now) == 0
        return
    with psycopg.connect(**connection.get_connection_params()) as frozen:
        frozen.execute("SELECT pg_advisory_lock(%s, %s)", [int(LockGroup.JOBS), district.school_system_id])
        frozen.commit()
        Job.objects.filter(run=run).update(beat_at=Now())
        assert settled(run, now=now).state == "received"
        time.sleep(1.2)
        Job.objects.filter(run=run).update(beat_at=Now() - timedelta(seconds=2))
        assert settled(run, now=now).state == "applied"
        with pytest.raises(psycopg.OperationalError):
            frozen.execute("SELECT 1")


def test_purge_and_passwords_do_not_wait_for_each_other(now: datetime) -> None:
    def is_free_elsewhere() -> bool:
        try:
            with passwords_lock() as is_free:
                return is_free
        finally:
            connection.close()  # of this thread

    with ThreadPoolExecutor(1) as another_worker:
        with purge_lock():
            assert another_worker.submit(is_free_elsewhere).result()
        with passwords_lock():
            assert not another_worker.submit(is_free_elsewhere).result()


def test_one_queued_job_per_kind(district: Org, north: Org, now: datetime) -> None:
    run = send(district, student("S1"), now=now)
    assert enqueue(kind=Job.Kind.PLAN, run=run, now=now) == run.jobs.get()


def test_dead_workers_job_is_taken(district: Org, north: Org, now: datetime) -> None:
    run = send(district, student("S1"), now=now)
    Job.objects.filter(run=run).update(state="running", attempts=1)
    type(run).objects.filter(pk=run.pk).update(state="checking")
    assert settled(run, now=now).state == "applied"
    assert run.jobs.get(kind="plan").attempts == 2


def test_third_death_fails_the_job(
    district: Org, north: Org, now: datetime, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    run = send(district, student("S1"), now=now)
    Job.objects.filter(run=run).update(state="running", attempts=MAX_ATTEMPTS)
    copy_of_upload = tmp_path / "work" / f"run-{run.pk}-0badcafe" / "file" / "people.csv"
    copy_of_upload.parent.mkdir(parents=True)
    copy_of_upload.touch()
    run = settled(run, now=now)
    job = run.jobs.get()
    assert (run.state, job.state) == ("failed", "failed")
    assert not any((tmp_path / "work").iterdir())
    assert run.refusal is not None
    assert job.reference in run.refusal["message"]
    assert job.reference in caplog.text


def test_school_systems_take_turns(
    district: Org, north: Org, charlie: Account, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[str] = []
    many = [send(district, student(f"S{number}"), now=now) for number in range(4)]
    few = [send(charlie.org, student(f"S{number}", org=""), now=now) for number in range(2)]
    names = {run.pk: f"{who}{number}" for who, runs in {"r": many, "l": few}.items() for number, run in enumerate(runs)}

    def dies(run_id: int, **_named: object) -> None:
        begun.append(names[run_id])
        raise SystemExit

    monkeypatch.setattr(worker, "plan_run", dies)
    for _ in range(4):  # a worker that dies with its job has had its turn
        with pytest.raises(SystemExit):
            worker.work_once(clock=lambda: now)
    assert begun == ["r0", "l0", "r0", "l0"]
    monkeypatch.setattr(worker, "plan_run", lambda run_id, **_named: begun.append(names[run_id]))
    del begun[:]
    assert work_until_idle(clock=lambda: now) == 6
    assert begun == ["r0", "l0", "r1", "l1", "r2", "r3"]


LAST_NAME = "Vanderquist"


def full_disk(*_arguments: object) -> None:
    raise OSError(f"no room for {LAST_NAME}")


def test_failing_job_logs_no_values(
    district: Org, north: Org, now: datetime, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = send(district, student("S1", LAST_NAME), now=now)
    monkeypatch.setattr(planning, "save_plan", full_disk)
    run = settled(run, now=now)
    job = run.jobs.get()
    assert (run.state, job.state, job.attempts) == ("failed", "failed", MAX_ATTEMPTS)
    assert job.reference in caplog.text
    assert "planning.py" in caplog.text
    assert LAST_NAME not in caplog.text
    assert not Job.objects.filter(kind="apply").exists()
    assert list(run_files(run).folder.iterdir()) == []


def test_named_lock_has_one_holder(tmp_path: Path) -> None:
    with named_lock("a") as first, named_lock("a") as second, named_lock("b") as other:
        assert (first, second, other) == (True, False, True)
    with named_lock("a") as again:
        assert again
    assert os.access(lock_path("a"), os.W_OK)


def test_no_job_files_remain(district: Org, north: Org, now: datetime, tmp_path: Path) -> None:
    settled(send(district, content=roster(student("S1")), now=now), now=now)
    assert {path.name for path in tmp_path.glob("locks/*")} <= {f"jobs-of-{district.school_system_id}.lock"}
    assert not list(tmp_path.glob("work/*"))


def test_lost_uploads_are_cleared(tmp_path: Path, now: datetime) -> None:
    left = tmp_path / "incoming" / "0a1b"
    left.parent.mkdir()
    left.write_bytes(b"half a file")
    os.utime(left, (now.timestamp(), now.timestamp()))
    assert clear_incoming(before=now - timedelta(days=1)) == 0
    assert clear_incoming(before=now + timedelta(days=1)) == 1
    assert not left.exists()
