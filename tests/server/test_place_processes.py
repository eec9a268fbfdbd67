"""Real processes whose disk is full or whose database is locked: each run waits, and no one gets a page for a bug."""

import resource
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import httpx
import pytest
from kit.rosters import roster, student
from kit.servers import Place, Scene, running_place, wait_until

pytestmark = pytest.mark.night

PLANNED = [("applied",), ("held",), ("waiting",)]
WAITS = "select distinct waits_for, attempts from jobs_job where waits_for <> ''"
MANY = 20_000  # their plan or, on SQLite, their accounts are larger than the small disk; their upload is sent before
SMALL_BYTES = 64 << 10
PAGES = ("/", "/members", "/bulk", "/bulk/history", "/bulk/pending", "/bulk/client", "/profile", "/sign-in")


@pytest.fixture(params=["sqlite", "postgresql"])
def scene(request: pytest.FixtureRequest, tmp_path: Path) -> Scene:
    url = str(request.getfixturevalue("postgresql_url")) if request.param == "postgresql" else ""
    return Scene(tmp_path, url)


@contextmanager
def no_file_grows(process_id: int, limit_bytes: int) -> Iterator[None]:
    """Let the process write no file beyond this size: to it, that is a disk without room."""
    before = resource.prlimit(process_id, resource.RLIMIT_FSIZE, (limit_bytes, resource.RLIM_INFINITY))
    yield
    resource.prlimit(process_id, resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("room_bytes", [0, SMALL_BYTES])
def test_run_waits_for_room_and_goes_on(scene: Scene, room_bytes: int) -> None:
    scene.prepare(["begin"])
    database = scene.folder / "sis-sync.sqlite3"
    limit_bytes = room_bytes and room_bytes + (0 if scene.url else database.stat().st_size)
    with scene.worker() as worker:
        with no_file_grows(worker.pid, limit_bytes):
            scene.prepare(["send", 0, MANY])
            if scene.url or room_bytes:  # otherwise not even the reason can be stored
                wait_until(lambda: bool(scene.ask(WAITS)))
                assert scene.ask(WAITS)[0][1] == 0
            # The limit is that of each file: beside a database on SQLite, a plan has the room that the accounts lack.
            stopped = ("applying",) if room_bytes and not scene.url else ("received", "checking")
            assert scene.ask("select state from runs_run")[0][0] in stopped
            assert worker.poll() is None
        wait_until(lambda: scene.ask("select state from runs_run")[0] in PLANNED)
        assert worker.poll() is None
    assert scene.ask("select max(attempts) from jobs_job where kind = 'plan'") == [(1,)]


def requests_of(place: Place) -> dict[str, Callable[[], httpx.Response]]:
    """The requests of a day by their names: reading, and an upload, which writes."""
    pages = place.manager.pages
    reading, uploading = (
        {"Authorization": f"Bearer {key}"} for key in (place.api_key, place.demo.key_file.read_text())
    )
    files = {"file": ("a.csv", roster(student("S1")))}
    found: dict[str, Callable[[], httpx.Response]] = {path: partial(pages.get, path) for path in PAGES}
    found |= {path: partial(pages.get, path, headers=reading) for path in ("/api/v1/ping", "/api/v1/runs")}
    found["upload"] = partial(
        pages.post, "/api/v1/runs?mode=partial", files=files, headers={**uploading, "Idempotency-Key": "k1"}
    )
    return found


def test_requests_while_another_process_writes(tmp_path: Path) -> None:
    with running_place(tmp_path, database_url="") as place:
        requests = requests_of(place)
        with sqlite3.connect(tmp_path / "server/sis-sync.sqlite3", isolation_level=None) as other:
            other.execute("BEGIN IMMEDIATE")
            with ThreadPoolExecutor(len(requests)) as pool:
                answers = dict(zip(requests, pool.map(lambda ask: ask(), requests.values()), strict=True))
            other.execute("ROLLBACK")  # after all have answered
        assert {name: answer.status_code for name, answer in answers.items()} == {
            **dict.fromkeys(requests, 200),
            "upload": 503,
        }
        assert answers["upload"].headers["Retry-After"] == "5"
        assert requests["upload"]().status_code == 202
