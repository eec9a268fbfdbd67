"""Real server processes for tests: each scene has its own data folder and database, and asks the database by itself."""

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

import psycopg

PATIENCE_SECONDS = 60
LOOK_SECONDS = 0.02


@dataclass(frozen=True)
class Scene:
    """A data folder and a database; `url` is empty for SQLite."""

    folder: Path
    url: str

    @property
    def environment(self) -> dict[str, str]:
        """What a process of this scene reads."""
        own = {"SIS_SYNC_DATA_FOLDER": str(self.folder), "SIS_SYNC_DATABASE_URL": self.url}
        paths = {"PYTHONPATH": str(Path(__file__).parent), "DJANGO_SETTINGS_MODULE": "sis_sync.server.settings"}
        return {**os.environ, **own, **paths}

    def start(self, *arguments: str, **options: Any) -> "subprocess.Popen[str]":
        """A Python process of this scene."""
        return subprocess.Popen([sys.executable, *arguments], env=self.environment, text=True, **options)

    def prepare(self, *steps: Any) -> list[Any]:
        """Run `server_scene.py` with these steps; what each of them answered."""
        command = [sys.executable, "-m", "server_scene", json.dumps(steps)]
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        answers: list[Any] = json.loads(done.stdout)
        return answers

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows that the database answers."""
        if self.url:
            with psycopg.connect(self.url) as connection:
                return connection.execute(sql.encode()).fetchall()
        with closing(sqlite3.connect(self.folder / "sis-sync.sqlite3", timeout=PATIENCE_SECONDS)) as connection:
            return connection.execute(sql).fetchall()

    def wait_for(self, sql: str, rows: list[tuple[Any, ...]]) -> None:
        """Return once the database answers so."""
        wait_until(lambda: self.ask(sql) == rows, f"{sql}: {rows}, but {self.ask(sql)}")

    @contextmanager
    def worker(self) -> Iterator["subprocess.Popen[str]"]:
        """A worker process; killed at the end if it still runs."""
        process = self.start("-m", "sis_sync.server.serve.work", stdin=subprocess.DEVNULL)
        try:
            yield process
        finally:
            kill(process)


def wait_until(is_so: Callable[[], bool], what: str = "") -> None:
    """Return once it is so. AssertionError if that does not happen."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not is_so():
        assert time.monotonic() < deadline, what
        time.sleep(LOOK_SECONDS)


def kill(process: "subprocess.Popen[str]") -> None:
    """End a process as a power cut would."""
    if process.poll() is None:
        process.send_signal(signal.SIGKILL)
    process.wait()
