"""Makes an input that shows a fault smaller, as long as it shows the same fault."""

import time
from collections.abc import Callable

from fuzz.inputs import FILES, Input

MOST_TRIES = 300
MOST_SECONDS = 120


def made_smaller(found: Input, shows_fault: Callable[[Input], bool]) -> Input:
    """The smallest input found in two minutes, and in a few hundred tries for each of its files."""
    end = time.monotonic() + MOST_SECONDS
    for name in FILES:
        empty = found.with_file(name, b"")
        is_needed = not shows_fault(empty)
        found = _smaller_file(found, name, shows_fault, end) if is_needed else empty
    return found


def _smaller_file(found: Input, name: str, shows_fault: Callable[[Input], bool], end: float) -> Input:
    """Pieces are taken out, halves first, then ever smaller ones."""
    tries, size = 0, len(getattr(found, name)) // 2
    while size and tries < MOST_TRIES:
        place = 0
        while place < len(data := getattr(found, name)) and tries < MOST_TRIES and time.monotonic() < end:
            other = found.with_file(name, data[:place] + data[place + size :])
            tries += 1
            if shows_fault(other):
                found = other
            else:
                place += size
        size //= 2
    return found
