"""The steps from bytes to a plan, as the server and the command line take them."""

import csv
import hashlib
import io
import os
import tempfile
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from _pytest.mark import ParameterSet
from hypothesis import HealthCheck, settings

from sis_sync.core.fields import FIELD_NAMES
from sis_sync.core.guards import GuardHit, History
from sis_sync.core.modes import MODES, STANDARD_FIELD_SETTINGS, FieldSettings, OnAbsent
from sis_sync.core.plan import Counts
from sis_sync.engine.duckdb import Session, open_session
from sis_sync.steps.directory.directory import Directory, load_directory
from sis_sync.steps.guard.guard import HISTORY_TABLES, load_history
from sis_sync.steps.map.map import Roster
from sis_sync.steps.map.mapper_lines import parse_mapping
from sis_sync.steps.map.mapping import NO_MAPPING
from sis_sync.steps.map.mapping import Mapping as ColumnMapping
from sis_sync.steps.pipeline import PlanInput, map_file, plan_file, plan_roster
from sis_sync.steps.plan.plan import Plan, plan_digest, save_plan, unchanged_rows
from sis_sync.steps.report import write_plan

ORGS = "external_id,name\nD1,Lakeview District\n010,North Elementary\n020,Lakeview High\n"
ACCOUNT_COLUMNS = (*FIELD_NAMES, "state", "protected", "edited_names")
STORED = ("action", "custom_id", "fields", "codes", *(name for name in FIELD_NAMES if name != "custom_id"))


@dataclass(frozen=True)
class Planned:
    """A plan: its rows with the values to store, the bytes of `--output`, the digest, and the guards that hold it.

    `found` is how many rows or accounts each of those guards counted.
    """

    counts: Counts
    lines: tuple[int | None, ...]
    rows: tuple[dict[str, str], ...]
    output: bytes
    digest: str
    guards: frozenset[str]
    found: dict[str, int]

    def with_action(self, action: str) -> list[str]:
        """The custom IDs that get this action, in the order of the plan."""
        return [row["custom_id"] for row in self.rows if row["action"] == action]


def table(columns: Iterable[str], rows: Iterable[Mapping[str, str]], *, delimiter: str = ",") -> str:
    """A CSV file of these rows."""
    text = io.StringIO()
    writer = csv.DictWriter(
        text, list(columns), delimiter=delimiter, lineterminator="\n", restval="", extrasaction="ignore"
    )
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def roster_file(rows: Iterable[Mapping[str, str]]) -> bytes:
    return table(FIELD_NAMES, rows).encode()


def accounts_file(accounts: Iterable[Mapping[str, str]]) -> str:
    return table(ACCOUNT_COLUMNS, accounts)


def plan_bytes(
    content: bytes,
    *,
    accounts: str | bytes = "",
    orgs: str | bytes = ORGS,
    mode: str = "full",
    mapping: str | ColumnMapping = NO_MAPPING,
    field_settings: FieldSettings = STANDARD_FIELD_SETTINGS,
    threads: int | None = None,
    memory_limit_mb: int = 1024,
) -> Planned:
    """The plan of a file of these bytes against these accounts; errors are the caller's."""
    with (
        tempfile.TemporaryDirectory(prefix="sis-sync-test-") as name,
        open_session(threads=threads, memory_limit_mb=memory_limit_mb) as session,
    ):
        folder = Path(name)
        (folder / "roster.csv").write_bytes(content)
        (folder / "orgs.csv").write_bytes(_as_bytes(orgs))
        (folder / "accounts.csv").write_bytes(_as_bytes(accounts or accounts_file([])))
        rules = parse_mapping(mapping) if isinstance(mapping, str) else mapping
        given = PlanInput(
            folder / "roster.csv",
            MODES[mode],
            folder / "orgs.csv",
            folder / "accounts.csv",
            mapping=rules,
            field_settings=field_settings,
        )
        plan, hits = plan_file(session, given)
        found = {hit.code: hit.count for hit in hits}
        write_plan(session, folder / "plan.csv")
        files = (folder / "plan.parquet", folder / "unchanged.parquet")
        save_plan(session, plan, *files)
        stored = session.rows(
            f"SELECT line, {', '.join(STORED)} FROM ("
            f"SELECT * FROM read_parquet(:plan) UNION ALL BY NAME {unchanged_rows(files[1])}) "
            "ORDER BY line NULLS LAST, custom_id",
            plan=str(files[0]),
        )
        rows = tuple(dict(zip(STORED, row[1:], strict=True)) for row in stored)
        assert all(None not in row.values() for row in rows if row["action"] != "unchanged")
        lines = tuple(row[0] for row in stored)
        return Planned(
            plan.counts, lines, rows, (folder / "plan.csv").read_bytes(), plan_digest(*files), frozenset(found), found
        )


