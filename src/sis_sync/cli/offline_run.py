"""The order of the steps for the offline commands: one of the two places that know it."""

import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from sis_sync.cli import offline_report
from sis_sync.core.errors import UsageFault
from sis_sync.core.guards import GuardHit, GuardLimits
from sis_sync.core.modes import MODES
from sis_sync.engine.session import Session, open_session
from sis_sync.engine.spark import SparkApplication
from sis_sync.formats.mapping import NO_MAPPING
from sis_sync.formats.mapping_lines import load_mapping
from sis_sync.steps.directory import load_directory
from sis_sync.steps.guard import guard
from sis_sync.steps.map import map_records
from sis_sync.steps.plan import Plan, make_plan
from sis_sync.steps.planner import EngineName, planner
from sis_sync.steps.read import read
from sis_sync.steps.report import write_plan
from sis_sync.steps.validate import validate

DONE, ROWS_FAILED, HELD = 0, 7, 8
LOGGER = logging.getLogger("sis_sync.offline")


@contextmanager
def _told(step: str, school_system: str = "") -> Iterator[None]:
    """Log what a step took: seconds, no values."""
    began = time.perf_counter()
    yield
    LOGGER.info("%s: %.2f s", f"{school_system}: {step}" if school_system else step, time.perf_counter() - began)


def check(path: Path, *, mode: str | None, orgs: Path | None, mapping: str | None, as_json: bool) -> int:
    """Read, map, validate; report. Gives the exit code."""
    lines = load_mapping(mapping) if mapping else NO_MAPPING
    with open_session() as session:
        with _told("read"):
            records = read(session, path, mode=MODES[mode] if mode else None, mapping=lines)
        with _told("judge"):
            roster = map_records(session, records)
            directory = load_directory(session, orgs=orgs, accounts=None) if orgs else None
            judged = validate(session, roster, directory, MODES[mode] if mode else None)
        offline_report.say_check(session, judged, as_json=as_json)
    return ROWS_FAILED if judged.failed_rows else DONE


def _refuse_unwritable(output: Path) -> None:
    """A plan that cannot be written is better known before the work than after it."""
    if output.is_dir() or not output.parent.is_dir() or not os.access(output.parent, os.W_OK):
        raise UsageFault(f"The plan cannot be written to {output}.", fix="Name a file in a folder that is there.")


@dataclass(frozen=True)
class Asked:
    """What one plan is made of. `folder` is where a mapping's path begins; `school_system` has a name among many."""

    file: Path
    mode: str
    orgs: Path
    accounts: Path | None = None
    mapping: str | None = None
    folder: Path = Path()
    school_system: str = ""


@dataclass(frozen=True)
class MadePlan:
    """A plan, the guards that would hold it, and the session that has its tables."""

    session: Session
    plan: Plan
    hits: tuple[GuardHit, ...]


@contextmanager
def planned(
    asked: Asked, *, output: Path | None, engine: EngineName, shared: SparkApplication | None = None
) -> Iterator[MadePlan]:
    """Read, map, validate, plan, guard, write: every plan of the offline commands is made here.

    Raises FileRefused, and ConfigurationError for what else was asked for.
    """
    mode, name = MODES[asked.mode], asked.school_system
    lines = load_mapping(asked.mapping, folder=asked.folder) if asked.mapping else NO_MAPPING
    with open_session() as session:
        with _told("read", name):
            records = read(session, asked.file, mode=mode, mapping=lines)
        with _told("map", name):
            roster = map_records(session, records)
            directory = load_directory(session, orgs=asked.orgs, accounts=asked.accounts)
        with planner(session, engine, shared=shared, part=_part_of(name)) as where:
            with _told("judge", name):
                judged = validate(where, roster, directory, mode)
            with _told("plan", name):
                made = make_plan(where, judged)
                hits = guard(where, made, GuardLimits())
        if output:
            write_plan(session, output)
        yield MadePlan(session, made, hits)


def _part_of(school_system: str) -> str:
    """The folder of its tables. A name may hold what means more to an engine, as brackets do."""
    return f"school_system={quote(school_system, safe='')}" if school_system else "tables"


def plan(asked: Asked, *, output: Path | None, engine: EngineName, as_json: bool, detailed_exitcode: bool) -> int:
    """Make one plan; report. Gives the exit code."""
    if output:
        _refuse_unwritable(output)
    with planned(asked, output=output, engine=engine) as made:
        offline_report.say_plan(made.session, made.plan, made.hits, output=output, as_json=as_json)
        return exit_code_of_plan(made.plan, made.hits, detailed_exitcode=detailed_exitcode)


def exit_code_of_plan(plan: Plan, hits: tuple[GuardHit, ...], *, detailed_exitcode: bool) -> int:
    """What a plan that was made ends with."""
    if detailed_exitcode and hits:
        return HELD
    return ROWS_FAILED if plan.counts.failed else DONE
