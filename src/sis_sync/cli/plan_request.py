"""One plan that is made from files: the request, the finished plan, and the outcome."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from sis_sync.core.errors import SisSyncError
from sis_sync.core.exit_codes import DONE, HELD, ROWS_FAILED
from sis_sync.core.guards import GuardHit
from sis_sync.core.modes import MODES
from sis_sync.core.reading_options import NOTHING_SAID, ReadingOptions
from sis_sync.engine.base import EngineName
from sis_sync.engine.duckdb import Session, open_session
from sis_sync.engine.spark import SparkApplication
from sis_sync.steps.map.mapper_lines import load_mapping
from sis_sync.steps.map.mapping import NO_MAPPING
from sis_sync.steps.memory.offline import OfflineMemory, are_many_accounts
from sis_sync.steps.memory.pairs import Known, MemoryUnusable
from sis_sync.steps.pipeline import PlanInput, plan_file
from sis_sync.steps.plan.plan import Plan
from sis_sync.steps.report import write_plan


@dataclass(frozen=True)
class PlanRequest:
    """The input files, mode and mapping of one plan. The path of a mapping is relative to `folder`.

    `school_system` names the plan if a run makes several plans. `day` is the day of planning, None for today here.
    """

    file: Path
    mode: str
    orgs: Path
    accounts: Path | None = None
    mapping: str | None = None
    folder: Path = Path()
    school_system: str = ""
    options: ReadingOptions = NOTHING_SAID
    creates_disabled: bool = False
    two_people: tuple[str, ...] = ()
    day: date | None = None

    def plan_input(self) -> PlanInput:
        """Load the mapping and return the input of the plan. Raise ConfigurationError if the mapping is invalid."""
        mapping = load_mapping(self.mapping, folder=self.folder) if self.mapping else NO_MAPPING
        return PlanInput(
            self.file,
            MODES[self.mode],
            self.orgs,
            self.accounts,
            mapping,
            self.options,
            school_system=self.school_system,
            creates_disabled=self.creates_disabled,
            two_people=self.two_people,
            today=self.day,
        )


@dataclass(frozen=True)
class RequestedPlan:
    """A plan, the guards that would hold it, and the session that contains its tables.

    `mapping_name` is the name of the loaded mapping, or empty. If the mapping is a bundle, the plan's own facts name
    the part that fits the file.
    """

    session: Session
    plan: Plan
    hits: tuple[GuardHit, ...]
    mapping_name: str


@contextmanager
def make_requested_plan(
    request: PlanRequest, *, output: Path | None, engine: EngineName, shared: SparkApplication | None = None
) -> Iterator[RequestedPlan]:
    """Make the plan and write it to `output` as CSV. Raise FileRefused, ConfigurationError or EngineUnavailable."""
    given = request.plan_input()
    with ExitStack() as stack:
        try:
            session = stack.enter_context(open_session())
            known = Known(OfflineMemory(session)) if are_many_accounts(given.accounts) else None
            plan, hits = plan_file(session, replace(given, known=known), engine=engine, shared=shared)
        except MemoryUnusable:
            stack.close()
            session = stack.enter_context(open_session())
            plan, hits = plan_file(session, given, engine=engine, shared=shared)
        if output:
            write_plan(session, output)
        yield RequestedPlan(session, plan, hits, given.mapping.name)


@dataclass(frozen=True)
class PlanOutcome:
    """The plan of one school system and the guards that would hold it, or the error that prevented the plan."""

    school_system: str
    result: Plan | SisSyncError
    hits: tuple[GuardHit, ...] = ()

    def exit_code(self, *, detailed_exitcode: bool) -> int:
        """Return the exit code that a run of only this school system would have."""
        if isinstance(self.result, SisSyncError):
            return self.result.exit_code
        return exit_code_of_plan(self.result, self.hits, detailed_exitcode=detailed_exitcode)


def exit_code_of_plan(plan: Plan, hits: tuple[GuardHit, ...], *, detailed_exitcode: bool) -> int:
    """Return the exit code of a finished plan. It is HELD only if the user asked for detailed exit codes."""
    if detailed_exitcode and hits:
        return HELD
    return ROWS_FAILED if plan.counts.failed else DONE
