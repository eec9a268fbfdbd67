"""The parts of the run page: the progress of the run, a page of its rows, and sentences about its changes."""

from dataclasses import dataclass, replace

from django.db.models import Count

from sis_sync.core.modes import UNDO
from sis_sync.core.plan import ABSENT_ACTIONS, ROW_ACTIONS
from sis_sync.core.wording import counted
from sis_sync.server.accounts.models import FilePassword
from sis_sync.server.runs.models import Run
from sis_sync.server.runs.selectors import PlanPage, plan_rows
from sis_sync.server.web.decision.slices import rows_with_schools
from sis_sync.server.web.render import PAGE_SIZE

State = Run.State
KEPT_OUTCOMES = (FilePassword.Outcome.OVERTAKEN, FilePassword.Outcome.NOT_NEEDED)
STEP_NAMES = ("Received", "Checked", "Approval", "Applied")
# The number of steps done. Failed and cancelled runs are missing because they may end at any step.
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
STOPPED = (State.REFUSED, State.REJECTED, State.SUPERSEDED, State.EXPIRED, State.FAILED, State.CANCELLED)


@dataclass(frozen=True)
class Step:
    """One step. Its progress is done, current, bad (the run ended here), to come, or never (it ended before)."""

    name: str
    progress: str
    icon: str


@dataclass(frozen=True)
class RowsView:
    """A page of the rows with one action, or of all rows. `page` counts from 1."""

    action: str
    rows: PlanPage
    page: int

    @property
    def pages(self) -> int:
        """Return the number of pages, at least 1."""
        return max(1, -(-self.rows.total // PAGE_SIZE))

    @property
    def first(self) -> int:
        """Return the number of the first row of the page, or 0 if there are no rows."""
        return (self.page - 1) * PAGE_SIZE + 1 if self.rows.rows else 0

    @property
    def last(self) -> int:
        """Return the number of the last row of the page."""
        return (self.page - 1) * PAGE_SIZE + len(self.rows.rows)

    @property
    def are_people_leaving(self) -> bool:
        """Return True if the rows are leavers, who are not in the file. The page then shows their current values."""
        return self.action in ABSENT_ACTIONS


def view_rows(run: Run, *, action: str, page: str) -> RowsView:
    """Return the rows that the address asks for. An unknown action selects all rows, an unknown page the first page."""
    known_action = action if action in (*ABSENT_ACTIONS, *ROW_ACTIONS) else ""
    number = int(page) if page.isascii() and page.isdigit() and len(page) < 8 else 1
    rows = plan_rows(run=run, action=known_action, page=number, page_size=PAGE_SIZE)
    shown = rows_with_schools(rows.rows, run)
    return RowsView(known_action, replace(rows, rows=shown), max(number, 1))


def steps_of(run: Run) -> tuple[Step, ...]:
    """Return Received, Checked, Approval and Applied, each with its progress."""
    done = STEPS_DONE.get(run.state, steps_before_end(run))
    return tuple(step_at(place, name, done, run.state in STOPPED) for place, name in enumerate(STEP_NAMES))


def steps_before_end(run: Run) -> int:
    """Return the number of steps that a failed or cancelled run has done."""
    if run.state == State.CANCELLED:  # cancelling withdraws an approval
        return 2 if run.planned_at else 1
    return 3 if run.decided_at else 1


def step_at(place: int, name: str, done: int, is_stopped: bool) -> Step:
    """Return the step at this place if `done` steps are done."""
    if place < done:
        return Step(name, "done", "check")
    if place == done:
        return Step(name, "bad", "cross") if is_stopped else Step(name, "current", "dot")
    return Step(name, "never", "dash") if is_stopped else Step(name, "to come", "dash")


def no_changes_words(run: Run) -> str:
    """Return a sentence on a plan that changes no one. Empty if the plan changes someone, or a row failed.

    The sentence is about rows only: if the mode ignores absence, there may be people who are not in the file.
    """
    if not run.counts or run.changes_accounts or run.counts.get("failed"):
        return ""
    ignored = run.counts.get("ignored", 0)
    if not ignored:
        return "No changes: every row matches its account."
    others = " The other rows match their accounts." if run.counts.get("unchanged") else ""
    return f"No changes: {counted(ignored, 'row was', 'rows were')} ignored.{others}"


def not_made_words(run: Run) -> str:
    """Return a sentence on the Disabled people of the file who have no account. Empty if there are none."""
    number = run.findings.get("row.not_created", 0)
    return f"No account was created for {counted(number, 'disabled person', 'disabled people')}." if number else ""


def password_words(run: Run) -> str:
    """Return sentences on the passwords that the file brings and that are set. Empty if there are none."""
    new, existing = run.newcomers_with_password, run.passwords_of_existing
    sentences = []
    if run.mode == UNDO.name and run.based_on and run.based_on.passwords_of_existing:
        people = counted(run.based_on.passwords_of_existing, "person", "people")
        sentences.append(f"Run {run.based_on.pk} brought passwords for {people}. Their old passwords do not come back.")
    if run.state != State.APPLIED:
        if new:
            sentences.append(f"{counted(new, 'new person gets', 'new people get')} the password of this file.")
        if existing:
            people = counted(existing, "person who has an account gets", "people who have an account get")
            sentences.append(f"{people} the password of this file instead of their own.")
    elif new or existing:
        sentences += _outcome_words(run)
    return " ".join(sentences)


def _outcome_words(run: Run) -> list[str]:
    """Return sentences on what became of the passwords of an applied run."""
    found = FilePassword.objects.filter(run=run).values_list("outcome").annotate(number=Count("pk"))
    outcomes = dict(found.values_list("outcome", "number"))
    existing, sentences = run.passwords_of_existing, []
    if existing:
        people = counted(existing, "person who has an account", "people who have an account")
        sentences.append(f"This file brought another password for {people}.")
    if waiting := outcomes.get(FilePassword.Outcome.WAITING, 0):
        people = counted(waiting, "person", "people")
        then = "They count" if existing else "They can sign in"
        sentences.append(f"The passwords of {people} are being prepared. {then} in a few minutes.")
    if existing and (kept := sum(outcomes.get(name, 0) for name in KEPT_OUTCOMES)):
        people = counted(kept, "person keeps", "people keep")
        sentences.append(f"{people} their own: they have rights now, or have got another password since.")
    if lost := outcomes.get(FilePassword.Outcome.LOST, 0):
        reason = "the key of this file's passwords is not on this server, as after restoring a backup"
        if existing:
            people = counted(lost, "person has not got theirs", "people have not got theirs")
            sentences.append(f"{people}: {reason}.")
        else:
            people = counted(lost, "new person has", "new people have")
            sentences.append(f"{people} no password: {reason}. Set a password for each of them in User Admin.")
    return sentences
