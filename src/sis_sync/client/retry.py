"""Retry a call after a pause. Pauses grow, last at least as long as the server asks, and stop at the time limit.

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
Announce = Callable[[str], None]  # receives a message for a person during a pause

_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 1.0, 300.0


@dataclass(frozen=True)
class Clock:
    """`now` returns aware UTC times. `pause` waits some seconds and returns True if the client was asked to stop."""

    now: Callable[[], datetime]
    pause: Callable[[float], bool]


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
