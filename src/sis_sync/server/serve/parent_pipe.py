"""A child's end of the pipe from its parent: it closes when the parent is gone, however it went."""

import os
import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType

PARENT_WATCHED = "SIS_SYNC_PARENT_WATCHED"


def stop_with_parent(stop: Callable[[], None]) -> None:
    """Call `stop` from a thread once the parent is gone. Does nothing in a process that was started by hand."""
    if os.environ.get(PARENT_WATCHED) != "1":
        return

    def watch() -> None:
        while os.read(sys.stdin.fileno(), 1):
            pass
        stop()

    threading.Thread(target=watch, name="parent", daemon=True).start()


def exit_on_signals() -> None:
    """SIGTERM unwinds the main thread as Ctrl-C does, so that open transactions roll back and locks are freed."""

    def leave(number: int, _frame: FrameType | None) -> None:
        raise SystemExit(0)

    signal.signal(signal.SIGTERM, leave)
    signal.signal(signal.SIGINT, leave)


def end_process() -> None:
    """End this process at once, from any thread. What it was doing rolls back and is taken up again."""
    os._exit(0)
