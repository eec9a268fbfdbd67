"""Closes plans on which no one decides within 7 days of the first one. Planning again does not extend this time."""

from datetime import datetime

from django.db.models import QuerySet

from sis_sync.core.limits import PLAN_EXPIRES_AFTER
from sis_sync.core.run_states import DECIDABLE
from sis_sync.server.runs.models import Run
from sis_sync.server.runs.states import State, move


def expire_waiting(*, now: datetime) -> int:
    """Close every expired plan, and return how many."""
    return sum(move(run_id, DECIDABLE, State.EXPIRED) for run_id in _due(now).values_list("pk", flat=True))


def expire_if_due(run: Run, *, now: datetime) -> bool:
    """Close the plan of this run if it has expired. Return True if it was closed."""
    if not _due(now).filter(pk=run.pk).exists():
        return False
    move(run.pk, DECIDABLE, State.EXPIRED)
    run.state = State.EXPIRED
    return True


def _due(now: datetime) -> QuerySet[Run]:
    return Run.objects.filter(state__in=DECIDABLE, first_planned_at__lt=now - PLAN_EXPIRES_AFTER)
