"""How a run's state moves: by compare-and-set only, so that of two who try, one wins."""

from collections.abc import Iterable
from typing import Any

from sis_sync.server.runs.models import Run

State = Run.State
DECIDABLE = (State.WAITING, State.HELD)
# A run in one of these has a plan that came after those of older files of its mode.
PLANNED = (*DECIDABLE, State.APPROVED, State.APPLYING, State.APPLIED)
TO_PLAN = (State.RECEIVED, State.CHECKING, State.OUT_OF_DATE)
TO_APPLY = (State.APPROVED, State.APPLYING)

# Nothing more becomes of these.
CLOSED = (State.REFUSED, State.APPLIED, State.REJECTED, State.SUPERSEDED, State.EXPIRED, State.FAILED)

CLOSED_WORDS: dict[str, str] = {
    State.RECEIVED: "It has not been checked yet.",
    State.CHECKING: "It is being checked.",
    State.REFUSED: "Its file was refused.",
    State.APPROVED: "It was approved before.",
    State.APPLYING: "It is being applied.",
    State.APPLIED: "It was applied before.",
    State.REJECTED: "It was rejected.",
    State.SUPERSEDED: "A newer file of its mode took its place.",
    State.EXPIRED: "It waited for more than 7 days.",
    State.OUT_OF_DATE: "Accounts changed since it was planned; it is planned again.",
    State.FAILED: "It failed.",
}


def move(run_id: int, from_states: Iterable[str], to_state: str, **values: Any) -> bool:
    """Set the state and `values` if the run is in one of `from_states`; whether it was."""
    found = Run.objects.filter(pk=run_id, state__in=list(from_states))
    return found.update(state=to_state, **values) == 1
