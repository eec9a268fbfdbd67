"""How long a person waits for a plan: FILE post|plan. Prints the seconds.

post: start a server, warm it up, then measure from sending FILE to the state "waiting". plan: in a warm process,
measure the planning of FILE alone.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sis_sync.bench.measure import Stopwatch, WorkFailed
from sis_sync.bench.work.server_place import APPROVER, WARMING_APPROVER
from sis_sync.bench.work.server_run import approver_named, receive, warm_up, warming_file
from sis_sync.client.api import Api, Upload, open_api
from sis_sync.client.api_key import Token
from sis_sync.client.config import Backend
from sis_sync.client.responses import RunStatus
from sis_sync.core.errors import ServerNotReached
from sis_sync.core.run_states import DECIDABLE, MOVING
from sis_sync.core.whole_files import sha256_of

LOOK_SECONDS = 0.02
PATIENCE_SECONDS = 600
CALLS_A_MINUTE = str(60 * 1000)  # more than are made while the server starts


def main() -> None:
    """Measure and print."""
    import django

    django.setup()
    file, way = Path(sys.argv[1]), sys.argv[2]
    sys.stdout.write(json.dumps({"post": seconds_from_post, "plan": seconds_of_planning}[way](file)))


def seconds_from_post(file: Path) -> dict[str, float]:
    """Return the seconds from sending the file to a server until its plan waits for a person."""
    with running_server() as url:
        with open_api(backend_of(url, WARMING_APPROVER), "bench") as api:
            send_and_wait(api, warming_file(), mode="partial")
        with open_api(backend_of(url, APPROVER), "bench") as api:
            watch = Stopwatch()
            run = send_and_wait(api, file, mode="full")
            return _seconds_of(watch, run.state)


def seconds_of_planning(file: Path) -> dict[str, float]:
    """Return the seconds of the job that plans the file, in a process that has planned another one before."""
    from sis_sync.server.runs.worker import work_once

    warm_up()
    run = receive(file, approver=approver_named(APPROVER))
    watch = Stopwatch()
    work_once()
    run.refresh_from_db()
    return _seconds_of(watch, run.state)


def _seconds_of(watch: Stopwatch, state: str) -> dict[str, float]:
    """Return the seconds until now. Raise WorkFailed if no plan waits for a person."""
    seconds = watch.seconds()
    if state not in DECIDABLE:
        raise WorkFailed(f"the run is {state}")
    return seconds


@contextmanager
def running_server() -> Iterator[str]:
    """Start `sis-sync serve` and yield its address. End it at the end."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "sis_sync", "serve", "--port", str(port)]
    environment = {**os.environ, "SIS_SYNC_CALLS_A_MINUTE": CALLS_A_MINUTE}
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            server.send_signal(signal.SIGTERM)


def backend_of(url: str, approver: str) -> Backend:
    """Return the server's address with a new key of the approver's school system."""
    from django.utils import timezone

    from sis_sync.server.keys.services import create_key, set_client_api

    who = approver_named(approver)
    set_client_api(school_system=who.school_system, enabled=True, actor=None, now=timezone.now())
    _, secret = create_key(school_system=who.school_system, org=who.org, name="bench", actor=None, now=timezone.now())
    return Backend(
        url=url,
        token=Token(secret, "bench"),
        ca_file=None,
        proxy="",
        timeout_seconds=PATIENCE_SECONDS,
        retry_max_minutes=1,
    )


def send_and_wait(api: Api, file: Path, *, mode: str) -> RunStatus:
    """Send the file, wait until the server takes no further step, and return the run.

    Look into the database: a call every LOOK_SECONDS would take half a processor from the server that is measured.
    """
    from sis_sync.server.runs.models import Run

    deadline = time.monotonic() + PATIENCE_SECONDS
    upload = Upload(
        path=file, file_name=file.name, mode=mode, sha256=sha256_of(file), idempotency_key=f"bench-{file.name}"
    )
    while True:
        try:
            run = api.post_run(upload)
            break
        except ServerNotReached:  # it is starting
            if time.monotonic() > deadline:
                raise
            time.sleep(LOOK_SECONDS)
    moving = Run.objects.filter(pk=int(run.id), state__in=MOVING)
    while moving.exists() and time.monotonic() < deadline:
        time.sleep(LOOK_SECONDS)
    return api.get_run(run.id)


if __name__ == "__main__":
    main()
