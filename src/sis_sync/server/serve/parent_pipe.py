"""Ends a child process with its parent. A pipe from the parent closes when the parent ends, for whatever reason."""

import os
import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType

PARENT_WATCHED = "SIS_SYNC_PARENT_WATCHED"


def stop_with_parent(stop: Callable[[], None]) -> None:
    """Call `stop` from a thread once the parent has ended. Do nothing in a process that was started by hand."""
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
    """End this process at once, from any thread. Its transaction rolls back and its job is taken up again."""
    os._exit(0)
