"""The verdict on a plan in one sentence, its sums as a row of numbers, and what holds it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from sis_sync.core.guards import GUARDS
from sis_sync.core.modes import RUN_MODES
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
USUAL_REASONS = {guard.code: guard.usual_reason for guard in GUARDS}
MOST_AT_ONCE = 3  # messages; the others are folded
_AT_ORG = re.compile(r"\bat ([^\s,;()]+)")
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


def _leaving_sentence(run: Run, number: int, sums: Sums | None) -> str:
    fate = "deleted" if run.counts.get("delete") else "disabled"
    one, many = MODE_PEOPLE[run.mode]
    if sums is None or not sums.base:  # a plan of an earlier version
        return f"{counted(number, one, many)} would be {fate}."
    return f"{number:,} of {counted(sums.base, one, many)} would be {fate} ({percent(number, sums.base)})."


@dataclass(frozen=True)
class Holding:
    """The messages of the guards that usually mean the same. `reason` is empty for a guard of an earlier version."""

    messages: tuple[str, ...]
    reason: str


def holdings(run: Run, school_names: Mapping[str, str]) -> tuple[tuple[Holding, ...], tuple[Holding, ...]]:
    """Return what holds the run in the order of the guards: those that are shown at once, and the others."""
    by_reason: dict[str, list[str]] = {}
    for hit in run.guards:
        reason = USUAL_REASONS.get(hit["code"], "")
        by_reason.setdefault(reason, []).append(with_school_names(hit["message"], school_names))
    found = tuple(Holding(tuple(messages), reason) for reason, messages in by_reason.items())
    at_once, number = 0, 0
    while at_once < len(found) and (not at_once or number + len(found[at_once].messages) <= MOST_AT_ONCE):
        number += len(found[at_once].messages)
        at_once += 1
    return found[:at_once], found[at_once:]


def with_school_names(message: str, names: Mapping[str, str]) -> str:
    """Return the message of a guard with the names of schools for their external IDs."""

    def named(found: re.Match[str]) -> str:
        plain = found[1].rstrip(".:")
        return f"at {names[plain]}{found[1][len(plain) :]}" if plain in names else found[0]

    return _AT_ORG.sub(named, message)


def ids_in_messages(run: Run) -> set[str]:
    """Return what may be the external IDs in the messages of the guards."""
    return {found.rstrip(".:") for hit in run.guards for found in _AT_ORG.findall(hit["message"])}
