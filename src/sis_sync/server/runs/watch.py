"""Watches a job from a second thread, and makes it give way if someone cancels its run."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.db import connections

from sis_sync.core.stopping import StopSwitch, interruptible, stop_switch
from sis_sync.server.runs.cancel import is_cancel_asked

LOOK_SECONDS = 0.25
# A statement that cannot be interrupted ends with its process. The next worker finds that the run was cancelled.
LEAVE_SECONDS = 8.0
CANCEL_SECONDS = 2.0


@contextmanager
def watched_job(run_id: int, *, leave: Callable[[], None] | None = None) -> Iterator[None]:
    """Stop the work of the block, by Stopped or a database's or engine's own error, if its run is cancelled.

    If the work goes on for 8 more seconds, call `leave`, which ends the process.
    """
    is_done = threading.Event()
    with stop_switch() as switch:
        thread = threading.Thread(target=_watch, args=(run_id, switch, is_done, leave), name="watch", daemon=True)
        thread.start()
        try:
            with interruptible(_interrupt_of_database()):
                yield
        finally:
            is_done.set()
            thread.join()


def _watch(run_id: int, switch: StopSwitch, is_done: threading.Event, leave: Callable[[], None] | None) -> None:
    while not is_cancel_asked(run_id):
        if is_done.wait(LOOK_SECONDS):
            return
    leave_at = time.monotonic() + LEAVE_SECONDS
    while not is_done.is_set():
        switch.turn_on()
        if leave and time.monotonic() >= leave_at:
            leave()
        is_done.wait(LOOK_SECONDS)


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
