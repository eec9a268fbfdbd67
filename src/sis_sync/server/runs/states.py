"""Changes the state of a run by compare-and-set: if two processes try at the same time, one wins."""

from collections.abc import Iterable
from typing import Any

from django.db import transaction

from sis_sync.core.run_states import DECIDABLE, ENDED
from sis_sync.server.runs.models import Run
from sis_sync.server.runs.passwords import forget_passwords

State = Run.State
# The run has a plan, made after the plans of older files of its mode.
PLANNED = (*DECIDABLE, State.APPROVED, State.APPLYING, State.APPLIED)
# A plan or apply job may start from any of these states, because a killed worker may have started it before.
TO_PLAN = (State.RECEIVED, State.CHECKING, State.OUT_OF_DATE)
TO_APPLY = (State.APPROVED, State.APPLYING)


def move(run_id: int, from_states: Iterable[str], to_state: str, **values: Any) -> bool:
    """Set the state and `values` if the run is in one of `from_states`. Return True if it was."""
    found = Run.objects.filter(pk=run_id, state__in=list(from_states))
    is_moved = found.update(state=to_state, **values) == 1
    if is_moved and to_state in ENDED:
        has_ended(run_id)
    return is_moved


def has_ended(run_id: int) -> None:
    """Destroy the passwords that were kept for the run, once its last state is committed."""
    transaction.on_commit(lambda: forget_passwords(run_id))
