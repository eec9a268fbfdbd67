"""Makes the results CSV of a run when someone asks for it: from its stored plan, and its file for the unchanged rows.

Most results are never read, and on most nights most rows change nothing. Results that were made are kept next to the
plan, so that asking again costs nothing. When the file of the run is gone, or this version of the server
refuses it, the unchanged rows are only a count.
"""

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import date
from pathlib import Path
from threading import Lock

from django.http import Http404

from sis_sync.core.errors import ConfigurationError, FileRefused
from sis_sync.core.modes import MODES, TAKING_BACK
from sis_sync.core.reading_options import options_of
from sis_sync.core.whole_files import OWNER_ONLY
from sis_sync.engine.duckdb import Session, open_session
from sis_sync.server.errors import NotNow
from sis_sync.server.runs.files import READING_MEMORY_MB, RunFiles, data_folder, run_files, unless_gone
from sis_sync.server.runs.models import Run
from sis_sync.server.runs.planning import file_under_its_name, mapping_of
from sis_sync.server.runs.settings import field_settings_planned_with
from sis_sync.steps.directory.directory import load_no_directory
from sis_sync.steps.map.settle import is_settled_by_accounts, settle
from sis_sync.steps.pipeline import map_file
from sis_sync.steps.report import write_results, write_told_results

# Making those of a million rows takes seconds. No sender may keep the server busy with them.
WAIT_SECONDS = 1.5
_being_made = Lock()


def results_of(run: Run, *, is_told: bool = False, is_whole: bool = True) -> Path:
    """Return the results CSV of the run: everything, or what its sender is told. Raise Http404 without a plan.

    Without `is_whole`, it lacks the rows that changed nothing. Raise NotNow if those of another run are being made.
    """
    files = run_files(run)
    if not is_told and not has_unchanged_rows(run):
        is_whole = False
    path = files.results_path(is_told=is_told, is_whole=is_whole)
    whole = files.results_path(is_told=is_told, is_whole=True)
    if is_told and not files.told.is_file() and _is_current(whole, files):
        return whole  # written by an earlier version, which made no other for a sender
    if not _is_current(path, files):
        with _one_at_a_time():
            if not _is_current(path, files):
                _make(run, files, path, is_told=is_told, is_whole=is_whole)
    return path


def has_unchanged_rows(run: Run) -> bool:
    """True if the results of the run can show the rows that changed nothing."""
    return run.mode in TAKING_BACK or (run.file_removed_at is None and run_files(run).original.is_file())


def _is_current(path: Path, files: RunFiles) -> bool:
    """True if these results were made from the plan as it is: a purge may have removed people from it since."""
    try:
        return path.stat().st_mtime_ns > files.plan.stat().st_mtime_ns
    except FileNotFoundError:
        return False


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    if not _being_made.acquire(timeout=WAIT_SECONDS):
        raise NotNow("The results of another run are being made.", fix="Try again in a few seconds.")
    try:
        yield
    finally:
        _being_made.release()


def _make(run: Run, files: RunFiles, path: Path, *, is_told: bool, is_whole: bool) -> None:
    """Write the results to `path`. Raise Http404 if the plan does not exist, or no longer."""
    folder = data_folder() / "work" / f"results-{run.pk}-{secrets.token_hex(4)}"
    folder.mkdir(mode=0o700, parents=True)
    try:
        before = files.plan.stat()
        with (
            unless_gone(*files.stored_plan),
            open_session(temp_folder=folder, memory_limit_mb=READING_MEMORY_MB, threads=1) as session,
        ):
            draft = folder / path.name
            _write(session, run, files, draft, is_told=is_told, is_whole=is_whole)
            draft.chmod(OWNER_ONLY)
            if os.path.samestat(before, files.plan.stat()):
                draft.replace(path)
                return
            raise NotNow("The plan of this run was made again meanwhile.", fix="Try again in a few seconds.")
        raise Http404
    except FileNotFoundError:
        raise Http404 from None
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _write(session: Session, run: Run, files: RunFiles, draft: Path, *, is_told: bool, is_whole: bool) -> None:
    if is_told:
        if not files.told.is_file():
            raise Http404
        plan, others = (files.plan, files.unchanged), run.told.get("others", "taken")
        write_told_results(session, draft, told=files.told, plan=plan, others=others, with_others=is_whole)
        return
    unchanged, has_values = None, False
    if is_whole:
        with suppress(FileRefused, ConfigurationError):  # this version may refuse what an earlier one read
            has_values = run.mode in TAKING_BACK or _read_file_again(session, run, draft.parent)
            unchanged = files.unchanged
    write_results(session, draft, plan=files.plan, unchanged=unchanged, has_values=has_values)


def _read_file_again(session: Session, run: Run, folder: Path) -> bool:
    """Make the view `settled` of the stored file. Return True if its values depend on the accounts.

    Those of unchanged rows are stored with the plan then.
    """
    planned_on = run.settings_used.get("planned_on")
    roster = map_file(
        session,
        file_under_its_name(run, folder),
        mode=MODES[run.mode],
        mapping=mapping_of(run),
        options=options_of(run.reading_options),
        reading=run_files(run).reading,
        today=date.fromisoformat(planned_on) if planned_on else None,
    )
    if is_settled_by_accounts(roster.records, field_settings_planned_with(run)):
        return True
    load_no_directory(session)
    settle(session, roster.records)
    return False
