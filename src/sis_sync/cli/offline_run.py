"""The order of the steps for the offline commands: one of the two places that know it."""

import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sis_sync.cli import offline_report
from sis_sync.core.errors import UsageFault
from sis_sync.core.guards import GuardLimits
from sis_sync.core.modes import MODES
from sis_sync.engine.session import open_session
from sis_sync.formats.mapping import NO_MAPPING
from sis_sync.formats.mapping_lines import load_mapping
from sis_sync.steps.directory import load_directory
from sis_sync.steps.guard import guard
from sis_sync.steps.map import map_records
from sis_sync.steps.plan import make_plan
from sis_sync.steps.planner import EngineName, planner
from sis_sync.steps.read import read
from sis_sync.steps.report import write_plan
from sis_sync.steps.validate import validate

DONE, ROWS_FAILED, HELD = 0, 7, 8
LOGGER = logging.getLogger("sis_sync.offline")


@contextmanager
def _told(step: str) -> Iterator[None]:
    """Log what a step took: seconds, no values."""
    began = time.perf_counter()
    yield
    LOGGER.info("%s: %.2f s", step, time.perf_counter() - began)


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


def plan(
    path: Path,
    *,
    mode: str,
    orgs: Path,
    accounts: Path | None,
    mapping: str | None,
    output: Path | None,
    as_json: bool,
    detailed_exitcode: bool,
    engine: EngineName = "duckdb",
) -> int:
    """Read, map, validate, plan, guard; report. Gives the exit code."""
    lines = load_mapping(mapping) if mapping else NO_MAPPING
    if output:
        _refuse_unwritable(output)
    with open_session() as session:
        with _told("read"):
            records = read(session, path, mode=MODES[mode], mapping=lines)
        with _told("map"):
            roster = map_records(session, records)
            directory = load_directory(session, orgs=orgs, accounts=accounts)
        with planner(session, engine) as where:
            with _told("judge"):
                judged = validate(where, roster, directory, MODES[mode])
            with _told("plan"):
                made = make_plan(where, judged)
                hits = guard(where, made, GuardLimits())
        if output:
            write_plan(session, output)
        offline_report.say_plan(session, made, hits, output=output, as_json=as_json)
    if detailed_exitcode and hits:
        return HELD
    return ROWS_FAILED if made.counts.failed else DONE
