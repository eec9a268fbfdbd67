"""Watches a job from a second thread: it gives way if its run is cancelled or it takes too long, and its worker lives.

A statement of the engine or the database is interrupted. Work that cannot be interrupted ends with its process.
"""

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
LEAVE_SECONDS = 8.0
CANCEL_SECONDS = 2.0


@dataclass
class JobWatch:
    """Watches one job. `leave` ends this process: if the work does not give way, or another worker took the job over.

    If the work takes longer than `seconds`, it must give way too, and `is_overdue` is set. Before the process ends for
    that reason, `end_overdue` is called, so that the next worker does not begin again.
    """

    job: Job
    leave: Callable[[], None] | None
    seconds: float
    end_overdue: Callable[[], None]
    is_overdue: bool = False
    switch: StopSwitch = field(default_factory=StopSwitch)
    is_done: threading.Event = field(default_factory=threading.Event)
    begun_at: float = field(default_factory=time.monotonic)
    beaten_at: float = field(default_factory=time.monotonic)

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Stop the work of the block, by Stopped or by an error of the database or engine, once it must give way."""
        thread = threading.Thread(target=self._run, name="watch", daemon=True)
        with stop_switch(self.switch), interruptible(_interrupt_of_database()):
            thread.start()
            try:
                yield
            finally:
                self.is_done.set()
                thread.join()

    def _run(self) -> None:
        try:
            while not self._must_give_way():
                self._beat()
                if self.is_done.wait(LOOK_SECONDS):
                    return
            self._make_give_way()
        finally:
            connection.close()  # of this thread

    def _must_give_way(self) -> bool:
        self.is_overdue = time.monotonic() - self.begun_at > self.seconds
        return self.is_overdue or is_cancel_asked(self.job.run_id)

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
                self._leave(self.leave)
            self.is_done.wait(LOOK_SECONDS)

    def _leave(self, leave: Callable[[], None]) -> None:
        """End the process, also if it cannot be recorded why. The attempt then counts as one that was killed."""
        try:
            if self.is_overdue:
                self.end_overdue()
        except Exception as error:
            logger.warning("job %s: that it takes too long was not recorded (%s)", self.job.pk, type(error).__name__)
        leave()


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
