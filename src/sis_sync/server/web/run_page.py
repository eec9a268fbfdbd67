"""What the pages show of a run: its steps, and a page of its rows."""

from dataclasses import dataclass

from sis_sync.core.fields import ACTIVE
from sis_sync.core.modes import MODES
from sis_sync.core.plan import ABSENT_ACTIONS, CHANGING_ACTIONS, ROW_ACTIONS
from sis_sync.core.wording import counted, percent
from sis_sync.server.accounts.models import Account
from sis_sync.server.orgs.models import Org
from sis_sync.server.runs.models import Run
from sis_sync.server.runs.permission import leaving
from sis_sync.server.runs.selectors import PlanPage, plan_rows
from sis_sync.server.web.words import DECIDABLE_STATES, MODE_PEOPLE

PAGE_SIZE = 50
ACTIONS = (*ABSENT_ACTIONS, *ROW_ACTIONS)
STEP_NAMES = ("Received", "Checked", "Approval", "Applied")
State = Run.State
# How many steps are done, and whether it stopped there for good.
STEPS_DONE: dict[str, int] = {
    State.RECEIVED: 1,
    State.CHECKING: 1,
    State.REFUSED: 1,
    State.OUT_OF_DATE: 1,
    State.WAITING: 2,
    State.HELD: 2,
    State.REJECTED: 2,
    State.SUPERSEDED: 2,
    State.EXPIRED: 2,
    State.APPROVED: 3,
    State.APPLYING: 3,
    State.APPLIED: 4,
}
STOPPED = (State.REFUSED, State.REJECTED, State.SUPERSEDED, State.EXPIRED, State.FAILED)


@dataclass(frozen=True)
class Step:
    """One step: done, current, bad (it ended here), to come, or never (it ended before)."""

    name: str
    progress: str
    icon: str


@dataclass(frozen=True)
class RunView:
    """A page of the rows with one action, or of all. `page` counts from 1."""

    action: str
    rows: PlanPage
    page: int

    @property
    def pages(self) -> int:
        """How many pages there are, at least one."""
        return max(1, -(-self.rows.total // PAGE_SIZE))

    @property
    def first(self) -> int:
        """The number of the first row shown; 0 where there are none."""
        return (self.page - 1) * PAGE_SIZE + 1 if self.rows.rows else 0

    @property
    def last(self) -> int:
        """The number of the last row shown."""
        return (self.page - 1) * PAGE_SIZE + len(self.rows.rows)

    @property
    def names_the_past(self) -> bool:
        """Whether rows hold what accounts were: those of people who leave."""
        return self.action in ABSENT_ACTIONS


def look_at(run: Run, *, action: str, page: str) -> RunView:
    """The rows of the run that the address asks for; what it cannot mean is left aside."""
    wanted = action if action in ACTIONS else ""
    number = int(page) if page.isascii() and page.isdigit() and len(page) < 8 else 1
    return RunView(wanted, plan_rows(run=run, action=wanted, page=number, page_size=PAGE_SIZE), max(number, 1))


def steps_of(run: Run) -> tuple[Step, ...]:
    """Received, Checked, Approval, Applied, with how far the run came."""
    done = STEPS_DONE.get(run.state, 3 if run.decided_at else 1)
    return tuple(step_at(place, name, done, run.state in STOPPED) for place, name in enumerate(STEP_NAMES))


def step_at(place: int, name: str, done: int, is_stopped: bool) -> Step:
    """The step at this place."""
    if place < done:
        return Step(name, "done", "check")
    if place == done:
        return Step(name, "bad", "cross") if is_stopped else Step(name, "current", "dot")
    return Step(name, "never", "dash") if is_stopped else Step(name, "to come", "dash")


def approve_words(run: Run) -> str:
    """What approving does, in numbers: create 40, update 310, delete 214."""
    shown = [
        f"{action} {run.counts[action]:,}"
        for action in ("create", "update", "restore", "disable", "delete")
        if run.counts.get(action)
    ]
    return ", ".join(shown) or counted(0, "change", "changes")


def no_changes_words(run: Run) -> str:
    """What a plan that changes nobody found. Empty where somebody would change, or a row failed.

    It speaks of rows only: people who are not in the file may be there, where the mode leaves them alone.
    """
    quiet = (*CHANGING_ACTIONS, *ABSENT_ACTIONS, "failed")
    if not run.counts or any(run.counts.get(name) for name in quiet):
        return ""
    ignored = run.counts.get("ignored", 0)
    if not ignored:
        return "No changes: every row matches its account."
    others = " The other rows match their accounts." if run.counts.get("unchanged") else ""
    return f"No changes: {counted(ignored, 'row was', 'rows were')} ignored.{others}"


def leaving_words(run: Run) -> str:
    """214 of the 8,586 people here now would be deleted (2.5 %). Empty where nobody leaves, or nothing is to decide.

    Guards speak of those who were here at the check; "now" keeps two numbers from contradicting each other.
    """
    number = leaving(run)
    if not number or run.state not in DECIDABLE_STATES:
        return ""
    base = people_managed(run)
    fate = "deleted" if run.counts.get("delete") else "disabled"
    people = counted(base, *MODE_PEOPLE[run.mode])
    return f"{number:,} of the {people} here now would be {fate} ({percent(number, base)})."


def people_managed(run: Run) -> int:
    """The managed, live accounts of the mode's types in the run's scope: all that it could delete, or else disable."""
    people = Account.objects.filter(
        school_system_id=run.school_system_id,
        custom_id__isnull=False,
        deleted_at__isnull=True,
        user_type__in=MODES[run.mode].user_types,
    )
    if not run.counts.get("delete"):
        people = people.filter(status=ACTIVE)
    is_district = run.scope_org.kind == Org.Kind.DISTRICT
    return people.count() if is_district else people.filter(org_id=run.scope_org_id).count()
