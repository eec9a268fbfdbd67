"""Many school systems in one run: each is planned by itself, some at a time, and costs no other anything."""

import os
import sys
import tempfile
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from pathlib import Path

from sis_sync.cli import print_plan
from sis_sync.cli.errors import keep_details
from sis_sync.cli.plan_outcomes import Outcome, gravest_exit_code
from sis_sync.cli.plan_request import PlanRequest, make_requested_plan
from sis_sync.cli.systems_file import read_systems
from sis_sync.core.errors import AnotherInstanceRuns, SisSyncError, UsageFault
from sis_sync.core.file_lock import file_lock
from sis_sync.engine.spark import SparkApplication
from sis_sync.steps.pipeline import EngineName, shared_spark

LOCK = ".sis-sync.lock"


def plan_path(folder: Path, request: PlanRequest) -> Path:
    """Where the plan of this school system is, once it is whole."""
    return folder / f"{request.school_system}.csv"


@contextmanager
def folder_for_plans(folder: Path, systems: Path, requests: tuple[PlanRequest, ...]) -> Iterator[Path]:
    """A folder inside, for plans until they are whole. Plans of an earlier run are removed before anything is planned.

    So a plan that lies there is of this run, however it ended: an old one beside a refusal would be taken for new.
    Files of other names are left alone. UsageFault where plans cannot be written, or would overwrite what is read;
    AnotherInstanceRuns where another run writes there now.
    """
    with ExitStack() as held:
        try:
            folder.mkdir(exist_ok=True)
            is_free = held.enter_context(file_lock(folder / LOCK))
        except OSError as error:
            raise _unwritable(folder, error.strerror) from error
        if not is_free:
            raise AnotherInstanceRuns(
                f"Another run writes its plans to {folder}.", fix="Wait until it has ended, or name another folder."
            )
        _refuse_overwriting(folder, systems, requests)
        yield Path(held.enter_context(_emptied(folder, requests)))


def _emptied(folder: Path, requests: tuple[PlanRequest, ...]) -> "tempfile.TemporaryDirectory[str]":
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
        fix="Name a folder that is there, or a new one in a folder that is; close plans that are open elsewhere.",
    )


def _refuse_overwriting(folder: Path, systems: Path, requests: tuple[PlanRequest, ...]) -> None:
    is_read = _identities([systems, *(path for each in requests for path in _files_of(each))])
    for each in requests:
        path = plan_path(folder, each)
        if _identities([path]) & is_read:
            raise UsageFault(
                f"The plan of {each.school_system} would overwrite {path}, which this run reads.",
                fix="Name a folder of its own for the plans.",
            )


def _files_of(request: PlanRequest) -> Iterator[Path]:
    yield from (request.file, request.orgs)
    if request.accounts:
        yield request.accounts
    if request.mapping:
        yield request.folder / request.mapping


def _identities(paths: Iterable[Path]) -> set[tuple[int, int]]:
    """What the files are, whatever they are called; a name in other letters may be the same file."""
    found = set()
    for path in paths:
        try:
            status = path.stat()
        except OSError:
            continue
        found.add((status.st_dev, status.st_ino))
    return found


# One on DuckDB, so that a run takes no more memory than a single plan. On Spark a plan is many small jobs in a row,
# which leave most cores of a cluster idle.
AT_ONCE: dict[EngineName, int] = {"duckdb": 1, "spark": 4}


def plan_systems(
    systems: Path, *, output: Path, engine: EngineName, at_once: int | None, as_json: bool, detailed_exitcode: bool
) -> int:
    """Plan each school system of the file into the folder `output`; report. Gives the gravest exit code.

    Raises ConfigurationError for the file and for Spark that cannot be used, UsageFault for the folder: of such, nobody
    is planned. Each of those `at_once` may take the memory of a single plan, so that who is planned beside it changes
    nothing for any of them.
    """
    requests = read_systems(systems)
    outcomes = []
    with shared_spark(engine) as shared, folder_for_plans(output, systems, requests) as parts:
        plan_one = partial(_outcome, output=output, parts=parts, engine=engine, shared=shared)
        with closing(_in_turn(plan_one, requests, at_once or AT_ONCE[engine])) as made:
            for outcome in made:
                outcomes.append(outcome)
                if not as_json:
                    _unless_nobody_reads(print_plan.say_line, outcome)
    if as_json:
        _unless_nobody_reads(print_plan.print_document, outcomes)
    else:
        _unless_nobody_reads(print_plan.say_all, outcomes, output)
    return gravest_exit_code(outcomes, detailed_exitcode=detailed_exitcode)


def _unless_nobody_reads(say: Callable[..., None], *what: object) -> None:
    """Plans are made to the end, and the exit code says how it was, also where the reader of the lines has gone."""
    try:
        say(*what)
    except BrokenPipeError:
        with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
            os.dup2(nowhere.fileno(), sys.stdout.fileno())  # for what is left to say


def _in_turn(
    plan_one: Callable[[PlanRequest], Outcome], requests: tuple[PlanRequest, ...], at_once: int
) -> Generator[Outcome]:
    """The outcomes in the order of the file. Once they are not wanted any more, nothing that waits is begun."""
    with ThreadPoolExecutor(at_once) as pool:
        waiting = [pool.submit(plan_one, each) for each in requests]
        try:
            for each in waiting:
                yield each.result()
        finally:
            pool.shutdown(cancel_futures=True)


def _outcome(
    request: PlanRequest, *, output: Path, parts: Path, engine: EngineName, shared: SparkApplication | None
) -> Outcome:
    """Plan one. What is wrong with it is its outcome, even a bug, and no other's end."""
    part = plan_path(parts, request)
    try:
        with make_requested_plan(request, output=part, engine=engine, shared=shared) as made:
            part.replace(plan_path(output, request))
            return Outcome(request.school_system, made.plan, made.hits)
    except SisSyncError as error:
        return Outcome(request.school_system, error)
    except Exception:
        return Outcome(request.school_system, SisSyncError(f"Unexpected error, {keep_details()}"))
