"""The rows of the table: a property, and the tries to break it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from reliability.stage import Stages

BOTH = ("sqlite", "postgresql")


@dataclass(frozen=True)
class Outcome:
    """What came of a try: how many faults were injected or files sent, and a sentence for each violation."""

    faults: int
    violations: tuple[str, ...] = ()


Try = Callable[[Stages], Outcome]


@dataclass(frozen=True)
class Row:
    """`claim` is what must hold, `tries` by their names."""

    name: str
    claim: str
    tries: Mapping[str, Try]
    databases: tuple[str, ...] = BOTH


def outcome(faults: int, **facts: bool) -> Outcome:
    """Return an outcome with a violation for each fact that is false. `_` in its name stands for a space."""
    return Outcome(faults, tuple(name.replace("_", " ") for name, is_so in facts.items() if not is_so))
