"""Removes the files of runs: each file and each report when its time is over, and what crashes left."""

import logging
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
from django.db import transaction
from django.db.models import Q, QuerySet

from sis_sync.core.limits import REFUSED_FILE_KEPT_FOR, Retention
from sis_sync.core.modes import MODES
from sis_sync.core.run_states import ENDED
from sis_sync.core.wording import counted
from sis_sync.server.jobs.models import Job
from sis_sync.server.jobs.queue import OPEN_STATES
from sis_sync.server.orgs.models import SchoolSystem
from sis_sync.server.orgs.retention import retention_of
from sis_sync.server.orgs.selectors import can_be_number
from sis_sync.server.runs.files import data_folder, remember_last_rows, run_files, work_folders
from sis_sync.server.runs.memory import forget_memories
from sis_sync.server.runs.models import ModeSettings, Run
from sis_sync.server.runs.purge.removed import NOT_REMOVED, Purging, Removed, log_failure, remove_path

logger = logging.getLogger(__name__)

LEFT_AFTER = timedelta(days=1)  # no upload and no job takes as long
SLICE_RUNS = 100
REPORT = ("plan_digest", "report_removed_at", "file_removed_at", "state", "mode", "school_system_id", "scope_org_id")


def ended_before(runs: QuerySet[Run], moment: Any) -> QuerySet[Run]:
    """Return the runs whose last step was at or before `moment`, and which have no job left to do."""
    steps = Q(received_at__lte=moment)
    for step in ("planned_at", "decided_at", "applied_at"):
        steps &= Q(**{f"{step}__isnull": True}) | Q(**{f"{step}__lte": moment})
    return runs.filter(steps, state__in=ENDED).exclude(jobs__state__in=OPEN_STATES)


def close_files(purging: Purging) -> Iterator[Removed]:
    """Mark the runs whose file, or whose plan and results, must go now. `remove_files` then removes them.

    From the mark on, no page and no call shows them. If the server stops in between, the next purge removes them.
    """
    for system in SchoolSystem.objects.order_by("pk"):
        keep = retention_of(system)
        yield from _mark(purging, "files", due_files(system, keep, now=purging.now), system.pk)
        yield from _mark(purging, "reports", due_reports(system, keep, now=purging.now), system.pk)


def due_files(system: SchoolSystem, keep: Retention, *, now: datetime) -> QuerySet[Run]:
    """Return the runs whose file must go now. A refused file is kept for a week, so that its columns can be mapped."""
    runs = Run.objects.filter(school_system=system)
    of_refused = ended_before(runs, now - REFUSED_FILE_KEPT_FOR).filter(state=Run.State.REFUSED)
    due = ended_before(runs, now - timedelta(days=keep.files_days)) | of_refused
    return due.filter(file_removed_at__isnull=True)


def due_reports(system: SchoolSystem, keep: Retention, *, now: datetime) -> QuerySet[Run]:
    """Return the runs whose plan and results must go now."""
    runs = Run.objects.filter(school_system=system, report_removed_at__isnull=True)
    return ended_before(runs, now - timedelta(days=keep.reports_days))


def _mark(purging: Purging, kind: str, due: QuerySet[Run], school_system_id: int) -> Iterator[Removed]:
    if purging.is_trial:
        yield Removed(kind, due.count(), school_system_id)
        return
    while runs := list(due.order_by("pk").only("guards", "refusal")[:SLICE_RUNS]):
        with transaction.atomic():
            for run in runs:
                marks: dict[str, Any] = {"file_removed_at": purging.now}
                if kind == "reports":
                    marks = {"report_removed_at": purging.now, **without_examples(run)}
                Run.objects.filter(pk=run.pk).update(**marks)
        yield Removed(kind, len(runs), school_system_id)


def without_examples(run: Run) -> dict[str, Any]:
    """Return the guards and the refusal of the run without their sentences, which may name people."""
    guards = []
    for hit in run.guards:
        limit = f"; the limit is {hit['limit']}" if hit.get("limit") else ""
        cases = counted(int(hit.get("count", 0)), "case", "cases")
        guards.append({**hit, "message": f"{cases} of {int(hit.get('base', 0)):,}{limit}."})
    refusal = run.refusal and {**run.refusal, "message": "The details were removed with the report.", "fix": ""}
    return {"guards": guards, "refusal": refusal}


