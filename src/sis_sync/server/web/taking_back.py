"""What pages say about taking a run back: on its own page, on the page of the run that does it, and on an account."""

from dataclasses import dataclass
from datetime import datetime

from sis_sync.core.limits import UNDONE_WITHIN
from sis_sync.core.modes import RESTORE, TAKING_BACK
from sis_sync.core.plan import ABSENT_ACTIONS, ACCOUNT_ACTIONS
from sis_sync.core.wording import counted
from sis_sync.server.accounts.models import Account
from sis_sync.server.audit.models import AccountChange
from sis_sync.server.runs.models import Run
from sis_sync.server.runs.permission import leaving, may_decide
from sis_sync.server.runs.selectors import PlanPage, plan_rows
from sis_sync.server.runs.settings import original_of
from sis_sync.server.runs.undo import undos_of, why_not
from sis_sync.server.web.render import PAGE_SIZE
from sis_sync.server.web.words import MODE_WORDS

DONE: dict[str, str] = {
    "create": "created",
    "update": "updated",
    "restore": "restored",
    "delete": "deleted",
    "disable": "disabled",
}


@dataclass(frozen=True)
class TakingBack:
    """A run as one that can be taken back, and as one that takes `of_run` back.

    `undos` are the runs that take it back or try to. `done` says what it changed, `again` what the next file repeats.
    `kept` are the first accounts that an undo leaves alone, or of which it leaves fields alone, each with the reason.
    """

    may_undo: bool
    leavers: int
    undos: tuple[Run, ...]
    of_run: Run | None
    original_mode: str
    done: str
    again: str
    kept: PlanPage
    undone_until: datetime | None


def taking_back(run: Run, *, actor: Account, now: datetime) -> TakingBack:
    """Return what the pages show of a run."""
    original = original_of(run)
    of_run = run.based_on if run.mode in TAKING_BACK else None
    return TakingBack(
        may_undo=not why_not(run, now=now) and may_decide(run=run, actor=actor),
        leavers=leaving(run),
        undos=tuple(undos_of(run)) if run.state == Run.State.APPLIED else (),
        of_run=of_run,
        original_mode=original.mode,
        done=done_words(run),
        again=again_words(run, of_run, original) if of_run else "",
        kept=plan_rows(run=run, with_findings=True, page_size=PAGE_SIZE) if of_run else PlanPage((), 0),
        undone_until=run.applied_at + UNDONE_WITHIN if run.applied_at else None,
    )


def done_words(run: Run) -> str:
    """Return the changes of an applied run: 9 created, 60 updated, 24 deleted."""
    return ", ".join(f"{run.counts[action]:,} {DONE[action]}" for action in ACCOUNT_ACTIONS if run.counts.get(action))


def again_words(run: Run, of_run: Run, original: Run) -> str:
    """Return what the next file does to the people of an undo. Empty if the undone run was an undo itself."""
    if of_run != original:
        return ""
    actions = ABSENT_ACTIONS if run.mode == RESTORE.name else ACCOUNT_ACTIONS
    done = ", ".join(f"{of_run.counts[action]:,} {DONE[action]}" for action in actions if of_run.counts.get(action))
    return f"The next {MODE_WORDS[original.mode]} file that still says the same does it again ({done})."


def left_by(account: Account, *, now: datetime) -> tuple[Run, str] | None:
    """Return the run that deleted the account, and how many others left by it. None if it cannot be taken back."""
    if account.deleted_at is None:
        return None
    deletions = AccountChange.objects.filter(account=account, action="delete").select_related("run")
    last = deletions.order_by("-changed_at", "-pk").first()
    if last is None or last.run is None or why_not(last.run, now=now, only_leavers=True):
        return None
    return last.run, counted(leaving(last.run), "person", "people")
