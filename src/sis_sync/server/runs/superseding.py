"""A newer full, students or staff run supersedes a waiting run of its mode. Others are deltas: all wait."""

from django.db.models import QuerySet

from sis_sync.core.modes import RUN_MODES
from sis_sync.core.run_states import DECIDABLE
from sis_sync.server.orgs.models import Org
from sis_sync.server.runs.models import Run
from sis_sync.server.runs.states import PLANNED, State, move


def newer_of(run: Run) -> Run | None:
    """Return a later run of the same mode over the same accounts that was planned first, if there is one."""
    if not RUN_MODES[run.mode].judges_absence:
        return None
    newer = over_the_same(run, Run.objects.filter(mode=run.mode, pk__gt=run.pk))
    return newer.filter(state__in=PLANNED).order_by("-pk").first()


def supersede_older(run: Run) -> None:
    """Close the waiting runs of the mode whose accounts this run covers."""
    if not RUN_MODES[run.mode].judges_absence:
        return
    older = Run.objects.filter(school_system=run.school_system_id, mode=run.mode, pk__lt=run.pk, state__in=DECIDABLE)
    if run.scope_org.kind != Org.Kind.DISTRICT:
        older = older.filter(scope_org=run.scope_org_id)
    for run_id in older.values_list("pk", flat=True):
        reason = f"Run {run.pk} took its place."
        move(run_id, DECIDABLE, State.SUPERSEDED, decision_reason=reason, superseded_by=run)


def over_the_same(run: Run, runs: QuerySet[Run]) -> QuerySet[Run]:
    """Return those of `runs` whose scope includes this run's: the same org, or the district."""
    district = Org.objects.filter(school_system=run.school_system_id, kind=Org.Kind.DISTRICT)
    orgs = [run.scope_org_id, *district.values_list("pk", flat=True)]
    return runs.filter(school_system=run.school_system_id, scope_org__in=orgs)
