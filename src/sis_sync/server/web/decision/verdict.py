"""The verdict on a plan in one sentence, and its sums as a row of numbers."""

from dataclasses import dataclass

from sis_sync.core.modes import RUN_MODES
from sis_sync.core.wording import counted, percent
from sis_sync.server.runs.earlier import EarlierRun, usual, with_leave
from sis_sync.server.runs.models import Run
from sis_sync.server.runs.permission import leaving
from sis_sync.server.runs.sums import Sums
from sis_sync.server.web.words import MODE_PEOPLE

# The counts that are shown, with the words under the number for one and for several. The first is also the row's style.
TILES: tuple[tuple[str, str, str], ...] = (
    ("leave", "leaves", "leave"),
    ("create", "is new", "are new"),
    ("restore", "comes back", "come back"),
    ("update", "changes", "change"),
    ("unchanged", "stays as it is", "stay as they are"),
    ("failed", "row failed", "rows failed"),
    ("ignored", "row is ignored", "rows are ignored"),
)
ALWAYS_SHOWN = ("leave", "create", "update", "unchanged")


@dataclass(frozen=True)
class Tile:
    """One number of the plan. `usual` is its range in the earlier runs in words, if the number is outside of it."""

    name: str
    number: int
    words: str
    usual: str = ""


def verdict(run: Run, sums: Sums | None, earlier: tuple[EarlierRun, ...]) -> str:
    """Return what approving would do, in one sentence, followed by what is usual."""
    number = leaving(run)
    if number:
        return f"{_leaving_sentence(run, number, sums)} {_usual_words(earlier)}".strip()
    changes = [
        _change_words(run.counts[name], one, many, place) for place, (name, one, many) in enumerate(_changing(run))
    ]
    if not changes:
        failed = run.counts.get("failed", 0)
        rows = counted(run.counts.get("rows", 0), "row", "rows")
        return f"Nothing would change: {failed:,} of {rows} failed." if failed else "Nothing would change."
    listed = f"{', '.join(changes[:-1])} and {changes[-1]}" if len(changes) > 1 else changes[0]
    return f"No one leaves: {listed}." if RUN_MODES[run.mode].judges_absence else f"{listed}."


def tiles(run: Run, earlier: tuple[EarlierRun, ...]) -> tuple[Tile, ...]:
    """Return the numbers of the plan, people who leave first. Rare ones are shown only if they are not 0."""
    counts = with_leave(run.counts)
    shown = []
    for name, one, many in TILES:
        number = counts.get(name, 0)
        if not number and (name not in ALWAYS_SHOWN or (name == "leave" and not RUN_MODES[run.mode].judges_absence)):
            continue
        before = usual(earlier, name)
        is_unusual = name != "unchanged" and before is not None and before.is_above(number)
        shown.append(Tile(name, number, one if number == 1 else many, before.words if before and is_unusual else ""))
    return tuple(shown)


def _changing(run: Run) -> list[tuple[str, str, str]]:
    return [tile for tile in TILES if tile[0] in ("create", "restore", "update") and run.counts.get(tile[0])]


def _change_words(number: int, one: str, many: str, place: int) -> str:
    """Return 9 people are new for the first change, and 58 change for the others."""
    if place == 0:
        return counted(number, f"person {one}", f"people {many}")
    return counted(number, one, many)


def _leaving_sentence(run: Run, number: int, sums: Sums | None) -> str:
    fate = "deleted" if run.counts.get("delete") else "disabled"
    one, many = MODE_PEOPLE[run.mode]
    if sums is None or not sums.base:  # a plan of an earlier version
        return f"{counted(number, one, many)} would be {fate}."
    return f"{number:,} of {counted(sums.base, one, many)} would be {fate} ({percent(number, sums.base)})."


def _usual_words(earlier: tuple[EarlierRun, ...]) -> str:
    before = usual(earlier, "leave")
    if before is None:
        return ""
    return f"Usually it is {before.words}." if before.highest else "Usually it is no one."
