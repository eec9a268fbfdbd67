"""A full disk, a locked database or too little memory: the run waits with the reason and goes on by itself."""

import errno
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import duckdb
import pytest
from django.db import OperationalError, connection, transaction
from django.db.utils import DatabaseErrorWrapper
from kit.rosters import needs_approval, send, settled, student
from pytest_django.fixtures import Settings

from sis_sync.core.errors import ConfigurationError, EngineUnavailable, FileRefused
from sis_sync.core.place_faults import fault_of
from sis_sync.engine.duckdb import open_session
from sis_sync.server import place
from sis_sync.server.accounts.models import Account
from sis_sync.server.jobs.models import Job
from sis_sync.server.orgs.models import Org
from sis_sync.server.runs import flow, planning, worker
from sis_sync.server.runs.apply import apply
from sis_sync.server.runs.approval import approve_run
from sis_sync.server.runs.files import run_files
from sis_sync.server.runs.worker import work_until_idle

FOR_A_WHILE = timedelta(seconds=61)  # more than the longest pause


@pytest.fixture(autouse=True)
def own_data_folder(settings: Settings, tmp_path: Path) -> None:
    settings.SIS_SYNC_DATA_FOLDER = tmp_path


def full_disk(*_arguments: object, **_named: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def full_table(*_arguments: object, **_named: object) -> None:
    with DatabaseErrorWrapper(connection), sqlite3.connect(":memory:") as database:
        database.execute("PRAGMA max_page_count = 2")
        database.execute("CREATE TABLE t (v)")
        database.execute("INSERT INTO t VALUES (zeroblob(100000))")


def small_memory(*_arguments: object, **_named: object) -> None:
    with open_session(memory_limit_mb=5, threads=1) as session:
        session.run("SET max_temp_directory_size = '0KB'; SET temp_directory = ''")
        session.rows("SELECT list(range) FROM range(10000000)")


def no_memory(*_arguments: object, **_named: object) -> None:
    raise MemoryError


def locked_table(*_arguments: object, **_named: object) -> None:
    with DatabaseErrorWrapper(connection):
        first, second = (sqlite3.connect("file:locked?mode=memory&cache=shared", uri=True) for _ in range(2))
        try:
            first.execute("CREATE TABLE t (v)")
            first.execute("BEGIN IMMEDIATE")
            second.execute("BEGIN IMMEDIATE")
        finally:
            first.close()
            second.close()


FAULTS = {
    full_disk: "disk_full",
    full_table: "disk_full",
    small_memory: "memory",
    no_memory: "memory",
    locked_table: "database_busy",
}


@pytest.mark.django_db
@pytest.mark.both_databases
@pytest.mark.parametrize("raise_fault", FAULTS)
def test_planning_waits(
    district: Org, now: datetime, monkeypatch: pytest.MonkeyPatch, raise_fault: Callable[..., None]
) -> None:
    run = send(district, student("S1"), now=now)
    monkeypatch.setattr(flow, "make_stored_plan", raise_fault)
    for minute in range(5):
        run = settled(run, now=now + minute * FOR_A_WHILE)
        job = run.jobs.get()
        assert (run.state, job.state, job.attempts) == ("checking", "queued", 0)
        assert (job.waits_for, job.waits_since) == (FAULTS[raise_fault], now)


@pytest.mark.django_db
@pytest.mark.both_databases
def test_planning_goes_on_with_room(district: Org, north: Org, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    run = send(district, student("S1"), now=now)
    with monkeypatch.context() as patch:
        patch.setattr(planning, "save_plan", full_disk)
        assert settled(run, now=now).state == "checking"
    assert [path.name for path in run_files(run).folder.iterdir()] == ["original"]
    run = settled(run, now=now + FOR_A_WHILE)
    assert (run.state, run.counts["create"]) == ("applied", 1)
    assert [(job.attempts, job.waits_for) for job in run.jobs.all()] == [(1, ""), (1, "")]


@pytest.mark.django_db
@pytest.mark.both_databases
def test_applying_waits_and_keeps_its_approval(
    district: Org, north: Org, alice: Account, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    needs_approval(district, "partial")
    run = settled(send(district, student("S1"), now=now), now=now)
    run = approve_run(run=run, digest=run.plan_digest, by=alice, reason="checked", now=now)
    with monkeypatch.context() as patch:
        patch.setattr(apply, "_record", full_disk)
        run = settled(run, now=now)
        assert (run.state, run.decided_by, run.decided_at) == ("applying", alice, now)
        assert [(job.waits_for, job.attempts) for job in run.jobs.filter(kind="apply")] == [("disk_full", 0)]
        assert not Account.objects.filter(custom_id="S1").exists()
    run = settled(run, now=now + FOR_A_WHILE)
    assert (run.state, run.decided_by) == ("applied", alice)
    assert Account.objects.filter(custom_id="S1").count() == 1


@pytest.mark.django_db
def test_nothing_is_retried_in_a_callers_transaction(
    district: Org, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_arguments: object, **_named: object) -> None:
        raise OperationalError

    send(district, student("S1"), now=now)
    monkeypatch.setattr(worker, "finish", refuse)
    monkeypatch.setattr(worker, "log_place_fault", lambda _error: pytest.fail("it tries again"))
    with transaction.atomic(), pytest.raises(OperationalError):
        worker.work_once(clock=lambda: now)


@pytest.mark.django_db
def test_pauses_grow_to_a_minute(district: Org, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    run = send(district, student("S1"), now=now)
    monkeypatch.setattr(flow, "make_stored_plan", full_disk)
    tried_at, pauses = now, []
    for _ in range(7):
        assert begun_at(tried_at) == 1
        again_at = run.jobs.get().tries_again_at
        assert again_at is not None
        assert begun_at(again_at - timedelta(seconds=1)) == 0
        pauses.append(int((again_at - tried_at).total_seconds()))
        tried_at = again_at
    assert pauses == [5, 5, 10, 20, 40, 60, 60]


def begun_at(moment: datetime) -> int:
    """Let a worker look for jobs at that time. Return how many it began."""
    return work_until_idle(clock=lambda: moment)


@pytest.mark.django_db
def test_wait_of_a_wrong_clock_is_over(district: Org, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    send(district, student("S1"), now=now)
    monkeypatch.setattr(flow, "make_stored_plan", full_disk)
    assert begun_at(now + timedelta(days=2)) == 1
    assert begun_at(now) == 1


@pytest.mark.django_db
def test_nothing_is_begun_without_room(district: Org, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    run = send(district, student("S1"), now=now)
    Job.objects.filter(run=run).update(state="running", attempts=3)  # killed three times while the disk was full
    monkeypatch.setattr(place, "ROOM_KEPT_BYTES", 1 << 60)
    assert begun_at(now) == 0
    run.refresh_from_db()
    assert (run.state, run.jobs.get().state, run.jobs.get().waits_for) == ("received", "queued", "disk_full")


@pytest.mark.django_db
def test_other_runs_are_not_held_up(district: Org, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    large, small = (send(district, student(custom_id), now=now) for custom_id in ("S1", "S2"))
    monkeypatch.setattr(flow, "make_stored_plan", no_memory)
    assert begun_at(now) == 2
    assert [run.jobs.get().waits_for for run in (large, small)] == ["memory", "memory"]


@contextmanager
def caused_by(cause: Exception, *, error: Exception) -> Iterator[None]:
    try:
        yield
    except OSError:
        raise error from cause


@pytest.mark.django_db
@pytest.mark.parametrize(
    "error", [FileRefused("file.not_found", "It cannot be read."), ConfigurationError("It cannot be read as CSV.")]
)
def test_no_file_is_refused_for_the_place(
    district: Org, north: Org, now: datetime, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def refuse(*_arguments: object, **_named: object) -> None:
        with caused_by(OSError(errno.EIO, "Input/output error"), error=error):
            raise OSError

    run = send(district, student("S1"), now=now)
    monkeypatch.setattr(flow, "make_stored_plan", refuse)
    run = settled(run, now=now)
    assert (run.state, run.jobs.get().waits_for) == ("checking", "disk_unusable")


@pytest.mark.parametrize(
    ("error", "fault"),
    [
        (OSError(errno.EDQUOT, ""), "disk_full"),
        (OSError(errno.EFBIG, ""), "disk_full"),
        (OSError(errno.EROFS, ""), "disk_unusable"),
        (OSError(errno.EMFILE, ""), "memory"),
        (EngineUnavailable("Spark is away."), "engine"),
        (duckdb.IOException('IO Error: Could not write file "x": No space left on device'), "disk_full"),
        (duckdb.OutOfMemoryException("Out of Memory Error: failed to offload data block"), "disk_full"),
        (OSError(errno.ENOENT, ""), None),
        (OSError("no number"), None),
        (duckdb.IOException("IO Error: No files found that match the pattern"), None),
        (duckdb.ConversionException("Could not convert 'No space left on device' to INT32"), None),
        (OperationalError("no such table"), None),
        (ConfigurationError("A mapping is wrong."), None),
        (ValueError(), None),
    ],
)
def test_fault_is_recognised(error: Exception, fault: str | None) -> None:
    assert fault_of(error) == fault


@pytest.mark.parametrize(
    ("state", "fault"),
    [
        ("53100", "disk_full"),
        ("53200", "memory"),
        ("53300", "database_gone"),
        ("08006", "database_gone"),
        ("57P01", "database_gone"),
        ("55P03", "database_busy"),
        ("40P01", "database_busy"),
        ("58030", "disk_unusable"),
        ("23505", None),
        ("42P01", None),
    ],
)
def test_sqlstate_is_recognised(state: str, fault: str | None) -> None:
    psycopg = pytest.importorskip("psycopg")
    assert fault_of(psycopg.errors.lookup(state)()) == fault


def test_unreachable_postgresql_is_recognised() -> None:
    psycopg = pytest.importorskip("psycopg")
    with pytest.raises(psycopg.OperationalError) as caught:
        psycopg.connect("host=/nowhere port=1")
    assert fault_of(caught.value) == "database_gone"


def test_hidden_context_is_no_cause() -> None:
    with pytest.raises(ValueError, match="else") as caught, hidden_by(ValueError("something else")):
        full_disk()
    assert fault_of(caught.value) is None


@contextmanager
def hidden_by(error: Exception) -> Iterator[None]:
    try:
        yield
    except OSError:
        raise error from None
