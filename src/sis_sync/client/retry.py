"""Trying again: with growing pauses, as long as the server asks, and not longer than is allowed.

Our own loop and not stamina's: the pause must end at once when the client is asked to stop, and tests pass the clock.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from sis_sync.client.responses import TryLater
from sis_sync.core.wording import counted

Answered = TypeVar("Answered")
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 1.0, 300.0


@dataclass(frozen=True)
class Clock:
    """`now` gives aware UTC times. `pause` waits so many seconds and says whether the client was asked to stop."""

    now: Callable[[], datetime]
    pause: Callable[[float], bool]


Tell = Callable[[str], None]  # takes what a person should read while it is waited


def until_answered(
    call: Callable[[], Answered], *, max_minutes: int, clock: Clock, file_name: str, tell: Tell
) -> Answered:
    """What `call` returns; the last TryLater if the time is over or the client is asked to stop.

    Before each pause `tell` hears why the file of this name is not sent yet, and when the next try is.
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
            tell(f"{error.message} {file_name} is kept; the next try is in {_in_words(seconds)}.")
            if clock.pause(seconds):
                raise
            next_pause = min(next_pause * 2, _LONGEST_PAUSE_SECONDS)


def _in_words(seconds: float) -> str:
    return counted(max(1, round(seconds)), "second", "seconds")
