"""Compare two processes: run them alternately and return the figures of both."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from operator import attrgetter
from typing import Any, Literal

from sis_sync.bench.measure import Sample, WorkFailed, medians, run_measured


def _nothing() -> None:
    """Prepare nothing, because most processes need no preparation."""


@dataclass(frozen=True)
class Process:
    """A command to start and measure.

    `make_ready` runs before each start and is not measured. `server` is the process ID of a PostgreSQL server whose CPU
    seconds count too. `times_itself`: the process prints the `cpu` and `wall` seconds of the part that counts, because
    what comes before makes it warm.
    """

    label: str
    command: list[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    make_ready: Callable[[], None] = _nothing
    server: int | None = None
    times_itself: bool = False

    def run(self) -> tuple[Sample, Any]:
        """Return the cost of one run and its answer."""
        self.make_ready()
        sample, answer = run_measured(self.command, environment=dict(self.environment), server=self.server)
        if self.times_itself:
            sample = replace(sample, cpu=answer["cpu"], wall=answer["wall"])
        return sample, answer


@dataclass(frozen=True)
class Comparison:
    """Our process and the peer or floor that it is compared with.

    `max_ratio` is the promised ratio, None if nothing is promised. It is of CPU seconds, or of wall seconds (`seconds`)
    if a person waits meanwhile. `max_memory_mb` is the promised peak memory of ours. Without a `peer`, only ours is
    measured. `alike` names the counts that must be equal, to show that both sides do the same work. `max_repeats`
    limits a comparison that takes long.
    """

    name: str
    title: str
    rows: int
    ours: Process
    peer: Process | None = None
    max_ratio: float | None = None
    seconds: Literal["cpu", "wall"] = "cpu"
    max_memory_mb: float | None = None
    alike: tuple[str, ...] = ()
    max_repeats: int | None = None


@dataclass(frozen=True)
class Outcome:
    """The samples of a comparison."""

    comparison: Comparison
    ours: tuple[Sample, ...]
    peer: tuple[Sample, ...]

    @property
    def ratio(self) -> float | None:
        """Return our median seconds divided by the peer's, or None without a peer."""
        if not self.peer:
            return None
        seconds = attrgetter(self.comparison.seconds)
        ratio: float = seconds(medians(list(self.ours))) / seconds(medians(list(self.peer)))
        return ratio

    @property
    def is_kept(self) -> bool:
        """Return True if the ratio and the memory are within the promised limits."""
        asked = self.comparison
        is_ratio_kept = asked.max_ratio is None or self.ratio is None or self.ratio <= asked.max_ratio
        memory = medians(list(self.ours)).memory
        return is_ratio_kept and (asked.max_memory_mb is None or memory <= asked.max_memory_mb)

    def as_dict(self) -> dict[str, Any]:
        """Return the figures for JSON, in seconds and in megabytes of 2^20 bytes."""
        asked = self.comparison
        return {
            "name": asked.name,
            "title": asked.title,
            "rows": asked.rows,
            "repeats": len(self.ours),
            "ours": _figures(asked.ours.label, self.ours),
            "peer": _figures(asked.peer.label, self.peer) if asked.peer else None,
            "ratio": None if self.ratio is None else round(self.ratio, 3),
            "ratio_of": asked.seconds,
            "at_most": asked.max_ratio,
            "memory_at_most_mb": asked.max_memory_mb,
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
    for _ in range(min(repeats, comparison.max_repeats or repeats)):
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
