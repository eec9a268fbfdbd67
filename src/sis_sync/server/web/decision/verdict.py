"""The verdict on a plan in one sentence, and its sums as a row of numbers."""

from dataclasses import dataclass

from sis_sync.core.modes import RUN_MODES, TAKING_BACK
from sis_sync.core.plan import CHANGING_ACTIONS
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
IGNORED_BY_UNDO = ("is left alone", "are left alone")  # a plan that takes a run back has no rows of a file
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
        before = usual(earlier, "leave")
        sentence = _leaving_sentence(run, number, sums)
        if before is None:
            return sentence
        return f"{sentence} Usually it is {before.words if before.highest else 'no one'}."
    changing = [tile for tile in TILES if tile[0] in CHANGING_ACTIONS and run.counts.get(tile[0])]
    # 9 people are new and 58 change: only the first names the people.
    nouns = (("person ", "people "), *[("", "")] * len(changing))
    changes = [
        counted(run.counts[name], f"{noun[0]}{one}", f"{noun[1]}{many}")
        for noun, (name, one, many) in zip(nouns, changing, strict=False)
    ]
    if not changes and run.passwords_of_existing:
        gets = counted(run.passwords_of_existing, "person gets", "people get")
        return f"{gets} the password of this file. Nothing else would change."
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
        if name == "ignored" and run.mode in TAKING_BACK:
            one, many = IGNORED_BY_UNDO
        before = usual(earlier, name)
        is_unusual = name != "unchanged" and before is not None and before.is_above(number)
        shown.append(Tile(name, number, one if number == 1 else many, before.words if before and is_unusual else ""))
    return tuple(shown)


def _leaving_sentence(run: Run, number: int, sums: Sums | None) -> str:
    fate = "deleted" if run.counts.get("delete") else "disabled"
    one, many = MODE_PEOPLE[run.mode]
    base = _base_of_guard(run, number) or (sums.base if sums else 0)
    if not base:  # a plan of an earlier version
        return f"{counted(number, one, many)} would be {fate}."
    return f"{number:,} of {counted(base, one, many)} would be {fate} ({percent(number, base)})."


def _base_of_guard(run: Run, number: int) -> int:
    """Return the base of the guard that counts these people, so that the page says one percentage. 0 without it."""
    for hit in run.guards:
        of_everyone = f"{number:,} of {counted(hit['base'], 'account', 'accounts')} ("  # a part would be named before (
        if hit["code"] == "guard.deletions" and hit["message"].startswith(of_everyone):
            return int(hit["base"])
    return 0
