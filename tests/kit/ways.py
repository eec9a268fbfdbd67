"""One file of a district, planned in three ways: in full, fast with the memory of earlier nights, or offline."""

from dataclasses import dataclass
from pathlib import Path

from kit.nights import District

from sis_sync.core.errors import SisSyncError
from sis_sync.core.guards import NO_HISTORY
from sis_sync.engine.base import EngineName
from sis_sync.engine.duckdb import Session, open_session
from sis_sync.steps.guard.guard import count_leaving, is_first_import
from sis_sync.steps.memory.memory import open_memory
from sis_sync.steps.memory.offline import OfflineMemory
from sis_sync.steps.memory.pairs import Known, MemoryUnusable
from sis_sync.steps.pipeline import PlanInput, plan_file
from sis_sync.steps.plan.plan import Plan, notes_of, save_plan
from sis_sync.steps.report import write_failed_rows
from sis_sync.steps.tell.tell import tell_of_file, tell_of_rows
from sis_sync.steps.validate.messages import group_findings

STORED = "SELECT * FROM read_parquet(:path)"
STORED_WITHOUT_IDS = "SELECT COLUMNS(lambda name: name <> 'account_id') FROM read_parquet(:path)"


@dataclass
class Outcome:
    """All that a plan gives, to be compared, and the IDs of the people whose lines cancelled out.

    If the memory was unusable, the plan was made without it, as the server and the command line do. `left` are the
    numbers of rows and of accounts that the engine judged.
    """

    told: object
    without_account_ids: object
    pairs: frozenset[str]
    plan: list[dict[str, str]]
    was_unusable: bool = False
    left: tuple[int, int] = (0, 0)


class Ways:
    """A district and its memory. `is_telling` adds what the key of a file is told of it.

    The fast way uses the `engine`, the others DuckDB.
    """

    def __init__(self, folder: Path, district: District) -> None:
        self.folder, self.district = folder, district
        self.memory = folder / "memory" / "1.duckdb"
        self.is_telling = False
        self.engine: EngineName = "duckdb"

    def given(self, **settings: object) -> PlanInput:
        """The input of a plan, with the orgs of the district. The file and the accounts are still to be written."""
        names = ("roster", "orgs", "accounts")
        file, orgs, accounts = (self.folder / f"{name}.csv" for name in names)
        orgs.write_text(self.district.orgs_file(), encoding="utf-8")
        return PlanInput(file, orgs=orgs, accounts=accounts, **settings)  # type: ignore[arg-type]

    def outcome(self, given: PlanInput, way: str, *, reads_all: bool = False) -> Outcome:
        """The plan against the exported accounts, or the error."""
        district, position = self.district, str(len(self.district.touched))
        with open_session(threads=1) as session:
            memory = open_memory(session, self.memory, key=str(district.key)) if way == "fast" else None
            touched = None
            if memory and memory.position is not None and not reads_all:
                touched = set(district.touched[int(memory.position) :])
            assert given.accounts is not None
            given.accounts.write_text(district.export(touched), encoding="utf-8", newline="")
            known = Known(memory, position, sorted(touched) if touched is not None else None) if memory else None
            if way == "offline":
                known = Known(OfflineMemory(session))
            try:
                return self._planned(session, PlanInput(**{**vars(given), "known": known}), way)
            except SisSyncError as error:
                return Outcome(str(error), str(error), frozenset(), [])
            except MemoryUnusable:
                pass
        full = self.outcome(given, "full")
        full.was_unusable = True
        return full

    def _planned(self, session: Session, given: PlanInput, way: str) -> Outcome:
        plan, hits = plan_file(session, given, engine=self.engine if way == "fast" else "duckdb")
        left = tuple(session.value(f"SELECT count(*) FROM {table}") for table in ("settled", "accounts"))
        pairs = frozenset(row[0] for row in session.rows("SELECT custom_id FROM pairs"))
        path, unchanged, report = (self.folder / f"{way}-{name}" for name in ("plan", "unchanged", "failed"))
        save_plan(session, plan, path, unchanged)
        files = (path, unchanged, notes_of(unchanged))
        stored = [session.rows(STORED, path=str(file)) for file in files]
        columns = [row[0] for row in session.rows(f"DESCRIBE {STORED}", path=str(path))]
        write_failed_rows(session, plan.records, report)
        rest = (is_first_import(session, plan.mode, given.history or NO_HISTORY), count_leaving(session))
        findings = group_findings(session, plan.records, plan.findings)
        failed, told = report.read_bytes(), self._told(session, plan, report) if self.is_telling else None
        facts = (plan.records.facts, plan.records.warnings, plan.counts, plan.findings, plan.acts_on_absence)
        newcomers = (plan.newcomers_with_password, plan.disabled_newcomers)
        all_but_rows = (facts, newcomers, hits, rest, findings, failed, told)
        without_ids = [session.rows(STORED_WITHOUT_IDS, path=str(file)) for file in files]
        rows = [dict(zip(columns, row, strict=True)) for row in stored[0]]
        return Outcome((stored, all_but_rows), (without_ids, all_but_rows), pairs, rows, left=(left[0], left[1]))

    def _told(self, session: Session, plan: Plan, report: Path) -> object:
        """All that the key of the file would be told, of its rows and in its file of failed rows."""
        told = "SELECT * FROM told WHERE NOT action IN ('unchanged', 'taken')"
        tell_of_rows(session, plan)
        of_rows = session.rows(f"{told} ORDER BY line")
        of_file = tell_of_file(session, plan, page="page")
        write_failed_rows(session, plan.records, report, of="told")
        return of_rows, of_file, session.rows(f"{told} OR codes <> '' ORDER BY line"), report.read_bytes()
