"""The order of the steps: read, map, directory, settle, validate, plan, guard. No other module knows it.

A run that takes an earlier one back has no file. Its rows come from the history of the accounts.

DuckDB reads and cleans the files and writes the plan and the reports. The steps in between run on the chosen engine:
the same DuckDB session, or Spark. Spark reads its tables from Parquet files and returns its results in others.
"""

import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field, fields, replace
from datetime import date
from pathlib import Path
from urllib.parse import quote

from sis_sync.core.guards import NO_HISTORY, STANDARD_GUARD_LIMITS, GuardHit, GuardLimits, History
from sis_sync.core.modes import STANDARD_FIELD_SETTINGS, FieldSettings, Mode, OnAbsent
from sis_sync.core.reading_options import NOTHING_SAID, ReadingOptions
from sis_sync.engine.base import Engine, EngineName
from sis_sync.engine.duckdb import Session
from sis_sync.engine.spark import SparkApplication, SparkPlace, open_spark
from sis_sync.steps.directory.directory import Directory, load_directory, load_no_directory
from sis_sync.steps.guard.guard import (
    HISTORY_TABLES,
    guard,
    load_history,
    load_previous_rows,
    load_recent_changes,
    previous_files,
)
from sis_sync.steps.map.map import (
    KnownPasswords,
    Roster,
    add_kept_passwords,
    find_passwords_of_existing,
    map_records,
    today_here,
)
from sis_sync.steps.map.mapping import NO_MAPPING, Mapping
from sis_sync.steps.map.settle import HeldAddresses, settle
from sis_sync.steps.memory.pairs import Known, Pairs, usable
from sis_sync.steps.plan.plan import Plan, decide, make_plan, mark_rows
from sis_sync.steps.read.keep import read_again
from sis_sync.steps.read.read import read
from sis_sync.steps.undo.undo import Changes, judge_changes, put_values_back
from sis_sync.steps.validate.validate import Judged, validate

LOGGER = logging.getLogger("sis_sync.steps")

# The tables that are sent to another engine. Passwords stay on this machine.
_SENT = {
    "settled": "SELECT * FROM settled",
    "kept_values": "SELECT * FROM kept_values",
    "password_rows": "SELECT line FROM password_rows",
    "passwords_of_existing": "SELECT * FROM passwords_of_existing",
    "broken": "SELECT line, codes, width FROM broken",
    "broken_cells": "SELECT * FROM broken_cells",
    "accounts": "SELECT * FROM accounts",
    "name_edits": "SELECT * FROM name_edits",
    "orgs": "SELECT * FROM orgs",
    "two_people": "SELECT * FROM two_people",
    "listed_values": "SELECT * FROM listed_values",
    "pair_totals": "SELECT * FROM pair_totals",
    "paired_accounts": "SELECT * FROM paired_accounts",
}
# The tables that it returns.
_RETURNED = (
    *("people", "ignored", "findings", "failed", "said", "remarks", "guesses", "absent", "differences", "plan"),
    "brought_passwords",
)

# The fields of PlanInput that cannot change what an unchanged row means, and those that the memory gets in another way.
_NOT_OF_ROWS = {
    *("file", "mode", "orgs", "accounts", "mapping", "options", "today", "known", "school_system"),
    *("sha256", "limits", "history", "reading", "kept_passwords", "known_passwords", "held_addresses"),
}


@dataclass(frozen=True)
class PlanInput:
    """A file, how to read it, the directory that it is planned against, and the rules.

    `orgs` and `accounts` are CSV files; `accounts` is None if there are none yet. Without `history`, the guards that
    need it are skipped. `school_system` identifies the plan in logs and in Spark's folders. `reading` is the result of
    the first reading, if some columns were removed from the file after it (read/keep.py). `kept_passwords` are the
    passwords that lines had then. `known_passwords` is None unless the files of the mode set those of accounts that
    exist. `today` is the day of planning in the school system's time zone; None means the day
    on this machine. `keeps_everyone`: the plan only creates and updates, and no account leaves. `creates_disabled` and
    `field_settings` are settings of the mode. `two_people` are custom IDs of which a manager said that they belong to
    other people than the IDs that differ from them in leading zeros only. `known` is the memory of the school system;
    `accounts` then has only the accounts that may have changed. `sha256` is the digest of the file as received, if the
    caller has it.
    """

    file: Path
    mode: Mode
    orgs: Path
    accounts: Path | None = None
    mapping: Mapping = NO_MAPPING
    options: ReadingOptions = NOTHING_SAID
    on_absent: OnAbsent = "delete"
    creates_disabled: bool = False
    field_settings: FieldSettings = STANDARD_FIELD_SETTINGS
    two_people: Sequence[str] = ()
    limits: GuardLimits = STANDARD_GUARD_LIMITS
    history: History | None = None
    school_system: str = ""
    reading: Path | None = None
    kept_passwords: dict[int, str] = field(default_factory=dict, repr=False)
    known_passwords: KnownPasswords | None = None
    today: date | None = None
    held_addresses: HeldAddresses | None = None
    keeps_everyone: bool = False
    known: Known | None = None
    sha256: str = ""


