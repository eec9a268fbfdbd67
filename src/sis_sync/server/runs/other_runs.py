"""Which other runs of a school system were applied since a plan was made. Told by the runs: clocks of hosts differ."""

from typing import Any

from django.db.models import Q, QuerySet

from sis_sync.core.plan import ABSENT_ACTIONS, CHANGING_ACTIONS
from sis_sync.server.runs.models import Run
from sis_sync.server.runs.states import CLOSED, State

CHANGES = (*CHANGING_ACTIONS, *ABSENT_ACTIONS)


def unapplied_runs(run: Run) -> dict[str, Any]:
    """The runs that may still be applied: those that are open, and all to come after the newest."""
    runs = Run.objects.filter(school_system=run.school_system_id)
    newest = runs.order_by("-pk").values_list("pk", flat=True).first()
    return {"open": list(runs.exclude(state__in=CLOSED).values_list("pk", flat=True)), "after": newest}


def applied_runs(run: Run) -> QuerySet[Run]:
    """The other runs that were applied, ever."""
    return Run.objects.filter(school_system=run.school_system_id, state=State.APPLIED).exclude(pk=run.pk)


def applied_since(run: Run, unapplied: dict[str, Any]) -> QuerySet[Run]:
    """Those of them that were not applied then."""
    return applied_runs(run).filter(Q(pk__in=unapplied["open"]) | Q(pk__gt=unapplied["after"]))


def that_changed_accounts(runs: QuerySet[Run]) -> list[Run]:
    """Those of the runs that changed anybody."""
    return [each for each in runs.only("pk", "counts", "plan_digest") if any(map(each.counts.get, CHANGES))]
