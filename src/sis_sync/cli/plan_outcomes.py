"""What became of each school system of one run, and of all together."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields

from sis_sync.core.errors import ConfigurationError, FileRefused, SisSyncError
from sis_sync.core.exit_codes import DONE, HELD, ROWS_FAILED
from sis_sync.core.guards import GuardHit
from sis_sync.core.plan import Counts
from sis_sync.steps.plan.plan import Plan

_BUG = SisSyncError.exit_code
_GRAVEST_FIRST = (_BUG, FileRefused.exit_code, ConfigurationError.exit_code, HELD, ROWS_FAILED, DONE)


@dataclass(frozen=True)
class Outcome:
    """A plan and the guards that would hold it, or why there is none."""

    school_system: str
    result: Plan | SisSyncError
    hits: tuple[GuardHit, ...] = ()

    def exit_code(self, *, detailed_exitcode: bool) -> int:
        """What a run of this school system alone would end with."""
        if isinstance(self.result, SisSyncError):
            return self.result.exit_code
        return exit_code_of_plan(self.result, self.hits, detailed_exitcode=detailed_exitcode)


def gravest_exit_code(outcomes: Iterable[Outcome], *, detailed_exitcode: bool) -> int:
    """The one code of a run: whatever hides most from the person who reads it goes first.

    1, a bug, says least about what is true. 6 before 3: a refused file is an export that came damaged, today, and
    somebody there must hear of it; a wrong configuration is ours and waits no worse. Both mean a school system without
    a plan, so they go before plans that were made: 8, held, where it is asked for, before 7, rows failed, as for a
    single plan. 0 means that nothing of this is true of any.
    """
    codes = {outcome.exit_code(detailed_exitcode=detailed_exitcode) for outcome in outcomes}
    return min(codes, key=_GRAVEST_FIRST.index, default=DONE)


def counts_of_all(outcomes: Sequence[Outcome]) -> Counts:
    """The sums over all plans that were made."""
    made = [outcome.result.counts for outcome in outcomes if isinstance(outcome.result, Plan)]
    return Counts(**{each.name: sum(getattr(counts, each.name) for counts in made) for each in fields(Counts)})


def code_of(refusal: SisSyncError) -> str:
    """Why there is no plan, in a word that does not change: a code of a refused file, or whose fault it is else."""
    if isinstance(refusal, FileRefused):
        return refusal.code
    return "configuration" if isinstance(refusal, ConfigurationError) else "unexpected"


def exit_code_of_plan(plan: Plan, hits: tuple[GuardHit, ...], *, detailed_exitcode: bool) -> int:
    """Return the exit code of a plan that was made: held only if the detailed codes are wanted."""
    if detailed_exitcode and hits:
        return HELD
    return ROWS_FAILED if plan.counts.failed else DONE