def map_file(
    session: Session,
    file: Path,
    *,
    mode: Mode | None = None,
    mapping: Mapping = NO_MAPPING,
    options: ReadingOptions = NOTHING_SAID,
    school_system: str = "",
    reading: Path | None = None,
    today: date | None = None,
    memory: Pairs | None = None,
    sha256: str = "",
) -> Roster:
    """Read and map the file. Raise FileRefused if the whole file is unusable. `sha256` is its digest, if known."""
    with _timed("read", school_system):
        kept = read_again(session, file, reading, mapping=mapping) if reading else None
        records = kept or read(session, file, mode=mode, mapping=mapping, options=options, memory=memory, sha256=sha256)
    with _timed("map", school_system):
        # A memory adds the lines of pairs that it gives up.
        return map_records(session, records, today=today, is_complete=memory is None)


def check_file(
    session: Session,
    file: Path,
    *,
    mode: Mode | None = None,
    mapping: Mapping = NO_MAPPING,
    orgs: Path | None = None,
    options: ReadingOptions = NOTHING_SAID,
    today: date | None = None,
) -> Judged:
    """Read, map and validate the file: find the faults of every row. Check the orgs only if `orgs` is given.

    Raise FileRefused for the file, ConfigurationError for the list of orgs.
    """
    roster = map_file(session, file, mode=mode, mapping=mapping, options=options, today=today)
    directory = load_directory(session, orgs=orgs, accounts=None) if orgs else None
    if directory is None:
        load_no_directory(session)
    settled = settle(session, roster.records)
    with _timed("validate"):
        return validate(session, roster, directory, mode, settled=settled)


def plan_file(
    session: Session, given: PlanInput, *, engine: EngineName = "duckdb", shared: SparkApplication | None = None
) -> tuple[Plan, tuple[GuardHit, ...]]:
    """Run all steps. Return the plan and the guards that hold it. The tables of the plan are then in `session`.

    Raise FileRefused for the file, ConfigurationError for the directory, EngineUnavailable if Spark cannot be used, and
    MemoryUnusable if the memory cannot be used.
    """
    name = given.school_system
    if given.known and given.accounts:
        return _plan_with_memory(session, given, given.known, given.accounts, engine=engine, shared=shared)
    roster = _map_input(session, given)
    with _timed("directory", name):
        directory = load_directory(session, orgs=given.orgs, accounts=given.accounts, two_people=given.two_people)
        load_history(session, given.history or NO_HISTORY)
    return plan_roster(session, roster, directory, given, engine=engine, shared=shared)


def _map_input(session: Session, given: PlanInput, memory: Pairs | None = None) -> Roster:
    """Read and map the file, without the lines that cancel out with an account of the memory."""
    roster = map_file(
        session,
        given.file,
        mode=given.mode,
        mapping=given.mapping,
        options=given.options,
        school_system=given.school_system,
        reading=given.reading,
        today=given.today,
        memory=memory,
        sha256=given.sha256,
    )
    add_kept_passwords(session, given.kept_passwords)
    return roster


def _plan_with_memory(
    session: Session,
    given: PlanInput,
    known: Known,
    accounts: Path,
    *,
    engine: EngineName,
    shared: SparkApplication | None,
) -> tuple[Plan, tuple[GuardHit, ...]]:
    """Run all steps on the rows and accounts that do not cancel out. Return the same as `plan_file`."""
    name, memory, history = given.school_system, known.memory, given.history or NO_HISTORY
    today = given.today or today_here()
    with _timed("memory", name):
        others = [getattr(given, each.name) for each in fields(given) if each.name not in _NOT_OF_ROWS]
        memory.depends_on(
            mode=given.mode, orgs=given.orgs, today=today, field_settings=given.field_settings, others=others
        )
        remembered = memory.take_accounts(accounts, known)
    roster = _map_input(session, replace(given, today=today), memory)
    with _timed("directory", name):
        load_recent_changes(session, history)
        memory.demote(roster.records)
        with usable():
            directory = load_directory(
                session, orgs=given.orgs, accounts=None, two_people=given.two_people, remembered=remembered
            )
        memory.count_pairs()
        previous = previous_files(session, history) if history.last_plan else {}
        load_previous_rows(session, history, after=memory.last_line(previous))
    plan, hits = plan_roster(session, roster, directory, given, engine=engine, shared=shared)
    with _timed("memory", name):
        memory.learn(roster.records)
    return plan, hits


