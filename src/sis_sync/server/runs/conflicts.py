"""Finds the runs of a school system that were applied since a plan was made and concern the same people.

Runs are ordered by their IDs, because the clocks of several hosts differ.
"""

from pathlib import Path
from typing import Any

from django.db.models import Q, QuerySet

from sis_sync.core.modes import RUN_MODES
from sis_sync.core.plan import ACCOUNT_ACTIONS
from sis_sync.core.run_states import ENDED
from sis_sync.engine.sql import sql_text
from sis_sync.server.orgs.models import Org
from sis_sync.server.runs.files import reading_session, run_files
from sis_sync.server.runs.models import Run
from sis_sync.server.runs.states import State
from sis_sync.server.runs.superseding import over_the_same

# Of the rows of a stored plan: those of accounts that it changes or marks. An unchanged row in its file has a mark.
TOUCHING = (*ACCOUNT_ACTIONS, "unchanged")


def unapplied_runs(run: Run) -> dict[str, Any]:
    """Return the runs that may still be applied: the IDs of the open ones, and the ID after which every run counts."""
    runs = Run.objects.filter(school_system=run.school_system_id)
    newest = runs.order_by("-pk").values_list("pk", flat=True).first()
    still_open = runs.exclude(state__in=ENDED).order_by("pk").values_list("pk", flat=True)
    return {"open": list(still_open), "after": newest}


def applied_runs(run: Run) -> QuerySet[Run]:
    """Return every other applied run of the school system."""
    return Run.objects.filter(school_system=run.school_system_id, state=State.APPLIED).exclude(pk=run.pk)


def applied_since(run: Run, unapplied: dict[str, Any]) -> QuerySet[Run]:
    """Return the other applied runs that are in `unapplied`, an earlier result of `unapplied_runs`."""
    return applied_runs(run).filter(Q(pk__in=unapplied["open"]) | Q(pk__gt=unapplied["after"]))


def that_changed_accounts(runs: QuerySet[Run]) -> list[Run]:
    """Return the runs that changed at least one account, or its password."""
    found = runs.only("pk", "counts", "plan_digest", "passwords_of_existing")
    return [each for each in found if each.changes_accounts]


def was_overtaken(run: Run, applied: QuerySet[Run]) -> bool:
    """True if one of these applied runs has a newer file that covers people in this run's plan.

    A complete list covers everyone of its user types, including absent people. A partial file covers those it names.
    """
    plan = run_files(run).plan
    newer = applied.filter(pk__gt=run.pk)
    if run.scope_org.kind == Org.Kind.SCHOOL:
        newer = over_the_same(run, newer)
    return any(_covers_people_of(plan, each) for each in newer)


def was_undercut(run: Run, others: list[Run]) -> bool:
    """True if these other runs changed people in this run's file or plan, including those it leaves unchanged."""
    plans = [run_files(other).plan for other in others]
    if not all(plan.is_file() for plan in plans):
        return True
    return bool(plans) and _has_people_in_both(plans, run)


def _covers_people_of(plan: Path, newer: Run) -> bool:
    mode, files = RUN_MODES[newer.mode], run_files(newer)
    if not files.plan.is_file() or not files.unchanged.is_file():
        return True
    if not mode.judges_absence:
        return _has_people_in_both([plan], newer)
    people = sql_text(__package__, "people_of_types")
    with reading_session() as session:
        return bool(session.value(people, plan=str(plan), changing=TOUCHING, types=mode.user_types))


def _has_people_in_both(plans: list[Path], named_by: Run) -> bool:
    """True if one of the plans changes a person who is in the plan of the other run."""
    people, files = sql_text(__package__, "people_in_both"), run_files(named_by)
    named = {"changed": str(files.plan), "unchanged": str(files.unchanged)}
    with reading_session() as session:
        return bool(session.value(people, plans=[str(plan) for plan in plans], changing=TOUCHING, **named))
