"""A comparison: two processes that are measured alternately, and the figures of both."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sis_sync.bench.measure import Sample, WorkFailed, medians, run_measured


def _nothing() -> None:
    """Prepare nothing, as most processes need nothing."""


@dataclass(frozen=True)
class Process:
    """A command to start and measure.

    `make_ready` runs before each start and is not measured. `server` is the process ID of a PostgreSQL server whose CPU
    seconds count too.
    """

    label: str
    command: list[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    make_ready: Callable[[], None] = _nothing
    server: int | None = None

    def run(self) -> tuple[Sample, Any]:
        """Return the cost of one run and its answer."""
        self.make_ready()
        return run_measured(self.command, environment=dict(self.environment), server=self.server)


@dataclass(frozen=True)
class Comparison:
    """Our process next to a peer or a floor.

    `at_most` is the promised ratio of CPU seconds, None if nothing is promised. `memory_at_most` (MB) limits ours.
    Without a `peer`, ours is measured alone. `alike` names the counts that must be equal, so that both sides do the
    same work. `most_repeats` limits a comparison that takes long.
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
    """The samples of a comparison."""

    comparison: Comparison
    ours: tuple[Sample, ...]
    peer: tuple[Sample, ...]

    @property
    def ratio(self) -> float | None:
        """Return the median CPU seconds of ours divided by those of the peer; None without a peer."""
        return medians(list(self.ours)).cpu / medians(list(self.peer)).cpu if self.peer else None

    @property
    def is_kept(self) -> bool:
        """Return True if every promise of the comparison is kept."""
        asked = self.comparison
        ratio_holds = asked.at_most is None or self.ratio is None or self.ratio <= asked.at_most
        memory = medians(list(self.ours)).memory
        return ratio_holds and (asked.memory_at_most is None or memory <= asked.memory_at_most)

    def as_dict(self) -> dict[str, Any]:
        """Return the figures for JSON: seconds, and megabytes of 2^20 bytes."""
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
    """Run both sides alternately, `repeats` times. Raise WorkFailed if their counts differ."""
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
