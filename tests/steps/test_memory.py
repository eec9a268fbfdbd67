"""A plan made with the memory equals one made without it, byte for byte, whatever happened since."""

import shutil
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from random import Random
from typing import Any

import pytest
from kit.nights import EXTRA, MAPPINGS, District
from kit.plans import TIMES

from sis_sync.core.errors import SisSyncError
from sis_sync.core.fields import FIELD_NAMES
from sis_sync.core.guards import History
from sis_sync.core.modes import MODES, FieldSettings
from sis_sync.engine.duckdb import Session, open_session
from sis_sync.steps.guard.guard import count_leaving, is_first_import
from sis_sync.steps.map.mapper_lines import parse_mapping
from sis_sync.steps.map.mapping import NO_MAPPING
from sis_sync.steps.memory.memory import open_memory
from sis_sync.steps.memory.offline import OfflineMemory
from sis_sync.steps.memory.pairs import Known, MemoryUnusable
from sis_sync.steps.pipeline import PlanInput, plan_file
from sis_sync.steps.plan.plan import Plan, notes_of, save_plan
from sis_sync.steps.report import write_failed_rows
from sis_sync.steps.tell.tell import tell_of_file, tell_of_rows
from sis_sync.steps.validate.messages import group_findings

LEAST_PAIRS = 40  # of the short form
STORED = "SELECT * FROM read_parquet(:path)"
STORED_WITHOUT_IDS = "SELECT COLUMNS(lambda name: name <> 'account_id') FROM read_parquet(:path)"


@dataclass
class Outcome:
    """All that a plan gives, to be compared, and how many pairs cancelled out."""

    told: object
    without_account_ids: object
    pairs: int
    plan: list[dict[str, str]]


