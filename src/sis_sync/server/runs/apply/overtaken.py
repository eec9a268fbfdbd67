"""Whether other runs, applied since a plan was made, changed or spoke of the accounts that it is about."""

from datetime import datetime
from pathlib import Path

from django.db.models import QuerySet

from sis_sync.core.modes import MODES
from sis_sync.engine.session import open_session
from sis_sync.server.orgs.models import Org
from sis_sync.server.runs.models import Run
from sis_sync.server.runs.storage import RunFiles, run_files

READING_MEMORY_MB = 256
CHANGES = ("create", "update", "restore", "delete", "disable")
CHANGING = f"action IN {CHANGES}"
PEOPLE_OF_TYPES = f"""
SELECT count(*) FROM read_parquet(:plan) WHERE {CHANGING} AND (user_type IN :types OR old_user_type IN :types)
"""
PEOPLE_IN_BOTH = f"""
SELECT count(*) FROM read_parquet(:plan) WHERE {CHANGING} AND custom_id IN (
  SELECT custom_id FROM read_parquet(:newer) WHERE action IN ('create', 'update', 'restore')
  UNION ALL SELECT custom_id FROM read_parquet(:unchanged))
"""


def was_overtaken(run: Run, *, since: datetime | None = None) -> bool:
    """Whether a newer file, applied since then or ever, speaks of people whom the run changes.

    A complete list speaks of everybody of its types, absent people included; a partial file of those it names.
    """
    plan = run_files(run).plan
    return any(_speaks_of_the_same(plan, newer) for newer in _newer_applied(run, since))


def applied_since(run: Run, since: datetime) -> list[Run]:
    """The other runs of the school system that changed accounts after that time."""
    others = Run.objects.filter(school_system=run.school_system_id, state=Run.State.APPLIED, applied_at__gt=since)
    return [other for other in others.exclude(pk=run.pk) if any(other.counts.get(action) for action in CHANGES)]


def was_undercut(run: Run, since: datetime) -> bool:
    """Whether a run applied since then changed people whom this one names: as unchanged, or to change them."""
    named = run_files(run)
    return any(_changed_somebody(run_files(other), named) for other in applied_since(run, since))


def _changed_somebody(other: RunFiles, named: RunFiles) -> bool:
    if not other.plan.is_file():
        return True
    with open_session(memory_limit_mb=READING_MEMORY_MB, threads=1) as session:
        return bool(
            session.value(PEOPLE_IN_BOTH, plan=str(other.plan), newer=str(named.plan), unchanged=str(named.unchanged))
        )


def _speaks_of_the_same(plan: Path, newer: Run) -> bool:
    mode, files = MODES[newer.mode], run_files(newer)
    if not files.plan.is_file() or not files.unchanged.is_file():
        return True
    with open_session(memory_limit_mb=READING_MEMORY_MB, threads=1) as session:
        if mode.judges_absence:
            return bool(session.value(PEOPLE_OF_TYPES, plan=str(plan), types=mode.user_types))
        return bool(
            session.value(PEOPLE_IN_BOTH, plan=str(plan), newer=str(files.plan), unchanged=str(files.unchanged))
        )


def _newer_applied(run: Run, since: datetime | None) -> QuerySet[Run]:
    newer = Run.objects.filter(school_system=run.school_system_id, pk__gt=run.pk, state=Run.State.APPLIED)
    if since is not None:
        newer = newer.filter(applied_at__gte=since)
    if run.scope_org.kind == Org.Kind.SCHOOL:
        districts = Org.objects.filter(school_system=run.school_system_id, kind=Org.Kind.DISTRICT)
        newer = newer.filter(scope_org__in=[run.scope_org_id, *districts.values_list("pk", flat=True)])
    return newer
