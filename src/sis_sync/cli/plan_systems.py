"""Many school systems in one run of `plan`: each is planned by itself, and no failure of one stops another."""

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
from sis_sync.engine.spark import SparkApplication
from sis_sync.steps.pipeline import EngineName, shared_spark

LOCK = ".sis-sync.lock"

# One on DuckDB, so that a run takes no more memory than a single plan. On Spark a plan is many small jobs in a row,
# which leave most cores of a cluster idle.
AT_ONCE: dict[EngineName, int] = {"duckdb": 1, "spark": 4}

# A bug comes first: after it, no result can be trusted. A refused file comes before a wrong configuration: the export
# came damaged today, and someone at the school system must learn of it; our configuration can wait. Both leave a school
# system without a plan, so they come before plans that were made: held (if asked for) before failed rows, as for one.
_GRAVEST_FIRST = (UNEXPECTED_ERROR, FILE_REFUSED, WRONG_CONFIGURATION, HELD, ROWS_FAILED, DONE)


def plan_systems(
    systems: Path, *, output: Path, engine: EngineName, at_once: int | None, as_json: bool, detailed_exitcode: bool
) -> int:
    """Plan each school system of the file into the folder `output`, and print the outcomes. Return the exit code.

    Each of the `at_once` plans may take the memory of a single plan, so that no plan depends on those next to it.
    Before anything is planned, raise ConfigurationError for the file and for Spark, UsageFault for the folder.
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
    return gravest_exit_code(outcomes, detailed_exitcode=detailed_exitcode)


def gravest_exit_code(outcomes: Iterable[PlanOutcome], *, detailed_exitcode: bool) -> int:
    """Return the one exit code of all school systems."""
    codes = {outcome.exit_code(detailed_exitcode=detailed_exitcode) for outcome in outcomes}
    return min(codes, key=_GRAVEST_FIRST.index, default=DONE)


def _unless_pipe_is_closed(print_it: Callable[..., None], *arguments: object) -> None:
    """Print, and drop the output from then on if its reader has gone: all plans are still made."""
    try:
        print_it(*arguments)
    except BrokenPipeError:
        with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
            os.dup2(nowhere.fileno(), sys.stdout.fileno())


def _in_turn(
    plan_one: Callable[[PlanRequest], PlanOutcome], requests: tuple[PlanRequest, ...], at_once: int
) -> Generator[PlanOutcome]:
    """Yield the outcomes in the order of the file. If the caller stops early, start no further plan."""
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
    """Plan one school system. Every error is its outcome, even a bug, so that the others are planned."""
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
    """Return the path of the whole plan of this school system."""
    return folder / f"{request.school_system}.csv"


@contextmanager
def folder_for_plans(folder: Path, systems: Path, requests: tuple[PlanRequest, ...]) -> Iterator[Path]:
    """Yield a folder inside, for plans until they are whole. Remove the plans of an earlier run first.

    So every plan in the folder is of this run, however it ended: someone could take an old plan next to a refusal
    for a new one. Files of other names stay. Raise UsageFault if plans cannot be written or would overwrite a file
    that is read, AnotherInstanceRuns if another run writes to the folder now.
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
    """Return what identifies the files on the disk: a name in other letters may be the same file."""
    found = set()
    for path in paths:
        try:
            status = path.stat()
        except OSError:
            continue
        found.add((status.st_dev, status.st_ino))
    return found


def _without_old_plans(folder: Path, requests: tuple[PlanRequest, ...]) -> "tempfile.TemporaryDirectory[str]":
    """Remove the old plans and make the folder for unfinished ones. Check all paths before removing any."""
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
