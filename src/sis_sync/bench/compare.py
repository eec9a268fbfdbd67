"""Two processes measured in turn, and what came of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sis_sync.bench.measure import Sample, WorkFailed, medians, run_measured


def _nothing() -> None:
    """Most processes need nothing made ready."""


@dataclass(frozen=True)
class Process:
    """What is started and measured. `make_ready` runs before each time, unmeasured; `server` is a PostgreSQL's PID."""

    label: str
    command: list[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    make_ready: Callable[[], None] = _nothing
    server: int | None = None

    def run(self) -> tuple[Sample, Any]:
        """What one run cost, and what it answered."""
        self.make_ready()
        return run_measured(self.command, environment=dict(self.environment), server=self.server)


@dataclass(frozen=True)
class Comparison:
    """Ours beside a peer or a floor. `at_most` is the promised ratio of CPU seconds, None where none is promised.

    `memory_at_most` in MB is for ours. Without a `peer` ours is measured alone. `alike` names the counts in which both
    must come to the same: a peer that does other work is no peer. `most_repeats`: enough for one that takes long.
    """

    name: str
    title: str
    rows: int
    ours: Process
    peer: Process | None = None
    at_most: float | None = None
    memory_at_most: float | None = None
    alike: tuple[str, ...] = ()
    most_repeats: int | None = None


@dataclass(frozen=True)
class Outcome:
    """The medians of a comparison; the ratio is ours to the peer's in CPU seconds."""

    comparison: Comparison
    ours: tuple[Sample, ...]
    peer: tuple[Sample, ...]

    @property
    def ratio(self) -> float | None:
        """How many times the peer's CPU seconds ours took."""
        return medians(list(self.ours)).cpu / medians(list(self.peer)).cpu if self.peer else None

    @property
    def is_kept(self) -> bool:
        """Whether every promise of the comparison held."""
        asked = self.comparison
        ratio_holds = asked.at_most is None or self.ratio is None or self.ratio <= asked.at_most
        memory = medians(list(self.ours)).memory
        return ratio_holds and (asked.memory_at_most is None or memory <= asked.memory_at_most)

    def as_dict(self) -> dict[str, Any]:
        """For JSON: seconds, and megabytes of 2^20 bytes."""
        asked = self.comparison
        return {
            "name": asked.name,
            "title": asked.title,
            "rows": asked.rows,
            "repeats": len(self.ours),
            "ours": _figures(asked.ours.label, self.ours),
            "peer": _figures(asked.peer.label, self.peer) if asked.peer else None,
            "ratio": None if self.ratio is None else round(self.ratio, 3),
            "at_most": asked.at_most,
            "memory_at_most_mb": asked.memory_at_most,
            "kept": self.is_kept,
        }


def _figures(label: str, samples: tuple[Sample, ...]) -> dict[str, Any]:
    middle = medians(list(samples))
    return {
        "label": label,
        "cpu_seconds": round(middle.cpu, 3),
        "wall_seconds": round(middle.wall, 3),
        "memory_mb": round(middle.memory),
        "every_cpu_seconds": [round(each.cpu, 3) for each in samples],
    }


def compare(comparison: Comparison, repeats: int) -> Outcome:
    """Run both in turn so many times. WorkFailed where they came to different counts."""
    ours, peer = [], []
    for _ in range(min(repeats, comparison.most_repeats or repeats)):
        sample, answer = comparison.ours.run()
        ours.append(sample)
        if comparison.peer:
            sample, other = comparison.peer.run()
            peer.append(sample)
            _assert_alike(comparison, answer, other)
    return Outcome(comparison, tuple(ours), tuple(peer))


def _assert_alike(comparison: Comparison, ours: Any, peer: Any) -> None:
    for name in comparison.alike:
        if ours["counts"][name] != peer["counts"][name]:
            raise WorkFailed(
                f"{comparison.name}: {name} is {ours['counts'][name]} for ours and {peer['counts'][name]} for the other"
            )
