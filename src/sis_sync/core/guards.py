"""The guards: limits that hold a plan until a person approves it (the sync rules' section 3).

To add a guard: a row in GUARDS, its rule in steps/guard/NAME.sql, and `tools/write_docs.py` for docs/approve.md.
"""

from dataclasses import asdict, dataclass
from pathlib import Path

from sis_sync.core.plan import ABSENT_ACTIONS, CHANGING_ACTIONS, ROW_ACTIONS


@dataclass(frozen=True)
class Guard:
    """One guard. Its rule, with the limits that are fixed, is steps/guard/NAME.sql.

    `message` is a format: `{subject}` is the slice, field or example, `{count:row|rows}` a number with its noun.
    `usual_reason` completes "it usually means that". Only a plan with one of `of_actions` can have a case of the guard;
    for any other plan the guard is skipped. `needs_history`: only a server knows the earlier runs.
    """

    code: str
    message: str
    usual_reason: str
    of_actions: tuple[str, ...] = ROW_ACTIONS
    needs_history: bool = False

    @property
    def name(self) -> str:
        """The name of the file with the rule: the code without its prefix."""
        return self.code.removeprefix("guard.")


_LOST_PART = "the export lost a school, a grade or the lines after some point"
_OTHER_COLUMNS = "the export's columns or values have changed"
_WRONG_COLUMN = "a column was mapped wrongly or left empty"
_SPREADSHEET = "the file went through a spreadsheet, which changed the IDs"
_SHORTER = "the export is shorter than the last one, or ends where that one went on: it may have been cut off"

_LEAVING = (*ABSENT_ACTIONS, "update")  # an update may disable an account
_MATCHED = ("update", "restore")
_ACCOUNTS = (*ABSENT_ACTIONS, *_MATCHED)

# In the order of the rules, in which a plan lists the guards that hold it.
GUARDS: tuple[Guard, ...] = (
    Guard(
        "guard.deletions",
        "{count} of {base:account|accounts} {subject} ({percent}) would be deleted or disabled; the limit is {limit}.",
        _LOST_PART,
        _LEAVING,
    ),
    Guard(
        "guard.emptied",
        "All {count:active account|active accounts} {subject} would be gone after this run.",
        _LOST_PART,
        _ACCOUNTS,
    ),
    Guard(
        "guard.failed_rows",
        "{count} of {base:row|rows} ({percent}) failed; the limit is {limit}.",
        _OTHER_COLUMNS,
        ("failed",),
    ),
    Guard(
        "guard.unidentified_rows",
        "{base:account|accounts} would leave while {count:failed row names|failed rows name} no known account "
        "({subject}): one of these people may be meant.",
        _OTHER_COLUMNS,
        _LEAVING,
    ),
    Guard(
        "guard.managers",
        "{count:account|accounts} with rights would be deleted, disabled, moved, restored or change address "
        "({subject}).",
        "someone who runs the system would be deleted, disabled or moved",
        _ACCOUNTS,
    ),
    Guard(
        "guard.identity",
        "{count:row changes|rows change} first name, last name and address of one account together ({subject}): "
        "was the ID given to someone else?",
        "an Employee or Student ID was given to another person",
        _MATCHED,
    ),
    Guard(
        "guard.changes",
        "{count} of {base} matched accounts ({percent}) would change their {subject}; the limit is {limit}.",
        _WRONG_COLUMN,
        _MATCHED,
    ),
    Guard(
        "guard.cleared",
        "{count} of {base} values of {subject} ({percent}) would become empty; the limit is {limit}.",
        _WRONG_COLUMN,
        _MATCHED,
    ),
    Guard(
        "guard.no_final_newline",
        "The last line of the file ({subject}) has no line end: the file may have been cut off.",
        "the export may have been cut off",
        (*CHANGING_ACTIONS, *ABSENT_ACTIONS),
    ),
    Guard(
        "guard.lost_zeros",
        "{count} unknown custom IDs equal known ones but for leading zeros ({subject}): "
        "a spreadsheet may have cut them.",
        _SPREADSHEET,
        ("create", "failed"),
    ),
    Guard(
        "guard.rounded_ids",
        "{count} custom IDs look rounded by a spreadsheet ({subject}).",
        _SPREADSHEET,
    ),
    Guard(
        "guard.renumbered",
        "{count} of {base} absent accounts ({percent}) come back as new rows with the same names and org ({subject}): "
        "did the SIS give out new IDs?",
        "the SIS gave people new IDs: accounts would be deleted and created again",
        ABSENT_ACTIONS,
    ),
    Guard(
        "guard.shifted_columns",
        "{count} of {base:row|rows} ({percent}) have no @ in the address, or have one in a name or ID ({subject}); "
        "the limit is {limit}: did columns of the file move?",
        "values stand one column beside their header",
    ),
    Guard(
        "guard.mojibake",
        "{count} of {base:name|names} ({percent}) have damaged letters ({subject}); the limit is {limit}: "
        "was the file saved in a wrong encoding?",
        "the export was saved in a wrong encoding: names like Jos\u00c3\u00a9",
    ),
    Guard(
        "guard.skipped",
        "{count:row that the mapping leaves out names a live account|"
        "rows that the mapping leaves out name live accounts} ({subject}).",
        "the mapping leaves out rows of people who have accounts",
        ("ignored",),
    ),
    Guard(
        "guard.shrunk",
        "The file has {count:row|rows}, the last applied one of this mode had {base}; the limit is {limit}: "
        "is it complete?",
        _SHORTER,
        needs_history=True,
    ),
    Guard(
        "guard.tail",
        "The last applied file ends with {count:person who is absent|people who are absent} now "
        "({subject}; {base:person is|people are} absent in all): the file may have been cut off at a line end.",
        _SHORTER,
        ABSENT_ACTIONS,
        needs_history=True,
    ),
    Guard(
        "guard.first_sync",
        "{count} of {base:account|accounts} ({percent}) would be deleted or disabled by the first file here whose "
        "absent people leave: is it the complete list?",
        "the first complete list over accounts that came another way: is everybody in it?",
        ABSENT_ACTIONS,
        needs_history=True,
    ),
    Guard(
        "guard.drip",
        "With this run, {count:account|accounts} would have left within 7 days: {percent} of the {base} there are "
        "now; the limit is {limit}.",
        "many small deletions within 7 days, each below its limit",
        _LEAVING,
        needs_history=True,
    ),
)


@dataclass(frozen=True)
class GuardHit:
    """A guard that holds the plan. `count` of `base` went over `limit`; `message` says it in numbers."""

    code: str
    message: str
    count: int
    base: int
    limit: str

    def as_dict(self) -> dict[str, str | int]:
        """For JSON, in the order of the fields."""
        return asdict(self)


@dataclass(frozen=True)
class History:
    """Of the last applied file of the same mode and scope: its rows, and the files of its stored plan.

    `last_plan` are the rows that changed anything and those that did not; none if they are gone.
    `had_deleting_sync`: a file whose absent accounts leave was applied in this school system before.
    `left_ids`: custom IDs of accounts that runs deleted or disabled in the last 7 days, come back since or not.
    """

    last_plan: tuple[Path, Path] | tuple[()] = ()
    last_rows: int = 0
    had_deleting_sync: bool = False
    left_ids: tuple[str, ...] = ()
