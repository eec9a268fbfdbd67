"""Retry: another attempt after a pause. Pauses grow, are at least what the server asks, and end with the time allowed.

Our own loop and not a library's: the pause must end at once if the client is asked to stop, and tests pass the clock.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from sis_sync.client.responses import TryLater
from sis_sync.core.wording import counted

Answered = TypeVar("Answered")
Announce = Callable[[str], None]  # takes a sentence that a person should read during a pause

_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 1.0, 300.0


@dataclass(frozen=True)
class Clock:
    """`now` returns aware UTC times. `pause` waits so many seconds and returns True if the client was asked to stop."""

    now: Callable[[], datetime]
    pause: Callable[[float], bool]


def until_answered(
    call: Callable[[], Answered], *, max_minutes: int, clock: Clock, file_name: str, announce: Announce
) -> Answered:
    """Call until there is an answer and return it. Raise the last TryLater once the time is over or on a stop.

    Before each pause, `announce` gets why the file of this name is not sent yet and when the next attempt is.
    """
    end = clock.now() + timedelta(minutes=max_minutes)
    next_pause = _FIRST_PAUSE_SECONDS
    while True:
        try:
            return call()
        except TryLater as error:
            jittered = next_pause * random.uniform(0.5, 1.0)  # noqa: S311 - spreads clients, guards no secret
            seconds = max(jittered, error.after_seconds or 0.0)
            if clock.now() + timedelta(seconds=seconds) > end:
                raise
            pause = counted(max(1, round(seconds)), "second", "seconds")
            announce(f"{error.message} {file_name} is kept; the next try is in {pause}.")
            if clock.pause(seconds):
                raise
            next_pause = min(next_pause * 2, _LONGEST_PAUSE_SECONDS)