def _as_bytes(content: str | bytes) -> bytes:
    return content.encode() if isinstance(content, str) else content


def applied(accounts: list[dict[str, str]], plan: Planned) -> list[dict[str, str]]:
    """The accounts after the plan."""
    after = {account["custom_id"]: account for account in accounts if account["custom_id"]}
    for row in plan.rows:
        custom_id = row["custom_id"]
        if row["action"] in ("create", "update", "restore"):
            own = {name: after.get(custom_id, {}).get(name, "") for name in ("protected", "edited_names")}
            after[custom_id] = {**{name: row[name] for name in FIELD_NAMES}, "state": "live", **own}
        elif row["action"] == "delete":
            after[custom_id] = {**after[custom_id], "state": "deleted"}
    return [account for account in accounts if not account["custom_id"]] + list(after.values())


def person(custom_id: str, **values: str) -> dict[str, str]:
    """An Active student of grade 9 at 020, named after the ID unless `values` say otherwise."""
    row = {"first_name": "Ana", "last_name": f"Ruiz{custom_id}", "email": f"{custom_id.lower()}@x.example"}
    rest = {"school_district_external_id": "020", "user_type": "Student", "grade": "9", "status": "Active"}
    return {**dict.fromkeys(FIELD_NAMES, ""), **row, "custom_id": custom_id, **rest, **values}


def people(first: int, last: int, **values: str) -> list[dict[str, str]]:
    """Such persons with IDs from first to before last."""
    return [person(f"{number:04}", **values) for number in range(first, last)]


# The tables of the directory and the history, which stay in a session from one file to the next.
DIRECTORY_TABLES = ("orgs", "accounts", "name_edits", "two_people", *HISTORY_TABLES)
KEPT = {*DIRECTORY_TABLES, "listed_values", "pairs", "pair_totals", "paired_accounts"}


