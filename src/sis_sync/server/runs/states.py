"""Moves the state of a run by compare-and-set: of two processes that try at once, one wins."""

from collections.abc import Iterable
from typing import Any

from sis_sync.core.run_states import DECIDABLE
from sis_sync.server.runs.models import Run

State = Run.State
# The run has a plan, made after the plans of older files of its mode.
PLANNED = (*DECIDABLE, State.APPROVED, State.APPLYING, State.APPLIED)
# A plan job, or an apply job, takes the run from any of these: a killed worker may have begun it before.
TO_PLAN = (State.RECEIVED, State.CHECKING, State.OUT_OF_DATE)
TO_APPLY = (State.APPROVED, State.APPLYING)


def move(run_id: int, from_states: Iterable[str], to_state: str, **values: Any) -> bool:
    """Set the state and `values` if the run is in one of `from_states`. Return True if it was."""
    found = Run.objects.filter(pk=run_id, state__in=list(from_states))
    return found.update(state=to_state, **values) == 1
