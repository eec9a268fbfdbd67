"""Real server processes for tests. Each scene has its own data folder and database, and queries the database itself."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psycopg

from sis_sync.demo.manager import DemoManager
from sis_sync.demo.people import export_of_day
from sis_sync.demo.place import DemoPlace, free_port, write_properties

PATIENCE_SECONDS = 60
LOOK_SECONDS = 0.02
PREPARE = """
import django, json
django.setup()
from dataclasses import asdict
from sis_sync.demo.prepare import prepare_demo
from sis_sync.server.serve.setup_commands import migrate
migrate()
print(json.dumps(asdict(prepare_demo())))
"""


@dataclass(frozen=True)
class Scene:
    """A data folder and a database. `url` is empty for SQLite."""

    folder: Path
    url: str

    @property
    def environment(self) -> dict[str, str]:
        """The environment of a process of this scene."""
        own = {
            "SIS_SYNC_CALLS_A_MINUTE": "6000",
            "SIS_SYNC_DATA_FOLDER": str(self.folder),
            "SIS_SYNC_DATABASE_URL": self.url,
        }
        # The path of this process too: it may test another copy of the source.
        path = os.pathsep.join([str(Path(__file__).parent.parent), os.environ.get("PYTHONPATH", "")])
        return {**os.environ, **own, "PYTHONPATH": path, "DJANGO_SETTINGS_MODULE": "sis_sync.server.settings"}

    def start(self, *arguments: str, **options: Any) -> "subprocess.Popen[str]":
        """Start a Python process of this scene."""
        return subprocess.Popen([sys.executable, *arguments], env=self.environment, text=True, **options)

    def prepare(self, *steps: Any) -> list[Any]:
        """Run `kit/scene.py` with these steps. Return what each of them returned."""
        command = [sys.executable, "-m", "kit.scene", json.dumps(steps)]
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        answers: list[Any] = json.loads(done.stdout)
        return answers

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        """Return the rows of a query."""
        if self.url:
            with psycopg.connect(self.url) as connection:
                return connection.execute(sql.encode()).fetchall()
        with closing(sqlite3.connect(self.folder / "sis-sync.sqlite3", timeout=PATIENCE_SECONDS)) as connection:
            return connection.execute(sql).fetchall()

    def wait_for(self, sql: str, rows: list[tuple[Any, ...]]) -> None:
        """Wait until the query returns these rows."""
        wait_until(lambda: self.ask(sql) == rows, f"{sql}: {rows}, but {self.ask(sql)}")

    @contextmanager
    def worker(self) -> Iterator["subprocess.Popen[str]"]:
        """Start a worker process. Kill it at the end if it still runs."""
        process = self.start("-m", "sis_sync.server.serve.work", stdin=subprocess.DEVNULL)
        try:
            yield process
        finally:
            kill(process)


def wait_until(is_so: Callable[[], bool], what: str = "", *, seconds: float = PATIENCE_SECONDS) -> None:
    """Wait until the condition is true. Raise AssertionError after a minute, or after other `seconds`."""
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, what
        time.sleep(LOOK_SECONDS)


def kill(process: "subprocess.Popen[str]") -> None:
    """End a process as a power cut would."""
    if process.poll() is None:
        process.send_signal(signal.SIGKILL)
    process.wait()


@dataclass(frozen=True)
class Place:
    """A running server, its manager, and the folder that the client watches."""

    demo: DemoPlace
    manager: DemoManager
    api_key: str
    environment: dict[str, str]

    @property
    def exports(self) -> Path:
        return self.demo.exports

    def export(self, day: int) -> Path:
        path = self.exports / f"lakeview-day{day}.csv"
        path.write_text(export_of_day(day), encoding="utf-8", newline="")
        return path

    def run_client(self) -> "subprocess.CompletedProcess[str]":
        """Run the client until the file is gone. It takes a file at the second look at the earliest."""
        command = [sys.executable, "-m", "sis_sync", "run", "--config", str(self.demo.properties)]
        for _ in range(20):
            done = subprocess.run(command, capture_output=True, text=True, env=self.environment, check=False)
            if done.returncode not in (0, 7) or not list(self.exports.glob("*.csv")):
                return done
        raise AssertionError(f"the client did not take the file: {done.stdout} {done.stderr}")

    def send(self, day: int) -> dict[str, Any]:
        self.export(day)
        done = self.run_client()
        assert done.returncode in (0, 7), done.stderr
        newest = self.manager.newest_run()
        assert newest is not None
        return self.manager.wait_for_decision(newest["id"])

    def sync(self, day: int) -> dict[str, Any]:
        """Send the export of a day, approve it if it waits, and return the run as it ended."""
        run = self.send(day)
        if run["state"] in ("waiting", "held"):
            self.manager.approve(run)
            run = self.manager.wait_for_decision(run["id"])
        return run

    def count_accounts(self) -> int:
        code = (
            "import django; django.setup();"
            "from sis_sync.server.accounts.models import Account;"
            "print(Account.objects.filter(deleted_at=None).count())"
        )
        return int(subprocess.check_output([sys.executable, "-c", code], env=self.environment, text=True))

    def results(self, run_id: int) -> str:
        answer = httpx.get(
            f"{self.demo.url}/api/v1/runs/{run_id}/results.csv", headers={"Authorization": f"Bearer {self.api_key}"}
        )
        return answer.raise_for_status().text


@contextmanager
def running_place(folder: Path, *, database_url: str) -> Iterator[Place]:
    demo = DemoPlace(folder, free_port())
    demo.exports.mkdir()
    environment = {
        **os.environ,
        "SIS_SYNC_DATA_FOLDER": str(folder / "server"),
        "SIS_SYNC_DATABASE_URL": database_url,
        "SIS_SYNC_CALLS_A_MINUTE": "6000",  # tests look at a run many times a second
        "DJANGO_SETTINGS_MODULE": "sis_sync.server.settings",
    }
    access = json.loads(subprocess.check_output([sys.executable, "-c", PREPARE], env=environment, text=True))
    write_properties(demo, access["api_key"])
    with (folder / "serve.log").open("wb") as log:
        command = [sys.executable, "-m", "sis_sync", "serve", "--port", str(demo.port)]
        server = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        with DemoManager(demo.url, access["reading_key"]) as manager:
            manager.wait_for_server()
            manager.sign_in(access["email"], access["password"])
            yield Place(demo, manager, access["reading_key"], environment)
    finally:
        server.terminate()
        server.wait(30)
