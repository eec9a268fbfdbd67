"""Rows about the place: a full disk, a locked database, a long write. A run waits and goes on; readers read."""

import os
import signal
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path

import httpx
import psycopg
from reliability.people import file_of, newcomers
from reliability.rows import Outcome, Row, outcome
from reliability.stage import Sender, Stage, Stages, frozen
from reliability.tactics import Sent

LOCKED_SECONDS = 20
DISK_MB = 192
WAITS = "select count(*) from jobs_job where waits_for <> ''"


@contextmanager
def small_disk() -> Iterator[Path]:
    """Yield a folder on a disk of its own. Only root may mount one."""
    with tempfile.TemporaryDirectory(prefix="sis-sync-disk-") as name:
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m", "tmpfs", name], check=True)
        try:
            yield Path(name)
        finally:
            subprocess.run(["umount", "--lazy", name], check=True)


def fill(folder: Path, *, left_bytes: int) -> Path:
    """Fill the disk of the folder but for so many bytes. Return the file that fills it."""
    disk = os.statvfs(folder)
    ballast = folder / "ballast"
    with ballast.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, max(1, disk.f_bavail * disk.f_frsize - left_bytes))
    return ballast


def full_disk(stages: Stages) -> Outcome:
    """Fill the disk of the server before a run is planned, and make room again."""
    with small_disk() as disk:
        stage = stages.new(disk)
        try:
            return _run_on_full_disk(stage, disk)
        finally:
            stage.stop()


def _run_on_full_disk(stage: Stage, disk: Path) -> Outcome:
    (system,) = stage.make_systems({"people": False})
    stage.start()
    sender, pages = Sender(stage, system["key"]), stage.browser(system)
    with frozen(stage.child("work")):
        run = sender.post(Sent("partial", file_of(newcomers(300)))).json()["id"]
        ballast = fill(disk, left_bytes=1 << 20)
    stage.scene.wait_for(WAITS, [(1,)])
    refused = sender.post(Sent("partial", file_of(newcomers(300))))
    seen = [pages.get(path).status_code for path in ("/", "/members", f"/runs/{run}")]
    ballast.unlink()
    return outcome(
        2,
        an_upload_is_refused_as_507_or_503=refused.status_code in (507, 503),
        the_refusal_says_when_to_come_again="Retry-After" in refused.headers,
        pages_answer=seen == [200, 200, 200],
        the_run_goes_on_by_itself=sender.settled(run)["state"] == "applied",
        an_upload_is_taken_again=sender.sync(Sent("partial", file_of(newcomers(1))))["state"] == "applied",
    )


@contextmanager
def locked_accounts(stage: Stage) -> Iterator[None]:
    """Let no other process write accounts while the block runs: as a long change, or a backup that locks."""
    if stage.scene.url:
        with psycopg.connect(stage.scene.url) as connection:
            connection.execute("LOCK TABLE accounts_account IN EXCLUSIVE MODE")
            yield
            connection.rollback()
        return
    path = stage.scene.folder / "sis-sync.sqlite3"
    with closing(sqlite3.connect(path, isolation_level=None, timeout=60)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("ROLLBACK")


def locked_database(stages: Stages) -> Outcome:
    """Lock the database while a run is to be applied. It is applied afterwards, once."""
    stage = stages.new()
    (system,) = stage.make_systems({"people": False})
    stage.start()
    sender = Sender(stage, system["key"])
    worker = stage.child("work")
    with frozen(worker):
        run = sender.post(Sent("partial", file_of(newcomers(300)))).json()["id"]
        with locked_accounts(stage):
            os.kill(worker, signal.SIGCONT)
            time.sleep(LOCKED_SECONDS)
    state = sender.settled(run)["state"]
    created = stage.scene.ask("select count(*) from audit_accountchange where action = 'create'")
    attempts = stage.scene.ask("select max(attempts) from jobs_job")
    return outcome(
        1,
        the_run_goes_on_by_itself=state == "applied",
        it_is_applied_once=created == [(300,)],
        no_attempt_is_lost=attempts == [(1,)],
    )


PLACE = Row(
    "place",
    "A full disk or a locked database makes a run wait, and it goes on by itself",
    {"locked database": locked_database} | ({"full disk": full_disk} if os.geteuid() == 0 else {}),
)


def readers(stages: Stages) -> Outcome:
    """Hold a long write. Whoever reads is answered meanwhile, and whoever writes is told when to come again."""
    stage = stages.new()
    (system,) = stage.make_systems({})
    stage.start()
    sender = Sender(stage, system["key"])
    run = sender.sync(Sent("partial", file_of(newcomers(3))))["id"]
    pages = stage.browser(system)
    sign_in = f"/sign-in/{system['slug']}"

    def wrong_password() -> httpx.Response:
        with httpx.Client(base_url=stage.url, timeout=60) as browser:
            page = browser.get(sign_in)
            token = page.cookies["csrftoken"]
            values = {"csrfmiddlewaretoken": token, "email": "nobody@x.example", "password": "wrong"}
            return browser.post(sign_in, data=values, headers={"Referer": stage.url + sign_in})

    paths = ("/", "/members", "/bulk/history", f"/runs/{run}")
    reads: list[Callable[[], httpx.Response]] = [partial(pages.get, path) for path in paths]
    reads += [partial(sender.http.get, f"/runs/{run}"), partial(sender.http.get, "/ping")]
    writes: list[Callable[[], httpx.Response]] = [wrong_password]
    writes += [partial(sender.post, Sent("partial", file_of(newcomers(3)))) for _ in range(10)]
    with locked_accounts(stage), ThreadPoolExecutor(len(reads) + len(writes)) as pool:
        written = [pool.submit(each) for each in writes]
        read = [pool.submit(each).result(timeout=LOCKED_SECONDS) for each in reads]
        answered = [each.result(timeout=LOCKED_SECONDS) for each in written]
    late = [answer for answer in answered if answer.status_code >= httpx.codes.INTERNAL_SERVER_ERROR]
    return outcome(
        len(read) + len(answered),
        **{f"readers_are_answered_while_it_lasts_(not_{_refused(read)})": not _refused(read)},
        writers_get_503_if_anything=all(answer.status_code == httpx.codes.SERVICE_UNAVAILABLE for answer in late),
        the_refusals_say_when_to_come_again=all("Retry-After" in answer.headers for answer in late),
        everything_goes_on_afterwards=sender.sync(Sent("partial", file_of(newcomers(1))))["state"] == "applied",
    )


def _refused(answers: list[httpx.Response]) -> str:
    """Return what did not come with 200."""
    refused = [answer for answer in answers if answer.status_code != httpx.codes.OK]
    return ", ".join(f"{answer.request.url.path}: {answer.status_code}" for answer in refused)


READERS = Row("readers", "While a long write lasts, readers read, and no one gets an error", {"long write": readers})