def plan_roster(
    session: Session,
    roster: Roster,
    directory: Directory,
    given: PlanInput,
    *,
    engine: EngineName = "duckdb",
    shared: SparkApplication | None = None,
) -> tuple[Plan, tuple[GuardHit, ...]]:
    """Run the steps after map on a roster, a directory and a history that are already in `session`."""
    name = given.school_system
    with _timed("settle", name):
        settled = settle(
            session,
            roster.records,
            held=given.held_addresses,
            field_settings=given.field_settings,
        )
        find_passwords_of_existing(session, given.known_passwords)
    with _planning_engine(session, engine, shared=shared, given=given) as chosen:
        with _timed("validate", name):
            judged = validate(
                chosen,
                roster,
                directory,
                given.mode,
                keeps_everyone=given.keeps_everyone,
                creates_disabled=given.creates_disabled,
                settled=settled,
            )
        with _timed("plan", name):
            plan = make_plan(chosen, judged, on_absent="nothing" if given.keeps_everyone else given.on_absent)
        with _timed("guard", name):
            hits = guard(chosen, plan, given.limits, given.history)
    return replace(plan, ended_edits=mark_rows(session)), hits


def plan_undo(
    session: Session,
    changes: Changes,
    *,
    mode: Mode,
    orgs: Path,
    accounts: Path,
    limits: GuardLimits,
    history: History,
) -> tuple[Plan, tuple[GuardHit, ...]]:
    """Plan how to take a run back. Return the plan and the guards that hold it. Its tables are then in `session`."""
    load_directory(session, orgs=orgs, accounts=accounts)
    load_history(session, history)
    judged = judge_changes(session, changes, mode)
    plan = decide(session, judged, acts_on_absence=True)
    # guard.first_sync asks about the first complete list that lacks people. There is no list here.
    hits = guard(session, plan, limits, replace(history, had_deleting_sync=True))
    put_values_back(session)
    mark_rows(session)
    return plan, hits


@contextmanager
def shared_spark(engine: EngineName) -> Iterator[SparkApplication | None]:
    """Yield one Spark application for many plans, or None for DuckDB, where nothing is shared.

    Raise EngineUnavailable if Spark cannot be used.
    """
    if engine == "duckdb":
        yield None
        return
    with open_spark(SparkPlace.from_environment()) as application:
        yield application


@contextmanager
def _timed(step: str, school_system: str = "") -> Iterator[None]:
    """Log the seconds that a step took, but no value of the file."""
    began = time.perf_counter()
    yield
    # Not info: a server runs these steps for every account edited by hand, and its log shows info.
    LOGGER.debug("%s: %.2f s", f"{school_system}: {step}" if school_system else step, time.perf_counter() - began)


@contextmanager
def _planning_engine(
    session: Session, engine: EngineName, *, shared: SparkApplication | None, given: PlanInput
) -> Iterator[Engine]:
    """Yield the engine that validates, plans and guards. Its tables are in `session` when the block ends."""
    if engine == "duckdb":
        yield session
        return
    rows = session.value("SELECT greatest((SELECT count(*) FROM cells), (SELECT count(*) FROM accounts))")
    part = _folder_of(given.school_system)
    with _opened(session, shared) as application, application.session(part, rows=rows) as spark:
        for name, query in {**_SENT, **{name: f"SELECT * FROM {name}" for name in HISTORY_TABLES}}.items():
            path = spark.folder / f"{name}.parquet"
            session.run(f"COPY ({query}) TO :path (FORMAT parquet)", path=str(path))
            spark.take(name, path)
        yield spark
        for name in _RETURNED:
            # Without hive_partitioning=false, a folder named key=value would become a column.
            session.run(
                f"CREATE TEMP TABLE {name} AS SELECT * FROM read_parquet(:files, hive_partitioning=false)",
                files=f"{spark.give(name)}/*.parquet",
            )


def _folder_of(school_system: str) -> str:
    """Return the folder for the tables of one plan, quoted because Spark would interpret brackets in a name."""
    return f"school_system={quote(school_system, safe='')}" if school_system else "tables"


def _opened(session: Session, shared: SparkApplication | None) -> AbstractContextManager[SparkApplication]:
    if shared:
        return nullcontext(shared)
    place = SparkPlace.from_environment()
    return open_spark(replace(place, folder=place.folder or session.folder))
