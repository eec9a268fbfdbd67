"""Worker processes that are killed: nothing is half done, done twice or lost."""

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
from kit.plans import TIMES, at_night
from kit.servers import Scene, kill

STATE = "select state from runs_run"
ACCOUNTS = "select count(*) from accounts_account"
HISTORY = "select count(*) from audit_accountchange"
APPLY_ATTEMPTS = "select attempts from jobs_job where kind = 'apply'"
MANY = 20_000  # applying them takes long enough to be killed in between
SOME = 2_000
FILES = 3 if TIMES == 1 else 7  # that two workers share; with ten, a guard would hold the newcomers


ON_BOTH = pytest.mark.parametrize("scene", ["sqlite", "postgresql"], indirect=True)
# The gate tries one database, the night both.
ON_ONE = pytest.mark.parametrize("scene", ["sqlite", *at_night("postgresql")], indirect=True)


def child_of(supervisor: "subprocess.Popen[str]") -> int:
    listed = subprocess.run(["ps", "-e", "-o", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    return next(int(pid) for pid, parent in map(str.split, listed.splitlines()) if int(parent) == supervisor.pid)


@pytest.fixture
def scene(request: pytest.FixtureRequest, tmp_path: Path) -> Scene:
    url = str(request.getfixturevalue("postgresql_url")) if request.param == "postgresql" else ""
    return Scene(tmp_path, url)


@ON_ONE
def test_worker_killed_while_applying(scene: Scene) -> None:
    scene.prepare(["begin"], ["send", 0, MANY])
    for attempt, pause_seconds in enumerate((0.1, 0.3), start=1):
        with scene.worker() as worker:
            scene.wait_for(APPLY_ATTEMPTS, [(attempt,)])
            time.sleep(pause_seconds)
            kill(worker)
        is_done = scene.ask(STATE) == [("applied",)]
        expected = MANY if is_done else 0
        assert scene.ask(ACCOUNTS) == scene.ask(HISTORY) == [(expected,)]
        if is_done:
            break
    with scene.worker():
        scene.wait_for(STATE, [("applied",)])
        scene.wait_for("select distinct state from jobs_job", [("done",)])
    assert scene.ask(ACCOUNTS) == scene.ask(HISTORY) == [(MANY,)]


@pytest.mark.night
@ON_ONE
def test_worker_killed_while_planning(scene: Scene) -> None:
    scene.prepare(["begin"], ["send", 0, SOME])
    with scene.worker() as worker:
        scene.wait_for(STATE, [("checking",)])
        kill(worker)
    assert scene.ask("select state from jobs_job") == [("running",)]
    with scene.worker():
        scene.wait_for(STATE, [("applied",)])
    assert scene.ask(ACCOUNTS) == [(SOME,)]


# On SQLite one of them waits until the other ends.
@pytest.mark.parametrize("scene", [*at_night("sqlite"), "postgresql"], indirect=True)
def test_two_workers_share_no_job(scene: Scene) -> None:
    scene.prepare(["begin"], ["send", 0, 1000], *(["send", 1000 + 35 * number, 35] for number in range(FILES)))
    with scene.worker(), scene.worker():
        scene.wait_for("select distinct state from runs_run", [("applied",)])
        scene.wait_for("select distinct state from jobs_job", [("done",)])
    assert scene.ask("select kind, count(*), max(attempts) from jobs_job group by kind order by kind") == [
        ("apply", FILES + 1, 1),
        ("plan", FILES + 1, 1),
    ]
    assert scene.ask(ACCOUNTS) == scene.ask(HISTORY) == [(1000 + 35 * FILES,)]


@pytest.mark.night
def test_worker_outlives_a_lost_database(tmp_path: Path, postgresql_url: str) -> None:
    scene = Scene(tmp_path, postgresql_url)
    scene.prepare(["begin"], ["send", 0, MANY])
    with scene.worker():
        scene.wait_for(APPLY_ATTEMPTS, [(1,)])
        scene.ask(
            "select pg_terminate_backend(pid) from pg_stat_activity where backend_type = 'client backend' "
            "and datname = current_database() and pid <> pg_backend_pid()"
        )
        scene.wait_for(STATE, [("applied",)])
    assert scene.ask(ACCOUNTS) == scene.ask(HISTORY) == [(MANY,)]


@pytest.mark.night
@ON_BOTH
def test_frozen_worker_is_replaced(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIS_SYNC_FROZEN_SECONDS", "2")
    scene.prepare(["begin"], ["send", 0, MANY])
    supervisor = scene.start("-m", "sis_sync", "worker", stdin=subprocess.DEVNULL)
    try:
        scene.wait_for(APPLY_ATTEMPTS, [(1,)])
        frozen = child_of(supervisor)
        os.kill(frozen, signal.SIGSTOP)
        if scene.ask(STATE) != [("applied",)]:
            scene.wait_for(APPLY_ATTEMPTS, [(2,)])
        scene.wait_for(STATE, [("applied",)])
        scene.wait_for("select distinct state from jobs_job", [("done",)])
    finally:
        kill(supervisor)
    assert scene.ask(ACCOUNTS) == scene.ask(HISTORY) == [(MANY,)]


@pytest.mark.night
def test_another_worker_takes_over(tmp_path: Path, postgresql_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIS_SYNC_FROZEN_SECONDS", "2")
    scene = Scene(tmp_path, postgresql_url)
    scene.prepare(["begin"], ["send", 0, MANY])
    with scene.worker() as frozen:
        scene.wait_for(APPLY_ATTEMPTS, [(1,)])
        frozen.send_signal(signal.SIGSTOP)
        with scene.worker():
            scene.wait_for(STATE, [("applied",)])
            scene.wait_for("select distinct state from jobs_job", [("done",)])
            frozen.send_signal(signal.SIGCONT)
            scene.prepare(["send", MANY, SOME])
            scene.wait_for("select count(*) from runs_run where state = 'applied'", [(2,)])
            scene.wait_for("select distinct state from jobs_job", [("done",)])
    assert scene.ask(ACCOUNTS) == scene.ask(HISTORY) == [(MANY + SOME,)]


@pytest.mark.night
@ON_BOTH
def test_no_work_folder_remains(scene: Scene) -> None:
    scene.prepare(["begin"], ["send", 0, SOME])
    with scene.worker() as worker:
        scene.wait_for(STATE, [("checking",)])
        kill(worker)
    with scene.worker():
        scene.wait_for("select distinct state from jobs_job", [("done",)])
    assert not list((scene.folder / "work").iterdir())
