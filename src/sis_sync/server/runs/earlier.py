"""The last applied runs of the same mode and scope. They show what is usual."""

from dataclasses import dataclass
from datetime import datetime

from sis_sync.core.plan import ABSENT_ACTIONS
from sis_sync.server.runs.models import Run

MOST_EARLIER = 14
LEAST_FOR_USUAL = 3  # with fewer runs, no one can say what is usual


@dataclass(frozen=True)
class EarlierRun:
    """An applied run with its counts. They include `leave`, the same name in all modes."""

    pk: int
    applied_at: datetime
    counts: dict[str, int]


@dataclass(frozen=True)
class Usual:
    """The smallest and the largest number of the earlier runs."""

    lowest: int
    highest: int

    def is_above(self, number: int) -> bool:
        """True if the number is larger than any before, and not by one or two people only."""
        return number > self.highest and number - self.highest > max(2, self.highest // 4)

    @property
    def words(self) -> str:
        """Return the range in words: 3 to 9."""
        return f"{self.lowest:,}" if self.lowest == self.highest else f"{self.lowest:,} to {self.highest:,}"


def earlier_runs(run: Run) -> tuple[EarlierRun, ...]:
    """Return the last applied runs before this one, the oldest first, without first imports."""
    found = Run.objects.filter(
        school_system=run.school_system_id,
        mode=run.mode,
        scope_org=run.scope_org_id,
        state=Run.State.APPLIED,
        applied_at__isnull=False,
        pk__lt=run.pk,
    ).order_by("-received_at", "-pk")
    rows = found.values_list("pk", "applied_at", "counts", "settings_used__first_import")[: MOST_EARLIER + 1]
    earlier = [EarlierRun(pk, at, with_leave(counts)) for pk, at, counts, is_first in rows if not is_first and at]
    return tuple(reversed(earlier[:MOST_EARLIER]))


def with_leave(counts: dict[str, int]) -> dict[str, int]:
    """Return the counts with `leave`, the number of absent accounts that are deleted or disabled."""
    return {**counts, "leave": sum(counts.get(action, 0) for action in ABSENT_ACTIONS)}


def usual(earlier: tuple[EarlierRun, ...], name: str) -> Usual | None:
    """Return the range of this count in the earlier runs, or None if there are too few."""
    if len(earlier) < LEAST_FOR_USUAL:
        return None
    numbers = [each.counts.get(name, 0) for each in earlier]
    return Usual(min(numbers), max(numbers))
