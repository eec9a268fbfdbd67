"""Retry a call, or look at a run again, after a pause. Pauses grow, last as long as the server asks, and end in time.

We use no library for this: a pause must end at once if the client is asked to stop, and tests pass their own clock.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from sis_sync.client.responses import TryLater
from sis_sync.core.wording import counted

Answered = TypeVar("Answered")
Looked = TypeVar("Looked")
Announce = Callable[[str], None]  # receives a message for a person during a pause

_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 1.0, 300.0
# A server takes 60 calls a minute from a key, so looks at a run become rarer.
_FIRST_LOOK_SECONDS, _LONGEST_LOOK_SECONDS = 0.5, 5.0


@dataclass(frozen=True)
class Clock:
    """`now` returns aware UTC times. `pause` waits some seconds and returns True if the client was asked to stop."""

    now: Callable[[], datetime]
    pause: Callable[[float], bool]


def look_until(
    look: Callable[[], Looked], *, is_over: Callable[[Looked], bool], first: Looked, seconds: float, clock: Clock
) -> Looked:
    """Look until `is_over` is true for what was found, for at most `seconds`. Return what was found last.

    If the server asks to wait longer than the time that is left, return what was found before. Raise TryLater if the
    server does not answer until the end.
    """
    end = clock.now() + timedelta(seconds=seconds)
    found, pause, error = first, _FIRST_LOOK_SECONDS, None
    while not is_over(found) and clock.now() < end:
        wait = max(pause, (error.after_seconds or 0.0) if error else 0.0)
        if error and clock.now() + timedelta(seconds=wait) > end:
            break
        if clock.pause(wait):
            return found
        pause = min(pause + _FIRST_LOOK_SECONDS, _LONGEST_LOOK_SECONDS)
        try:
            found, error = look(), None
        except TryLater as again:
            error = again
    if error and not error.is_asked_to_wait:
        raise error
    return found


def until_answered(
    call: Callable[[], Answered], *, max_minutes: int, clock: Clock, file_name: str, announce: Announce
) -> Answered:
    """Call until there is an answer and return it. Raise the last TryLater when the time is over or on a stop.

    Before each pause, tell `announce` why the file is not sent yet and when the next attempt is.
    """
    end = clock.now() + timedelta(minutes=max_minutes)
    next_pause = _FIRST_PAUSE_SECONDS
    while True:
        try:
            return call()
        except TryLater as error:
            jittered = next_pause * random.uniform(0.5, 1.0)  # noqa: S311 - spreads clients, protects no secret
            seconds = max(jittered, error.after_seconds or 0.0)
            if clock.now() + timedelta(seconds=seconds) > end:
                raise
            pause = counted(max(1, round(seconds)), "second", "seconds")
            announce(f"{error.message} {file_name} is kept; the next try is in {pause}.")
            if clock.pause(seconds):
                raise
            next_pause = min(next_pause * 2, _LONGEST_PAUSE_SECONDS)
