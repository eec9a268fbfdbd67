"""Plan many school systems in one run of `plan`. Each gets its own plan, and an error in one does not stop others."""

import os
import sys
import tempfile
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from pathlib import Path

from sis_sync.cli.errors import write_bug_report
from sis_sync.cli.plan_request import PlanOutcome, PlanRequest, make_requested_plan
from sis_sync.cli.print_systems import print_all_systems, print_system, print_systems_json
from sis_sync.cli.systems_file import read_systems
from sis_sync.core.errors import AnotherInstanceRuns, SisSyncError, UsageFault
from sis_sync.core.exit_codes import DONE, FILE_REFUSED, HELD, ROWS_FAILED, UNEXPECTED_ERROR, WRONG_CONFIGURATION
from sis_sync.core.file_lock import file_lock
from sis_sync.engine.base import EngineName
from sis_sync.engine.spark import SparkApplication
from sis_sync.steps.pipeline import shared_spark

LOCK = ".sis-sync.lock"

# On DuckDB, make one plan at a time, so that a run uses no more memory than a single plan. On Spark, make several: a
# plan is a sequence of small jobs, which leave most cores of a cluster idle.
AT_ONCE: dict[EngineName, int] = {"duckdb": 1, "spark": 4}

# A bug is the worst, because after it no result can be trusted. A refused file is worse than a wrong configuration: the
# school system must learn today that its export is damaged, while our configuration can wait. With either, there is no
# plan, so both are worse than the codes of finished plans. Those have the same order as for a single plan.
_WORST_FIRST = (UNEXPECTED_ERROR, FILE_REFUSED, WRONG_CONFIGURATION, HELD, ROWS_FAILED, DONE)


def plan_systems(
    systems: Path, *, output: Path, engine: EngineName, at_once: int | None, as_json: bool, detailed_exitcode: bool
) -> int:
    """Plan each school system of the file into the folder `output`, and print the outcomes. Return the exit code.

    Each of the `at_once` plans may use as much memory as a single plan, so the other plans cannot affect its result.
    Before planning, raise ConfigurationError if the file or Spark is at fault, UsageFault if the folder is.
    """
    requests = read_systems(systems)
    outcomes = []
    with shared_spark(engine) as shared, folder_for_plans(output, systems, requests) as parts:
        plan_one = partial(_plan_one, output=output, parts=parts, engine=engine, shared=shared)
        with closing(_in_turn(plan_one, requests, at_once or AT_ONCE[engine])) as made:
            for outcome in made:
                outcomes.append(outcome)
                if not as_json:
                    _unless_pipe_is_closed(print_system, outcome)
    if as_json:
        _unless_pipe_is_closed(print_systems_json, outcomes)
    else:
        _unless_pipe_is_closed(print_all_systems, outcomes, output)
    return worst_exit_code(outcomes, detailed_exitcode=detailed_exitcode)


def worst_exit_code(outcomes: Iterable[PlanOutcome], *, detailed_exitcode: bool) -> int:
    """Return the worst of the exit codes of the school systems."""
    codes = {outcome.exit_code(detailed_exitcode=detailed_exitcode) for outcome in outcomes}
    return min(codes, key=_WORST_FIRST.index, default=DONE)


def _unless_pipe_is_closed(print_it: Callable[..., None], *arguments: object) -> None:
    """Print. If the reader has closed the pipe, discard this and all later output, so that all plans are still made."""
    try:
        print_it(*arguments)
    except BrokenPipeError:
        with Path(os.devnull).open("w", encoding="utf-8") as devnull:
            os.dup2(devnull.fileno(), sys.stdout.fileno())


def _in_turn(
    plan_one: Callable[[PlanRequest], PlanOutcome], requests: tuple[PlanRequest, ...], at_once: int
) -> Generator[PlanOutcome]:
    """Yield the outcomes in the order of the file. If the caller stops early, do not start the remaining plans."""
    with ThreadPoolExecutor(at_once) as pool:
        waiting = [pool.submit(plan_one, each) for each in requests]
        try:
            for each in waiting:
                yield each.result()
        finally:
            pool.shutdown(cancel_futures=True)


