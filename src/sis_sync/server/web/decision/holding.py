"""What holds a run: the messages of its guards with the names of schools, and what they usually mean."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sis_sync.core.guards import USUAL_REASONS
from sis_sync.core.modes import TAKING_BACK
from sis_sync.server.runs.models import Run
from sis_sync.server.web.decision.slices import schools_named

OF_UNDO = "the run that it takes back changed as many people"  # the other reasons speak of a file, and an undo has none
MOST_AT_ONCE = 3  # messages; the others are folded
_AT_ORG = re.compile(r"\bat ([^\s,;()]+)")


@dataclass(frozen=True)
class Holding:
    """The messages of the guards that usually mean the same. `reason` is empty for a guard of an earlier version."""

    messages: tuple[str, ...]
    reason: str


@dataclass(frozen=True)
class Held:
    """A run with the codes and messages of its guards."""

    run: Run
    guards: tuple[tuple[str, str], ...]


def held_runs(runs: Sequence[Run]) -> list[Held]:
    """Return the runs of one school system with what holds each."""
    named = {external_id for run in runs for external_id in ids_in_messages(run)}
    names = {key: each.name for key, each in schools_named(runs[0].school_system_id, named).items()} if named else {}
    return [
        Held(run, tuple((hit["code"], with_school_names(hit["message"], names)) for hit in run.guards)) for run in runs
    ]


def holdings(run: Run, school_names: Mapping[str, str]) -> tuple[tuple[Holding, ...], tuple[Holding, ...]]:
    """Return what holds the run in the order of the guards: those that are shown at once, and the others."""
    by_reason: dict[str, list[str]] = {}
    for hit in run.guards:
        reason = OF_UNDO if run.mode in TAKING_BACK else USUAL_REASONS.get(hit["code"], "")
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