def remove_files(purging: Purging) -> Iterator[Removed]:
    """Remove the files of the runs that `close_files` marked, and folders whose run does not exist."""
    if is_elsewhere():
        logger.warning("the folder of the runs is a link; what it leads to is not purged")
        yield Removed(NOT_REMOVED, 1)
        return
    folder = data_folder() / "runs"
    remembered = runs_to_remember()
    for piece in slices_of_runs():
        for number in piece:
            # Read each run just before: a failed one may have begun again with a new file.
            run = Run.objects.only(*REPORT).filter(pk=number).first()
            yield from _of_folder(purging, folder / str(number), run, remembered)


def is_elsewhere() -> bool:
    """True if the folder of the runs is a link, which a purge does not follow."""
    return (data_folder() / "runs").is_symlink()


def slices_of_runs() -> Iterator[list[int]]:
    """Yield the numbers of the runs that have a folder, some at a time. No folder of ours has any other name."""
    folder = data_folder() / "runs"
    names = [path.name for path in folder.iterdir()] if folder.is_dir() else []
    numbers = sorted(int(name) for name in names if can_be_number(name) and name[0] != "0")
    yield from (numbers[start : start + SLICE_RUNS] for start in range(0, len(numbers), SLICE_RUNS))


def _of_folder(purging: Purging, folder: Path, run: Run | None, remembered: set[int]) -> Iterator[Removed]:
    try:
        found = [folder]
        if run is not None and not folder.is_symlink():
            found = _entries(folder, but={run.plan_digest, "no-plan"})
        left = [path for path in found if _is_left(path, purging)]
        if not purging.is_trial:
            if run is not None and run.report_removed_at and run.pk in remembered and not folder.is_symlink():
                remember_last_rows(run)
            for path in [*left, *_due(folder, run, remembered)]:
                remove_path(path)
    except (OSError, duckdb.Error) as error:  # a damaged plan cannot be remembered
        log_failure(f"files of run {folder.name} could not be removed", error)
        yield Removed(NOT_REMOVED, 1)
    else:
        yield Removed("leftovers", len(left))


def _due(folder: Path, run: Run | None, remembered: set[int]) -> list[Path]:
    """Return the paths that must go because the time of the run's file or report is over."""
    if run is None or folder.is_symlink():
        return []
    kept = run_files(run)
    if run.report_removed_at:
        return _entries(folder, but=[kept.remembered.name]) if run.pk in remembered else [folder]
    if run.file_removed_at:
        # Results that were made before have the unchanged rows too. Others are made of the plan.
        return [*_entries(folder, but=[kept.plan.parent.name]), *kept.all_results]
    return []


def _entries(folder: Path, *, but: Iterable[str]) -> list[Path]:
    return [path for path in folder.iterdir() if path.name not in but] if folder.is_dir() else []


def _is_left(path: Path, purging: Purging) -> bool:
    """True if a crash left this: a folder or a draft that no one has touched for a day, or a link."""
    is_of_a_crash = path.is_symlink() or path.is_dir() or path.suffix == ".part"
    return is_of_a_crash and path.lstat().st_mtime <= (purging.now - LEFT_AFTER).timestamp()


def runs_to_remember() -> set[int]:
    """Return the last applied run of each deleting mode and org. Guards compare the end of the next file with it."""
    deleting = Run.objects.filter(
        state=Run.State.APPLIED, mode__in=[m.name for m in MODES.values() if m.judges_absence]
    )
    deleting = deleting.exclude(settings_used__on_absent=ModeSettings.OnAbsent.NOTHING)
    last: dict[tuple[Any, ...], int] = {}
    newest_first = deleting.order_by("-applied_at", "-pk")
    for run_id, *where in newest_first.values_list("pk", "school_system_id", "mode", "scope_org_id").iterator():
        last.setdefault(tuple(where), run_id)
    return set(last.values())


def remove_memories(purging: Purging) -> Iterator[Removed]:
    """Remove what planning remembered in earlier months. It is a cache, so it is not counted."""
    if not purging.is_trial:
        forget_memories(before=purging.now)
    yield from ()


def remove_temporary_folders(purging: Purging) -> Iterator[Removed]:
    """Remove the folders of jobs that ended in a crash, unless their job runs again."""
    folder = data_folder() / "work"
    if folder.is_symlink() or not folder.is_dir():
        return
    running = set(Job.objects.filter(state=Job.State.RUNNING).values_list("run_id", flat=True))
    in_use = {path.name for run_id in running for path in work_folders(run_id)}
    for path in _entries(folder, but=in_use):
        try:
            if not _is_left(path, purging):
                continue
            if not purging.is_trial:
                remove_path(path)
        except OSError as error:
            log_failure("a temporary folder could not be removed", error)
            yield Removed(NOT_REMOVED, 1)
        else:
            yield Removed("leftovers", 1)
