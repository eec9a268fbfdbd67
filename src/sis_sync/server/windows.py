"""Counts per caller in the memory of the web process: what each name used in the last seconds, and when it has room.

Counts are kept in memory because an installation has one web process, and because counting must not wait for the
database. They use the monotonic clock: a wrong or corrected clock of the machine neither closes nor opens anything.
"""

import math
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable

# A window stores its amounts in this many steps, so that a caller costs little memory.
STEPS = 60
# Above this number, the names that were quiet for longest are forgotten.
MOST_NAMES = 50_000


def monotonic_seconds() -> float:
    """Return the clock of all windows. Tests replace it."""
    return time.monotonic()


class Window:
    """What each name used in the last `seconds`. A name is any text: a hash, an ID, a network address."""

    def __init__(self, *, seconds: float) -> None:
        self.seconds = seconds
        self._used: OrderedDict[str, deque[list[float]]] = OrderedDict()  # pairs of a time and an amount
        self._lock = threading.Lock()

    def take(self, name: str, *, most: float, amount: float = 1) -> float:
        """Count `amount` and return 0. If that would exceed `most`, count nothing and return the seconds to wait."""
        with self._lock:
            wait = self._wait(name, most, amount)
            if not wait:
                self._add(name, amount)
            return wait

    def wait(self, name: str, *, most: float, amount: float = 1) -> float:
        """Return the seconds until `take` would have room for `amount`, or 0. Count nothing."""
        with self._lock:
            return self._wait(name, most, amount)

    def add(self, name: str, amount: float = 1) -> None:
        """Count without a limit."""
        with self._lock:
            self._add(name, amount)

    def give_back(self, name: str, amount: float = 1) -> None:
        """Take back what was counted last."""
        with self._lock:
            steps = self._current(name)
            while steps and amount > 0:
                taken = min(amount, steps[-1][1])
                amount -= taken
                steps[-1][1] -= taken
                if not steps[-1][1]:
                    steps.pop()
            if not steps:
                self._used.pop(name, None)

    def total(self, name: str) -> float:
        """Return what the name used in the last `seconds`."""
        with self._lock:
            return sum(amount for _, amount in self._current(name))

    def forget(self, name: str) -> None:
        """Set the count of this name to 0."""
        with self._lock:
            self._used.pop(name, None)

    def clear(self) -> None:
        """Set all counts to 0."""
        with self._lock:
            self._used.clear()

    def _current(self, name: str) -> deque[list[float]]:
        steps = self._used.get(name) or deque()
        over_before = monotonic_seconds() - self.seconds
        while steps and steps[0][0] <= over_before:
            steps.popleft()
        return steps

    def _wait(self, name: str, most: float, amount: float) -> float:
        steps = self._current(name)
        too_much = sum(used for _, used in steps) + amount - most
        if too_much <= 0:
            return 0
        for moment, used in steps:
            too_much -= used
            if too_much <= 0:
                return max(moment + self.seconds - monotonic_seconds(), 0.001)
        return self.seconds  # more than fits at all

    def _add(self, name: str, amount: float) -> None:
        now, steps = monotonic_seconds(), self._current(name)
        if steps and now - steps[-1][0] < self.seconds / STEPS:
            steps[-1][1] += amount  # the step keeps its time: otherwise it would never end while more keeps coming
        else:
            steps.append([now, amount])
        self._used[name] = steps
        self._used.move_to_end(name)
        while len(self._used) > MOST_NAMES:
            self._used.popitem(last=False)


class Slots:
    """At most so many at once for each name."""

    def __init__(self) -> None:
        self._taken: dict[str, int] = {}
        self._lock = threading.Lock()

    def take(self, name: str, *, most: int) -> Callable[[], None] | None:
        """Take a slot and return the function that frees it, once however often it is called. None if all are taken."""
        with self._lock:
            if self._taken.get(name, 0) >= most:
                return None
            self._taken[name] = self._taken.get(name, 0) + 1
        is_free = threading.Event()

        def free() -> None:
            with self._lock:
                if is_free.is_set():
                    return
                is_free.set()
                self._taken[name] -= 1
                if not self._taken[name]:
                    del self._taken[name]

        return free

    def taken(self, name: str) -> int:
        """Return how many slots the name has."""
        with self._lock:
            return self._taken.get(name, 0)


HOLD = "sis_sync.hold"  # the name of a request's Hold in its WSGI environment


class Hold:
    """What a request holds from the time its headers are judged until it is answered.

    What it counted is given back, unless `settle` was called: if the body never arrives, or the server is at fault.
    While the web process asks about the headers, `is_asked` is true and there is no body. The application sets
    `is_allowed` if the body may be read.
    """

    def __init__(self) -> None:
        self.is_asked = self.is_allowed = False
        self._free: Callable[[], None] | None = None
        self._give_back: list[Callable[[], None]] = []

    @property
    def has_slot(self) -> bool:
        """Return True if the request has a slot."""
        return self._free is not None

    def keep(self, free: Callable[[], None]) -> None:
        """Hold a slot. `free` frees it."""
        self._free = free

    def counted(self, give_back: Callable[[], None]) -> None:
        """Remember how to give back what was counted for this request."""
        self._give_back.append(give_back)

    def settle(self) -> None:
        """Let everything count that was counted until now."""
        self._give_back.clear()

    def free(self) -> None:
        """Free the slot, if there is one, and give back what is not settled."""
        if self._free is not None:
            self._free()
        while self._give_back:
            self._give_back.pop()()


def whole_seconds(wait: float) -> int:
    """Return the wait as Retry-After states it: whole seconds, at least 1."""
    return max(1, math.ceil(wait))
