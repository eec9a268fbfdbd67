"""Lets another thread stop the work of this one.

Work that may take long has stop points, and registers how to interrupt a statement that is running. Without a watcher
(the command line, a page) all of this does nothing.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar


class Stopped(Exception):
    """The work was stopped on purpose. This is no fault."""


class StopSwitch:
    """Stops the work of the thread that opened it with `stop_switch`."""

    def __init__(self) -> None:
        self.is_on = False
        self._interrupts: list[Callable[[], object]] = []
        self._lock = threading.Lock()

    def turn_on(self) -> None:
        """Make the next stop point raise Stopped, and interrupt what runs now. Call it again until the work ends."""
        self.is_on = True
        with self._lock:
            for interrupt in self._interrupts:
                with suppress(Exception):  # it ended meanwhile, or cannot be interrupted: the next stop point will do
                    interrupt()

    @contextmanager
    def interrupted_by(self, interrupt: Callable[[], object]) -> Iterator[None]:
        """Call `interrupt` if the switch is turned on while the block runs, and never after it."""
        with self._lock:
            self._interrupts.append(interrupt)
        try:
            yield
        finally:
            with self._lock:
                self._interrupts.remove(interrupt)


_switch: ContextVar[StopSwitch | None] = ContextVar("stop switch of this thread", default=None)


@contextmanager
def stop_switch(switch: StopSwitch) -> Iterator[None]:
    """Let another thread stop the work of this block with the switch."""
    token = _switch.set(switch)
    try:
        yield
    finally:
        _switch.reset(token)


@contextmanager
def interruptible(interrupt: Callable[[], object]) -> Iterator[None]:
    """While the block runs, let the thread's switch interrupt its statements. `interrupt` is called in that thread."""
    switch = _switch.get()
    if switch is None:
        yield
        return
    with switch.interrupted_by(interrupt):
        yield


def stop_point() -> None:
    """Raise Stopped if the work of this thread is to stop."""
    switch = _switch.get()
    if switch is not None and switch.is_on:
        raise Stopped