@dataclass
class Place:
    """A session that plans many files against one directory, which it loads once."""

    session: Session
    folder: Path
    mode: str
    mapping: ColumnMapping
    history: History | None = None  # the one in the session
    directory: Directory = field(default_factory=Directory)
    directory_digest: str = ""

    def plan(self, content: bytes, *, history: History, on_absent: OnAbsent = "delete") -> tuple[Plan, list[GuardHit]]:
        return self.plan_mapped(self.map(content, history=history), history=history, on_absent=on_absent)

    def plan_mapped(
        self, roster: Roster, *, history: History, on_absent: OnAbsent = "delete"
    ) -> tuple[Plan, list[GuardHit]]:
        """Plan the roster that the session contains."""
        plan, hits = plan_roster(self.session, roster, self.directory, self._input(history, on_absent))
        return plan, list(hits)

    def map(self, content: bytes, *, history: History) -> Roster:
        """Read and map a file of these bytes. The session then contains its roster, the directory and the history."""
        forget(self.session, but=KEPT)
        if history != self.history:
            self._load(history)
        given = self._input(history)
        given.file.write_bytes(content)
        return map_file(self.session, given.file, mode=given.mode, mapping=given.mapping)

    def digest(self, roster: Roster) -> str:
        """Return a digest of all that the steps after map read: tables of the session, and facts of the file."""
        facts = roster.records.facts
        of_file = (self.mode, facts.rows, facts.columns, facts.has_final_newline)
        return _digest_of(self.session, "roster", "broken", "broken_cells", also=(*of_file, self.directory_digest))

    def apply(self, content: bytes) -> History:
        """Make the directory what the file says; what the next run knows of this one."""
        plan, _ = self.plan(content, history=History())
        files = (self.folder / "plan.parquet", self.folder / "unchanged.parquet")
        save_plan(self.session, plan, *files)
        names = ", ".join(f"p.{name}" for name in FIELD_NAMES)
        rows = self.session.rows(
            f"SELECT {names} FROM plan AS x JOIN people AS p ON p.line = x.line "
            "WHERE x.action IN ('create', 'update', 'restore', 'unchanged')"
        )
        people = [{**dict(zip(FIELD_NAMES, row, strict=True)), "state": "live"} for row in rows]
        (self.folder / "accounts.csv").write_text(accounts_file(people), encoding="utf-8", newline="")
        self.history = None  # the session contains the accounts before
        return History(files, plan.counts.rows, had_deleting_sync=True)

    def _load(self, history: History) -> None:
        forget(self.session)
        given = self._input(history)
        self.directory = load_directory(self.session, orgs=given.orgs, accounts=given.accounts)
        load_history(self.session, history)
        self.history = history
        of_history = (history.last_rows, history.had_deleting_sync)
        self.directory_digest = _digest_of(self.session, *DIRECTORY_TABLES, also=of_history)

    def _input(self, history: History, on_absent: OnAbsent = "delete") -> PlanInput:
        return PlanInput(
            self.folder / "roster.csv",
            MODES[self.mode],
            self.folder / "orgs.csv",
            self.folder / "accounts.csv",
            self.mapping,
            on_absent=on_absent,
            history=history,
        )


def _digest_of(session: Session, *tables: str, also: tuple[object, ...]) -> str:
    rows = [session.rows(f"SELECT * FROM {table} ORDER BY ALL") for table in tables]
    return hashlib.sha256(repr((rows, also)).encode()).hexdigest()


def made_in(session: Session) -> list[tuple[str, str]]:
    """The tables and views that the steps have made, each as its kind and its name."""
    return session.rows(
        "SELECT 'VIEW', view_name FROM duckdb_views() WHERE temporary AND NOT internal "
        "UNION ALL SELECT 'TABLE', table_name FROM duckdb_tables() WHERE temporary AND NOT internal"
    )


def forget(session: Session, but: Collection[str] = ()) -> None:
    """Drop the tables and views in the session, but those."""
    drops = [f'DROP {kind} "{name}"' for kind, name in made_in(session) if name not in but]
    if drops:
        session.run("; ".join(drops))


@contextmanager
def place(folder: Path, mode: str = "full", mapping: str = "") -> Iterator[Place]:
    (folder / "orgs.csv").write_text(ORGS, encoding="utf-8")
    (folder / "accounts.csv").write_text(accounts_file([]), encoding="utf-8")
    with open_session(threads=1) as session:
        yield Place(session, folder, mode, parse_mapping(mapping) if mapping else NO_MAPPING)


TIMES = int(os.environ.get("SIS_SYNC_TEST_TIMES", "1"))
IS_THOROUGH = TIMES >= 100  # hours: cut large files at every byte, plan every case on Spark


def at_night(*parameters: object) -> list[ParameterSet]:
    """Return parameters of a test that only the night tries, because the gate tries others of the same kind.

    A test of several parameters takes each as a tuple.
    """
    rows = (each if isinstance(each, tuple) else (each,) for each in parameters)
    return [pytest.param(*row, marks=pytest.mark.night) for row in rows]


def times(count: int, *, night: int = 0) -> int:
    """Return `count` for the gate; for the night TIMES as much, or TIMES `night`."""
    return count if TIMES == 1 else (night or count) * TIMES


def examples(count: int, *, night: int = 0, one_place: bool = False) -> settings:
    """So many random inputs, or `times` of them at night; no time limit. `one_place`: all use the same fixtures."""
    most = times(count, night=night)
    accepted = [HealthCheck.too_slow, *([HealthCheck.function_scoped_fixture] if one_place else [])]
    return settings(max_examples=most, deadline=None, suppress_health_check=accepted)
