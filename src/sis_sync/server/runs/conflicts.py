"""Which other runs of a school system were applied since a plan was made. Told by the runs: clocks of hosts differ."""

from pathlib import Path
from typing import Any

from django.db.models import Q, QuerySet

from sis_sync.core.modes import MODES
from sis_sync.core.plan import ABSENT_ACTIONS, CHANGING_ACTIONS
from sis_sync.core.run_states import ENDED
from sis_sync.server.orgs.models import Org
from sis_sync.server.runs.files import reading_session, run_files
from sis_sync.server.runs.models import Run
from sis_sync.server.runs.states import State
from sis_sync.server.runs.superseding import over_the_same

CHANGES = (*CHANGING_ACTIONS, *ABSENT_ACTIONS)


def unapplied_runs(run: Run) -> dict[str, Any]:
    """The runs that may still be applied: those that are open, and all to come after the newest."""
    runs = Run.objects.filter(school_system=run.school_system_id)
    newest = runs.order_by("-pk").values_list("pk", flat=True).first()
    return {"open": list(runs.exclude(state__in=ENDED).values_list("pk", flat=True)), "after": newest}


def applied_runs(run: Run) -> QuerySet[Run]:
    """The other runs that were applied, ever."""
    return Run.objects.filter(school_system=run.school_system_id, state=State.APPLIED).exclude(pk=run.pk)


def applied_since(run: Run, unapplied: dict[str, Any]) -> QuerySet[Run]:
    """Those of them that were not applied then."""
    return applied_runs(run).filter(Q(pk__in=unapplied["open"]) | Q(pk__gt=unapplied["after"]))


def that_changed_accounts(runs: QuerySet[Run]) -> list[Run]:
    """Those of the runs that changed anybody."""
    return [each for each in runs.only("pk", "counts", "plan_digest") if any(map(each.counts.get, CHANGES))]


CHANGING = f"action IN {CHANGES}"
PEOPLE_OF_TYPES = f"""
SELECT count(*) FROM read_parquet(:plan) WHERE {CHANGING} AND (user_type IN :types OR old_user_type IN :types)
"""
PEOPLE_IN_BOTH = f"""
SELECT count(*) FROM read_parquet(:plan) WHERE {CHANGING} AND custom_id IN (
  SELECT custom_id FROM read_parquet(:newer) WHERE action IN ('create', 'update', 'restore')
  UNION ALL SELECT custom_id FROM read_parquet(:unchanged))
"""


def was_overtaken(run: Run, applied: QuerySet[Run]) -> bool:
    """Whether one of these applied runs is of a newer file and speaks of people whom the run changes.

    A complete list speaks of everybody of its types, absent people included; a partial file of those it names.
    """
    plan = run_files(run).plan
    return any(_speaks_of_the_same(plan, newer) for newer in _newer_over_the_same(run, applied))


def was_undercut(run: Run, others: list[Run]) -> bool:
    """Whether these other runs changed people whom this one names: as unchanged, or to change them."""
    if not others:
        return False
    plans, named = [run_files(other).plan for other in others], run_files(run)
    if not all(plan.is_file() for plan in plans):
        return True
    with reading_session() as session:
        paths = {"newer": str(named.plan), "unchanged": str(named.unchanged)}
        return bool(session.value(PEOPLE_IN_BOTH, plan=[str(plan) for plan in plans], **paths))


def _speaks_of_the_same(plan: Path, newer: Run) -> bool:
    mode, files = MODES[newer.mode], run_files(newer)
    if not files.plan.is_file() or not files.unchanged.is_file():
        return True
    with reading_session() as session:
        if mode.judges_absence:
            return bool(session.value(PEOPLE_OF_TYPES, plan=str(plan), types=mode.user_types))
        return bool(
            session.value(PEOPLE_IN_BOTH, plan=str(plan), newer=str(files.plan), unchanged=str(files.unchanged))
        )


def _newer_over_the_same(run: Run, applied: QuerySet[Run]) -> QuerySet[Run]:
    newer = applied.filter(pk__gt=run.pk)
    return over_the_same(run, newer) if run.scope_org.kind == Org.Kind.SCHOOL else newer
