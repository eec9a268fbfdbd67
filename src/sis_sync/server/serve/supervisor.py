"""Keeps the child processes alive, and ends them when the parent ends.

A child that dies is restarted within a second. Each child has a pipe from its parent. The pipe closes when the parent
ends for any reason, and then the child ends too.
"""

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType

from sis_sync.core.errors import ConfigurationError

logger = logging.getLogger(__name__)

LOOK_SECONDS = 0.1
# Restart a child that dies at once no more often than this.
RESPAWN_SECONDS = 0.5
STOP_SECONDS = 5.0
CANNOT_LISTEN = 98  # the exit code of a web process whose address is in use
PARENT_WATCHED = "SIS_SYNC_PARENT_WATCHED"


@dataclass
class Child:
    """A supervised process: the arguments to start it, and the running process."""

    name: str
    arguments: list[str]
    process: "subprocess.Popen[bytes] | None" = None
    started_at: float = field(default=0.0)

    def start(self) -> None:
        """Start the process, with a pipe that closes when this parent ends."""
        self.started_at = time.monotonic()
        self.process = subprocess.Popen(
            [sys.executable, "-m", *self.arguments],
            stdin=subprocess.PIPE,
            env={**os.environ, PARENT_WATCHED: "1"},
        )

    def look_after(self) -> None:
        """Restart the process if it died. Raise ConfigurationError if it ended because it cannot listen."""
        code = self.process.poll() if self.process else 0
        if code is None or time.monotonic() - self.started_at < RESPAWN_SECONDS:
            return
        if code == CANNOT_LISTEN:
            raise ConfigurationError(
                "The address is in use, or this machine does not have it.", fix="Choose another --host or --port."
            )
        logger.warning("the %s process ended (%s) and is started again", self.name, code)
        self.start()

    def stop(self, until: float) -> None:
        """Wait until a terminated process ends. Kill it at `until` (monotonic seconds)."""
        if self.process is None:
            return
        try:
            self.process.wait(max(0.0, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        if self.process.stdin:
            self.process.stdin.close()


def web_child(host: str, port: int) -> Child:
    """Return the web process, not started yet."""
    return Child("web", ["sis_sync.server.serve.web", host, str(port)])


def worker_child() -> Child:
    """Return the worker process, not started yet."""
    return Child("worker", ["sis_sync.server.serve.work"])


def supervise(children: list[Child], stop: threading.Event) -> None:
    """Start the children and keep them alive until `stop` is set. Then end them all."""
    try:
        for child in children:
            child.start()
        while not stop.wait(LOOK_SECONDS):
            for child in children:
                child.look_after()
    finally:
        _stop_all(children)


def _stop_all(children: Iterable[Child]) -> None:
    running = [child for child in children if child.process is not None]
    for child in running:
        if child.process and child.process.poll() is None:
            child.process.terminate()
    until = time.monotonic() + STOP_SECONDS
    for child in running:
        child.stop(until)


@contextmanager
def stop_on_signals() -> Iterator[threading.Event]:
    """Yield an event that SIGTERM and Ctrl-C set."""
    stop = threading.Event()

    def set_stop(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    earlier = {number: signal.signal(number, set_stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stop
    finally:
        for number, handler in earlier.items():
            signal.signal(number, handler)


def stop_with_parent(stop: Callable[[], None]) -> None:
    """Call `stop` from a thread when the parent ends. Do nothing if a person started the process."""
    if os.environ.get(PARENT_WATCHED) != "1":
        return

    def watch() -> None:
        while os.read(sys.stdin.fileno(), 1):
            pass
        stop()

    threading.Thread(target=watch, name="parent", daemon=True).start()


def exit_on_signals() -> None:
    """Make SIGTERM and Ctrl-C unwind the main thread, so that open transactions roll back and locks are freed."""

    def leave(number: int, _frame: FrameType | None) -> None:
        raise SystemExit(0)

    signal.signal(signal.SIGTERM, leave)
    signal.signal(signal.SIGINT, leave)


def end_process() -> None:
    """End this process at once, from any thread. Its transaction rolls back and another worker resumes its job."""
    os._exit(0)
