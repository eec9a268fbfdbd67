"""Real processes for the rows: a server with its database in a folder of its own, and whoever calls it."""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

import httpx
from kit.servers import LOOK_SECONDS, Scene, kill, wait_until
from kit.services import find_binaries, make_database, running_cluster, url_of
from reliability.school_systems import PASSWORD
from reliability.tactics import Sent

from sis_sync.core.run_states import MOVING
from sis_sync.demo.place import free_port

PATIENCE_SECONDS = 300
HIDDEN = re.compile(r'name="(csrfmiddlewaretoken|digest)" value="([^"]*)"')


@dataclass
class Stage:
    """A scene whose server may run. `slugs` names its school systems."""

    scene: Scene
    settings: dict[str, str]
    port: int = field(default_factory=free_port)
    process: "subprocess.Popen[str] | None" = None
    slugs: Iterator[str] = field(default_factory=lambda: (f"system{number}" for number in count(1)))

    @property
    def url(self) -> str:
        """The address of the server."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """The environment of its processes."""
        return {**self.scene.environment, **self.settings}

    @property
    def log(self) -> Path:
        """What the server printed."""
        return self.scene.folder / "serve.log"

    def make_systems(self, *wanted: dict[str, Any]) -> list[dict[str, str]]:
        """Make a school system for each of these arguments of school_systems.make."""
        named = json.dumps([{"slug": next(self.slugs), **each} for each in wanted])
        command = [sys.executable, "-m", "reliability.school_systems", named]
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        made: list[dict[str, str]] = json.loads(done.stdout)
        return made

    def start(self, *arguments: str) -> Self:
        """Start the server, if it does not run, and wait until it answers."""
        if self.process is None or self.process.poll() is not None:
            command = [sys.executable, "-m", "sis_sync", "serve", "--port", str(self.port), *arguments]
            with self.log.open("ab") as log:
                self.process = subprocess.Popen(command, env=self.environment, stdout=log, stderr=log, text=True)
        wait_until(self.answers, "the server does not answer", seconds=PATIENCE_SECONDS)
        return self

    def answers(self) -> bool:
        """True if the sign-in page comes."""
        try:
            return httpx.get(f"{self.url}/sign-in", timeout=30).status_code < httpx.codes.INTERNAL_SERVER_ERROR
        except httpx.TransportError:
            return False

    def child(self, module: str) -> int:
        """Return the process ID of the server's web or work process, or 0 if there is none now."""
        assert self.process
        listed = subprocess.run(["ps", "-e", "-o", "pid=,ppid=,args="], capture_output=True, text=True, check=True)
        for line in listed.stdout.splitlines():
            pid, parent, command = line.split(None, 2)
            if int(parent) == self.process.pid and re.search(rf"serve\.{module}\b", command):
                return int(pid)
        return 0

    def kill(self, who: str) -> bool:
        """Kill the parent or a child by its module. Return False if it was not there."""
        pid = self.process.pid if who == "parent" and self.process else self.child(who)
        if not pid:
            return False
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            return False
        if who == "parent" and self.process:
            self.process.wait()
        return True

    def stop(self) -> None:
        """End the server."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                kill(self.process)

    def browser(self, system: dict[str, str]) -> httpx.Client:
        """Return a browser in which the system's manager is signed in."""
        pages = httpx.Client(base_url=self.url, timeout=60)
        address = f"/sign-in/{system['slug']}"
        values = {"email": system["manager"], "password": PASSWORD}
        hidden = dict(HIDDEN.findall(pages.get(address).text))
        answer = pages.post(address, data={**hidden, **values}, headers={"Referer": self.url + address})
        assert answer.status_code == httpx.codes.SEE_OTHER, answer.status_code
        return pages


class Sender:
    """Someone with an API key."""

    def __init__(self, stage: Stage, key: str) -> None:
        headers = {"Authorization": f"Bearer {key}"}
        self.http = httpx.Client(base_url=f"{stage.url}/api/v1", headers=headers, timeout=60)
        self.numbers = count(1)

    def post(self, sent: Sent, *, name: str = "people.csv", content: bytes | None = None) -> httpx.Response:
        """Send a file under a new idempotency key."""
        headers = {"Idempotency-Key": f"{os.getpid()}-{id(self)}-{next(self.numbers)}"}
        files = {"file": (name, sent.text.encode() if content is None else content)}
        return self.http.post(
            "/runs", params={"mode": sent.mode}, files=files, data={"mapping_lines": sent.mapping}, headers=headers
        )

    def sync(self, sent: Sent, **values: Any) -> dict[str, Any]:
        """Send a file and return its run as it settled, or the refusal of the call as the state."""
        answer = self.post(sent, **values)
        if answer.status_code != httpx.codes.ACCEPTED:
            return {"state": f"HTTP {answer.status_code}", "detail": answer.text[:200]}
        return self.settled(answer.json()["id"])

    def settled(self, run_id: int) -> dict[str, Any]:
        """Return the run once it does not move any more, or as it is after some minutes."""
        end = time.monotonic() + PATIENCE_SECONDS
        while True:
            answer = self.http.get(f"/runs/{run_id}")
            run: dict[str, Any] = answer.json()
            if (answer.is_success and run["state"] not in MOVING) or time.monotonic() > end:
                return run
            time.sleep(10 * LOOK_SECONDS)


class Stages:
    """Makes stages on one kind of database, and ends what still runs."""

    def __init__(self, database: str) -> None:
        self.database = database
        self.stack = ExitStack()
        self.numbers = count(1)
        self.cluster: str | None = None
        self._shared: Stage | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stack.close()

    def new(self, folder: Path | None = None, **settings: str) -> Stage:
        """Return a stage whose server does not run yet. It ends with the row."""
        folder = folder or Path(self.stack.enter_context(tempfile.TemporaryDirectory(prefix="sis-sync-stage-")))
        stage = Stage(Scene(folder, self.new_url()), settings)
        self.stack.callback(stage.stop)
        return stage

    def shared(self) -> Stage:
        """Return the stage with a running server that the tries of the row share."""
        if self._shared is None:
            self._shared = self.new()
            self._shared.make_systems()
        return self._shared.start()

    def new_url(self) -> str:
        """Return the URL of an empty database, empty itself for SQLite."""
        if self.database == "sqlite":
            return ""
        if self.cluster is None:
            binaries = find_binaries()
            assert binaries, "PostgreSQL is not installed"
            self.cluster = self.stack.enter_context(running_cluster(*binaries))
        folder, name = parse_qs(urlsplit(self.cluster).query)["host"][0], f"stage{next(self.numbers)}"
        make_database(folder, name)
        return url_of(folder, name)


@contextmanager
def frozen(pid: int) -> Iterator[None]:
    """Stop a process while the block runs."""
    assert pid, "there is no such process"  # 0 would be this one
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)