def _plan_one(
    request: PlanRequest, *, output: Path, parts: Path, engine: EngineName, shared: SparkApplication | None
) -> PlanOutcome:
    """Plan one school system. Return any error, even a bug, as its outcome, so that the others are still planned."""
    part = plan_path(parts, request)
    try:
        with make_requested_plan(request, output=part, engine=engine, shared=shared) as made:
            part.replace(plan_path(output, request))
            return PlanOutcome(request.school_system, made.plan, made.hits)
    except SisSyncError as error:
        return PlanOutcome(request.school_system, error)
    except Exception:
        return PlanOutcome(request.school_system, SisSyncError(f"Unexpected error, {write_bug_report()}"))


def plan_path(folder: Path, request: PlanRequest) -> Path:
    """Return the path of this school system's plan."""
    return folder / f"{request.school_system}.csv"


@contextmanager
def folder_for_plans(folder: Path, systems: Path, requests: tuple[PlanRequest, ...]) -> Iterator[Path]:
    """Yield a subfolder for unfinished plans. First remove the plans of an earlier run.

    This way every plan in the folder belongs to this run, even if the run fails. Otherwise, someone could mistake the
    old plan of a refused file for a new one. Files with other names stay. Raise UsageFault if plans cannot be written
    or would overwrite an input file, and AnotherInstanceRuns if another run is writing to the folder.
    """
    with ExitStack() as open_until_end:
        try:
            folder.mkdir(exist_ok=True)
            is_free = open_until_end.enter_context(file_lock(folder / LOCK))
        except OSError as error:
            raise _unwritable(folder, error.strerror) from error
        if not is_free:
            raise AnotherInstanceRuns(
                f"Another run writes its plans to {folder}.", fix="Wait until it has ended, or name another folder."
            )
        _refuse_overwriting(folder, systems, requests)
        yield Path(open_until_end.enter_context(_without_old_plans(folder, requests)))


def _refuse_overwriting(folder: Path, systems: Path, requests: tuple[PlanRequest, ...]) -> None:
    is_read = _identities([systems, *(path for each in requests for path in _files_of(each))])
    for each in requests:
        path = plan_path(folder, each)
        if _identities([path]) & is_read:
            raise UsageFault(
                f"The plan of {each.school_system} would overwrite {path}, which this run reads.",
                fix="Name another folder for the plans.",
            )


def _files_of(request: PlanRequest) -> Iterator[Path]:
    yield from (request.file, request.orgs)
    if request.accounts:
        yield request.accounts
    if request.mapping:
        yield request.folder / request.mapping


def _identities(paths: Iterable[Path]) -> set[tuple[int, int]]:
    """Return the device and inode of each file that exists. Different paths may lead to the same file."""
    found = set()
    for path in paths:
        try:
            status = path.stat()
        except OSError:
            continue
        found.add((status.st_dev, status.st_ino))
    return found


def _without_old_plans(folder: Path, requests: tuple[PlanRequest, ...]) -> "tempfile.TemporaryDirectory[str]":
    """Remove the old plans and make the folder for unfinished plans. Check all paths before removing any file."""
    paths = [plan_path(folder, each) for each in requests]
    for path in paths:
        if path.is_dir():
            raise _unwritable(folder, f"{path.name} is in the way")
    path = folder
    try:
        parts = tempfile.TemporaryDirectory(prefix=".sis-sync-", dir=folder)
        for path in paths:
            path.unlink(missing_ok=True)
    except OSError as error:
        raise _unwritable(folder, f"{path.name}: {error.strerror}") from error
    return parts


def _unwritable(folder: Path, reason: str | None) -> UsageFault:
    return UsageFault(
        f"The plans cannot be written to {folder}: {reason}.",
        fix="Name an existing folder, or a new one inside an existing one; close plans that are open elsewhere.",
    )
