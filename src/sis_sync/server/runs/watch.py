"""Watches a job from a second thread. Makes it give way if someone cancels its run, and shows that its worker lives."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from django.conf import settings
from django.db import DatabaseError, connection, connections

from sis_sync.core.stopping import StopSwitch, interruptible, stop_switch
from sis_sync.server.jobs.beat import BEATS_PER_LIMIT
from sis_sync.server.jobs.models import Job
from sis_sync.server.jobs.queue import beat
from sis_sync.server.runs.cancel import is_cancel_asked

logger = logging.getLogger(__name__)

LOOK_SECONDS = 0.25
# A statement that cannot be interrupted ends with its process. The next worker finds that the run was cancelled.
LEAVE_SECONDS = 8.0
CANCEL_SECONDS = 2.0


@contextmanager
def watched_job(job: Job, *, leave: Callable[[], None] | None = None) -> Iterator[None]:
    """Stop the work of the block, by Stopped or a database's or engine's own error, if its run is cancelled.

    `leave` ends this process: if the work goes on for 8 more seconds, or if another worker has taken the job over.
    """
    with stop_switch() as switch:
        watch = _Watch(job, switch, leave)
        thread = threading.Thread(target=watch.run, name="watch", daemon=True)
        thread.start()
        try:
            with interruptible(_interrupt_of_database()):
                yield
        finally:
            watch.is_done.set()
            thread.join()


@dataclass
class _Watch:
    job: Job
    switch: StopSwitch
    leave: Callable[[], None] | None
    is_done: threading.Event = field(default_factory=threading.Event)
    beaten_at: float = field(default_factory=time.monotonic)

    def run(self) -> None:
        try:
            while not is_cancel_asked(self.job.run_id):
                self._beat()
                if self.is_done.wait(LOOK_SECONDS):
                    return
            self._make_give_way()
        finally:
            connection.close()  # of this thread

    def _beat(self) -> None:
        """Record that this worker lives, if other workers could take its job over (PostgreSQL)."""
        is_due = time.monotonic() - self.beaten_at > settings.SIS_SYNC_FROZEN_SECONDS / BEATS_PER_LIMIT
        if self.leave is None or connection.vendor != "postgresql" or not is_due:
            return
        self.beaten_at = time.monotonic()
        try:
            if not beat(self.job) and not self.is_done.is_set():
                logger.warning("job %s was taken over by another worker, because this one was frozen", self.job.pk)
                self.leave()
        except DatabaseError as error:
            logger.warning("job %s: no sign of life could be recorded (%s)", self.job.pk, type(error).__name__)
            connection.close()

    def _make_give_way(self) -> None:
        leave_at = time.monotonic() + LEAVE_SECONDS
        while not self.is_done.is_set():
            self.switch.turn_on()
            if self.leave and time.monotonic() >= leave_at:
                self.leave()
            self.is_done.wait(LOOK_SECONDS)


def _interrupt_of_database() -> Callable[[], None]:
    """Return a function that interrupts the statement of this thread's database connection, from any thread."""
    own = connections["default"]  # of this thread: in the thread that interrupts, Django would return another one

    def interrupt() -> None:
        if own.connection is None:
            return
        if own.vendor == "postgresql":
            own.connection.cancel_safe(timeout=CANCEL_SECONDS)
        else:
            own.connection.interrupt()

    return interrupt