class Nights:
    """A district, its memory, and copies of the memory that somebody may bring back.

    Of two nights, one is also planned offline, and one tells its key what became of the file: both would cost more.
    """

    def __init__(self, folder: Path, seed: int, people: int, *, is_plain: bool = False) -> None:
        self.folder, self.random, self.is_plain = folder, Random(seed), is_plain
        self.district = District(self.random)
        self.district.begin(people)
        self.memory = folder / "memory" / "1.duckdb"
        self.kept = folder / "kept.duckdb"
        self.last = History()
        self.pairs = 0
        self.is_telling = False
        self.settings = self._drawn_settings()

    def night(self) -> None:
        chance, district = self.random.random, self.district
        for _ in range(self.random.randrange(5)):
            district.edit()
        if chance() < 0.1:
            district.change_around()
        self._handle_the_file()
        if chance() < 0.1:
            self.settings = self._drawn_settings()
        recent = district.recent_file(self.folder / "recent.csv")
        history = History(
            self.last.last_plan,
            self.last.last_rows,
            had_deleting_sync=chance() < 0.7,
            # With recent changes, a plan has no offline memory.
            recent_changes=recent if self.is_telling or chance() < 0.2 else None,
            most_of_runs=(2, 1, 0) if chance() < 0.2 else None,
        )
        given = PlanInput(
            self.folder / "roster.csv",
            orgs=self.folder / "orgs.csv",
            accounts=self.folder / "accounts.csv",
            history=history if chance() < 0.8 else None,
            today=date(2026, 11, 18 + self.random.randrange(2)),
            **self.settings,
        )
        given.file.write_bytes(district.roster())
        given.orgs.write_text(district.orgs_file(), encoding="utf-8")
        full, fast = self.outcome(given, "full"), self.outcome(given, "fast")
        assert fast.told == full.told
        self.pairs += fast.pairs
        if not self.is_telling:
            offline = self.outcome(given, "offline")
            assert offline.without_account_ids == full.without_account_ids  # a plan without a server stores none
            self.pairs += offline.pairs
        self.is_telling = not self.is_telling
        if full.plan and chance() < 0.7:
            names = ("plan", "unchanged")
            files = tuple((self.folder / f"full-{name}").replace(self.folder / f"last-{name}") for name in names)
            self.last = History((files[0], files[1]), len(full.plan))
            district.apply(full.plan)

    def _drawn_settings(self) -> dict[str, Any]:
        """What stays the same on most nights. If the nights are plain, nothing keeps lines from cancelling out."""
        chance, pick = self.random.random, self.random.choice
        if self.is_plain:
            return {"mode": MODES[pick(("full", "full", "students"))]}
        self.district.columns = pick((FIELD_NAMES, FIELD_NAMES[::-1], (*FIELD_NAMES, *EXTRA)))
        mapping = pick(MAPPINGS)
        return {
            "mode": MODES[pick((*["full"] * 5, "partial", "students", "staff"))],
            "mapping": parse_mapping(mapping) if mapping else NO_MAPPING,
            "on_absent": pick(("delete", "delete", "disable", "nothing")),
            "creates_disabled": chance() < 0.3,
            "keeps_everyone": chance() < 0.1,
            "two_people": ("7",) if chance() < 0.2 else (),
            "field_settings": FieldSettings(email="off") if chance() < 0.1 else FieldSettings(names="always"),
        }

    def _handle_the_file(self) -> None:
        """Somebody deletes the memory, damages it, keeps a copy, or brings the copy back."""
        what = (
            self.random.choice(("delete", "cut", "garbage", "keep", "bring back"))
            if self.random.random() < 0.12
            else ""
        )
        if self.is_plain or not self.memory.exists():
            return
        if what == "delete":
            self.memory.unlink()
        elif what == "cut":
            with self.memory.open("r+b") as file:
                file.truncate(self.random.randrange(self.memory.stat().st_size))
        elif what == "garbage":
            self.memory.write_bytes(b"x" * self.random.randrange(100_000))
        elif what == "keep":
            shutil.copyfile(self.memory, self.kept)
        elif what == "bring back" and self.kept.exists():
            shutil.copyfile(self.kept, self.memory)

    def outcome(self, given: PlanInput, way: str) -> Outcome:
        """The plan against the exported accounts, or the error.

        The ways: in full, fast with the memory of earlier nights, or with one that passes.
        """
        district, position = self.district, str(len(self.district.touched))
        with open_session(threads=1) as session:
            memory = open_memory(session, self.memory, key=str(district.key)) if way == "fast" else None
            touched = None
            if memory and memory.position is not None and self.random.random() < 0.8:
                touched = set(district.touched[int(memory.position) :])
            assert given.accounts is not None
            given.accounts.write_text(district.export(touched), encoding="utf-8", newline="")
            known = Known(memory, position, sorted(touched) if touched is not None else None) if memory else None
            if way == "offline":
                known = Known(OfflineMemory(session))
            try:
                plan, hits = plan_file(session, PlanInput(**{**vars(given), "known": known}))
            except SisSyncError as error:
                return Outcome(str(error), str(error), 0, [])
            except MemoryUnusable:
                is_usable = False
            else:
                is_usable = True
            if not is_usable:
                return self.outcome(given, "full")
            pairs = session.value("SELECT people FROM pair_totals")
            path, unchanged = self.folder / f"{way}-plan", self.folder / f"{way}-unchanged"
            save_plan(session, plan, path, unchanged)
            files = (path, unchanged, notes_of(unchanged))
            stored = [session.rows(STORED, path=str(path)) for path in files]
            columns = [row[0] for row in session.rows(f"DESCRIBE {STORED}", path=str(files[0]))]
            report = self.folder / "failed.csv"
            write_failed_rows(session, plan.records, report)
            rest = (is_first_import(session, plan.mode), count_leaving(session))
            findings = group_findings(session, plan.records, plan.findings)
            failed, told = report.read_bytes(), self._told(session, plan, report) if self.is_telling else None
            facts = (plan.records.facts, plan.records.warnings, plan.counts, plan.findings, plan.acts_on_absence)
            newcomers = (plan.newcomers_with_password, plan.disabled_newcomers)
            all_but_rows = (facts, newcomers, hits, rest, findings, failed, told)
            without_ids = [session.rows(STORED_WITHOUT_IDS, path=str(path)) for path in files]
            return Outcome(
                (stored, all_but_rows),
                (without_ids, all_but_rows),
                pairs,
                [dict(zip(columns, row, strict=True)) for row in stored[0]],
            )

    def _told(self, session: Session, plan: Plan, report: Path) -> object:
        """All that the key of the file would be told, of its rows and in its file of failed rows."""
        told = "SELECT * FROM told WHERE NOT action IN ('unchanged', 'taken')"
        tell_of_rows(session, plan)
        of_rows = session.rows(f"{told} ORDER BY line")
        of_file = tell_of_file(session, plan, page="page")
        write_failed_rows(session, plan.records, report, of="told")
        return of_rows, of_file, session.rows(f"{told} OR codes <> '' ORDER BY line"), report.read_bytes()


def run(folder: Path, seed: int, *, nights: int, people: int, is_plain: bool) -> int:
    """Return the number of pairs of all nights."""
    made = Nights(folder, seed, people, is_plain=is_plain)
    for _ in range(nights):
        made.night()
    return made.pairs


def test_memory_changes_nothing(tmp_path: Path) -> None:
    assert run(tmp_path, seed=1, nights=3, people=80, is_plain=True) > LEAST_PAIRS


@pytest.mark.night
@pytest.mark.parametrize("is_plain", [True, False])
@pytest.mark.parametrize("seed", range(10 * TIMES))
def test_memory_changes_nothing_in_many_nights(tmp_path: Path, seed: int, is_plain: bool) -> None:
    run(tmp_path, seed, nights=12, people=60, is_plain=is_plain)
