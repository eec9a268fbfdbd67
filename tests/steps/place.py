"""A place where one file is applied, and others are planned after it with the guards that need history."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from steps.planning import ORGS, accounts_file

from sis_sync.core.fields import FIELD_NAMES
from sis_sync.core.guards import GuardHit, History
from sis_sync.core.modes import MODES, OnAbsent
from sis_sync.engine.duckdb import Session, open_session
from sis_sync.steps.map.mapper_lines import parse_mapping
from sis_sync.steps.map.mapping import NO_MAPPING, Mapping
from sis_sync.steps.pipeline import PlanInput, plan_file
from sis_sync.steps.plan.plan import Plan, save_plan


@dataclass(frozen=True)
class Place:
    """A session that plans many files against one directory."""

    session: Session
    folder: Path
    mode: str
    mapping: Mapping

    def plan(self, content: bytes, *, history: History, on_absent: OnAbsent = "delete") -> tuple[Plan, list[GuardHit]]:
        forget(self.session)
        (self.folder / "roster.csv").write_bytes(content)
        given = PlanInput(
            self.folder / "roster.csv",
            MODES[self.mode],
            self.folder / "orgs.csv",
            self.folder / "accounts.csv",
            self.mapping,
            on_absent=on_absent,
            history=history,
        )
        plan, hits = plan_file(self.session, given)
        return plan, list(hits)

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
        return History(files, plan.counts.rows, had_deleting_sync=True)


def forget(session: Session) -> None:
    """Drop what the plan before left in the session."""
    for kind, source in (("VIEW", "duckdb_views()"), ("TABLE", "duckdb_tables()")):
        name = f"{kind.lower()}_name"
        for (found,) in session.rows(f"SELECT {name} FROM {source} WHERE temporary AND NOT internal"):
            session.run(f'DROP {kind} "{found}"')


@contextmanager
def place(folder: Path, mode: str = "full", mapping: str = "") -> Iterator[Place]:
    (folder / "orgs.csv").write_text(ORGS, encoding="utf-8")
    (folder / "accounts.csv").write_text(accounts_file([]), encoding="utf-8")
    with open_session(threads=1) as session:
        yield Place(session, folder, mode, parse_mapping(mapping) if mapping else NO_MAPPING)
