"""Many school systems in one run: each is planned by itself, some at a time, and costs no other anything."""

import os
import sys
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from pathlib import Path

from sis_sync.cli import systems_report
from sis_sync.cli.outcome import keep_details
from sis_sync.cli.plan_request import PlanRequest, make_requested_plan
from sis_sync.cli.systems_file import read_systems
from sis_sync.cli.systems_folder import folder_for_plans, plan_path
from sis_sync.cli.systems_outcome import Outcome, gravest_exit_code
from sis_sync.core.errors import SisSyncError
from sis_sync.engine.spark import SparkApplication
from sis_sync.steps.pipeline import EngineName, shared_spark

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
                    _unless_nobody_reads(systems_report.say_line, outcome)
    if as_json:
        _unless_nobody_reads(systems_report.print_document, outcomes)
    else:
        _unless_nobody_reads(systems_report.say_all, outcomes, output)
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
