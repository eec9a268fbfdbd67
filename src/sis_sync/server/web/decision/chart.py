"""The bar chart of the last runs: the numbers, and the place of each bar. The template draws it as SVG."""

from dataclasses import dataclass
from datetime import datetime

from sis_sync.core.modes import RUN_MODES
from sis_sync.server.runs.earlier import MOST_EARLIER, EarlierRun, with_leave
from sis_sync.server.runs.models import Run

WIDTH, HEIGHT = 300, 84
TOP = 16  # space for the number over a bar
STEP = WIDTH // (MOST_EARLIER + 1)
BAR = STEP - 6
LEAST_HEIGHT = 2


@dataclass(frozen=True)
class Bar:
    """One run with its number, and its bar. `run_id` is None for the plan that waits."""

    run_id: int | None
    at: datetime | None
    number: int
    x: int
    y: int
    height: int

    @property
    def right(self) -> int:
        """Where the number ends. It grows to the left, so that the edge of the picture never cuts it off."""
        return self.x + BAR

    @property
    def number_y(self) -> int:
        """The base line of the number over the bar."""
        return self.y - 4


@dataclass(frozen=True)
class Chart:
    """The bars of one count, the oldest first. The last is the plan that waits. `is_of_leavers`: it counts them."""

    title: str
    is_of_leavers: bool
    summary: str
    bars: tuple[Bar, ...]
    width: int = WIDTH
    height: int = HEIGHT
    bar_width: int = BAR


def chart_of(run: Run, earlier: tuple[EarlierRun, ...]) -> Chart | None:
    """Return the chart of the people who leave. In a mode that ignores absence, count those who are new or change.

    Return None if there is no earlier run.
    """
    if not earlier:
        return None
    is_of_leavers = RUN_MODES[run.mode].judges_absence
    names = ("leave",) if is_of_leavers else ("create", "restore", "update")
    numbers = [sum(each.counts.get(name, 0) for name in names) for each in earlier]
    today = sum(with_leave(run.counts).get(name, 0) for name in names)
    largest = max(*numbers, today, 1)
    placed = enumerate(zip(earlier, numbers, strict=True), start=MOST_EARLIER - len(earlier))
    bars = [_bar(number, largest, place, each) for place, (each, number) in placed]
    what = "People who left" if is_of_leavers else "People who changed or were new"
    low, high = min(numbers), max(numbers)
    before = f"{low:,}" if low == high else f"{low:,} to {high:,}"
    runs = f"the last {len(earlier):,} runs" if len(earlier) > 1 else "the last run"
    return Chart(
        title=f"{what}, {runs} and this one",
        is_of_leavers=is_of_leavers,
        summary=f"{what}: {before} in {runs}, {today:,} in this plan",
        bars=(*bars, _bar(today, largest, MOST_EARLIER, None)),
    )


def _bar(number: int, largest: int, place: int, earlier: EarlierRun | None) -> Bar:
    room = HEIGHT - TOP
    height = max(LEAST_HEIGHT, round(room * number / largest)) if number else 0
    return Bar(
        run_id=earlier.pk if earlier else None,
        at=earlier.applied_at if earlier else None,
        number=number,
        x=place * STEP + 3,
        y=HEIGHT - height,
        height=height,
    )
