"""What the guards ask of earlier runs: the last applied file, whether absence ever counted, who left lately."""

from datetime import datetime, timedelta
from pathlib import Path

from django.db.models import Q, QuerySet

from sis_sync.core.guards import History
from sis_sync.core.modes import MODES
from sis_sync.server.audit.models import AccountChange
from sis_sync.server.runs.models import ModeSettings, Run
from sis_sync.server.runs.storage import run_files

DRIP_DAYS = 7
LEFT = Q(action__in=("delete", "disable")) | Q(action="update", after__status="Disabled")


def history_of(run: Run, *, now: datetime) -> History:
    """The history of the run's mode and scope. A file that changed nobody was applied too."""
    deleting = _applied(run).exclude(settings_used__on_absent=ModeSettings.OnAbsent.NOTHING)
    deleting = deleting.filter(mode__in=[mode.name for mode in MODES.values() if mode.judges_absence])
    same = deleting.filter(mode=run.mode, scope_org=run.scope_org_id)
    last = same.order_by("-applied_at", "-pk").first()
    return History(
        last_plan=_plan_of(last) if last else (),
        last_rows=last.counts.get("rows", 0) if last else 0,
        had_deleting_sync=deleting.exists(),
        left_ids=_left_ids(run, since=now - timedelta(days=DRIP_DAYS)),
    )


def _plan_of(run: Run) -> tuple[Path, Path] | tuple[()]:
    files = run_files(run)
    return (files.plan, files.unchanged) if files.plan.is_file() and files.unchanged.is_file() else ()


def _applied(run: Run) -> QuerySet[Run]:
    return Run.objects.filter(school_system=run.school_system_id, state=Run.State.APPLIED)


def _left_ids(run: Run, *, since: datetime) -> tuple[str, ...]:
    """Only runs that could have made somebody leave are asked: a first import has a million changes."""
    lately = _applied(run).filter(applied_at__gt=since).values_list("pk", "counts")
    runs = [pk for pk, counts in lately if any(counts.get(action) for action in ("update", "delete", "disable"))]
    changes = AccountChange.objects.filter(LEFT, run__in=runs, account__custom_id__isnull=False)
    found = changes.values_list("account__custom_id", flat=True).distinct()
    return tuple(custom_id for custom_id in found if custom_id)
