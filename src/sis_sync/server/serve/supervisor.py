"""Keeps the child processes alive, and ends them when the parent ends.

A child that dies is restarted within a second. A worker that shows no sign of life is ended and restarted. Each child
has a pipe from its parent. The pipe closes when the parent ends for any reason, and then the child ends too.
"""

import logging
import os
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from sis_sync.core.errors import ConfigurationError

logger = logging.getLogger(__name__)

LOOK_SECONDS = 0.1
# Wait this long before restarting a child that dies at once.
RESPAWN_SECONDS = 0.5
# On a busy machine, a worker may need this long until its first sign of life.
START_SECONDS = 60.0
# If the parent itself was stopped, count no more than this of the time since its last look.
LONGEST_LOOK_SECONDS = 1.0
STOP_SECONDS = 5.0
CANNOT_LISTEN = 98  # the exit code of a web process whose address is in use
PARENT_WATCHED = "SIS_SYNC_PARENT_WATCHED"
# DuckDB plans a query with many small pieces of memory. glibc keeps 7 of each size for a thread; with 127, a small plan
# takes a little less time.
MANY_SMALL_PIECES = {"GLIBC_TUNABLES": "glibc.malloc.tcache_count=127"}


@dataclass
class Beat:
    """The sign of life of a process: a file that it touches every few seconds. It may be silent for `seconds`."""

    file: Path
    seconds: float
    touched_at: int
    has_begun: bool = False
    silence: float = 0.0
    looked_at: float = field(default_factory=time.monotonic)

    @classmethod
    def expected(cls, file: Path, seconds: float) -> "Beat | None":
        """Make the file and return the sign of life to expect. Return None if there is no room for the file."""
        try:
            file.parent.mkdir(mode=0o700, exist_ok=True)
            file.touch(mode=0o600)
            return cls(file, seconds, file.stat().st_mtime_ns)
        except OSError:
            return None

    def is_silent(self) -> bool:
        """Look at the file. Return True if the process has not touched it for too long."""
        now = time.monotonic()
        self.silence += min(now - self.looked_at, LONGEST_LOOK_SECONDS)
        self.looked_at = now
        # Compare the time of the file with the one before, not with the clock, which may be set.
        try:
            touched_at = self.file.stat().st_mtime_ns
        except OSError:
            touched_at = 0
        if touched_at != self.touched_at:
            self.touched_at, self.has_begun, self.silence = touched_at, True, 0.0
        return self.silence > (self.seconds if self.has_begun else max(self.seconds, START_SECONDS))


@dataclass
class Child:
    """A supervised process: the arguments to start it, and the running process.

    `make_beat` returns the sign of life that a new process shows. The process gets the path of the file.
    """

    name: str
    arguments: list[str]
    make_beat: Callable[[], Beat | None] | None = None
    process: "subprocess.Popen[bytes] | None" = None
    beat: Beat | None = None
    started_at: float = field(default=0.0)

    def start(self) -> None:
        """Start the process, with a pipe that closes when this parent ends."""
        self.started_at = time.monotonic()
        if self.process and self.process.stdin:
            self.process.stdin.close()
        self.beat = self.make_beat() if self.make_beat else None
        told = [str(self.beat.file)] if self.beat else []
        self.process = subprocess.Popen(
            [sys.executable, "-m", *self.arguments, *told],
            stdin=subprocess.PIPE,
            env={**MANY_SMALL_PIECES, **os.environ, PARENT_WATCHED: "1"},
        )

    def look_after(self) -> None:
        """Restart the process if it died or is frozen. Raise ConfigurationError if it cannot listen."""
        code = self.process.poll() if self.process else 0
        if code is None and self.beat and self.beat.is_silent():
            code = self._end_frozen(self.beat)
        if code is None or time.monotonic() - self.started_at < RESPAWN_SECONDS:
            return
        if code == CANNOT_LISTEN:
            raise ConfigurationError(
                "The address is in use, or this machine does not have it.", fix="Choose another --host or --port."
            )
        logger.warning("the %s process ended (%s) and is started again", self.name, code)
        self.start()

    def _end_frozen(self, beat: Beat) -> int:
        logger.warning("the %s process showed no sign of life for %.0f s and is ended", self.name, beat.silence)
        if self.process is None:
            return 0
        self.process.kill()
        code = self.process.wait()
        beat.file.unlink(missing_ok=True)
        return code

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
    from django.conf import settings

    from sis_sync.server.jobs.beat import beat_file

    def make_beat() -> Beat | None:
        return Beat.expected(beat_file(secrets.token_hex(4)), settings.SIS_SYNC_FROZEN_SECONDS)

    return Child("worker", ["sis_sync.server.serve.work"], make_beat)


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

    def leave(_number: int, _frame: FrameType | None) -> None:
        # Ctrl-C reaches the children and their parent, which then sends SIGTERM. It must not interrupt the unwinding.
        _on_both(signal.SIG_IGN)
        raise SystemExit(0)

    _on_both(leave)


def _on_both(handler: Callable[[int, FrameType | None], None] | signal.Handlers) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, handler)


def end_process() -> None:
    """End this process at once, from any thread. Its transaction rolls back and another worker resumes its job."""
    os._exit(0)
