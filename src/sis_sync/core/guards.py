"""The guards: limits that hold a plan until a person approves it (section 3 of the sync rules).

To add a guard: a row in GUARDS, its rule in steps/guard/NAME.sql, and `tools/write_docs.py` for docs/approve.md.
"""

from dataclasses import asdict, dataclass, fields
from pathlib import Path

from sis_sync.core.plan import ABSENT_ACTIONS, ACCOUNT_ACTIONS, CHANGING_ACTIONS, ROW_ACTIONS


@dataclass(frozen=True)
class Guard:
    """One guard. steps/guard/NAME.sql contains its rule and its fixed limits.

    `message` is a format string: `{subject}` is the slice, field or example, `{count:row|rows}` a number with its noun.
    `usual_reason` completes "it usually means that". The guard is skipped for a plan with fewer than `least` rows and
    accounts of `of_actions`, because its rule holds no such plan. `needs_history`: it compares earlier runs, which only
    a server knows.
    """

    code: str
    message: str
    usual_reason: str
    of_actions: tuple[str, ...] = ROW_ACTIONS
    least: int = 1
    needs_history: bool = False

    @property
    def name(self) -> str:
        """The file name of the rule: the code without its prefix."""
        return self.code.removeprefix("guard.")


@dataclass(frozen=True)
class GuardLimits:
    """The limits that a school system sets for each mode. The SQL uses these names, as in `:deletions_percent`.

    The deletion limits apply only if the mode judges absence. Percentages are whole numbers, of accounts or of rows.
    """

    deletions_percent: int = 10
    deletions_count: int = 500
    deletions_slice_percent: int = 20
    failed_rows_percent: int = 5


STANDARD_GUARD_LIMITS = GuardLimits()
SETTABLE_LIMITS: tuple[str, ...] = tuple(field.name for field in fields(GuardLimits))


_LOST_PART = "the export lost a school, a grade or the lines after some point"
_OTHER_COLUMNS = "the export's columns or values have changed"
_WRONG_COLUMN = "a column was mapped wrongly or left empty"
_SPREADSHEET = "the file went through a spreadsheet, which changed the IDs"
_SHORTER = "the export is shorter than the last one, or ends before it did: it may have been cut off"

_WEEK = "many small files within 7 days, each below its limit"

_LEAVING = (*ABSENT_ACTIONS, "update")  # an update may disable an account
_MATCHED = ("update", "restore")
_ACCOUNTS = (*ABSENT_ACTIONS, *_MATCHED)

# In the order of the rules. A plan lists the guards that hold it in this order.
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
        least=5,
    ),
    Guard(
        "guard.creations",
        "With this run, {count:person|people} would have {subject} within 7 days: {percent} of the "
        "{base:account|accounts}; the limit is {limit}.",
        "a complete list was sent as a partial file, or people have new IDs",
        ("create", "restore"),
    ),
    Guard(
        "guard.passwords",
        "With this run, {count} {subject} within 7 days; the limit is {limit}.",
        "the files of this mode have set passwords for a short while only, or the SIS made new ones for everyone",
        ("update", "restore", "unchanged"),
    ),
    Guard(
        "guard.enabled",
        "With this run, {count:disabled account|disabled accounts} would have become Active again within 7 days: "
        "{percent} of the {base:account|accounts}; the limit is {limit}.",
        "the export lists people who left as Active again",
        ("update",),
    ),
    Guard(
        "guard.unidentified_rows",
        "{base:account|accounts} would leave while {count:row that names no known account is|rows that name no known "
        "account are} like one of them ({subject}): the same person may be meant.",
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
        "With this run, {count:account|accounts} would have changed their {subject} within 7 days: {percent} of the "
        "{base}; the limit is {limit}.",
        _WRONG_COLUMN,
        _MATCHED,
    ),
    Guard(
        "guard.cleared",
        "{count} of the {base} values of {subject} that this run changes ({percent}) would become empty; "
        "the limit is {limit}.",
        _WRONG_COLUMN,
        _MATCHED,
        least=5,
    ),
    Guard(
        "guard.no_final_newline",
        "The last line of the file ({subject}) has no line end: the file may have been cut off.",
        "the export may have been cut off",
        ACCOUNT_ACTIONS,
    ),
    Guard(
        "guard.lost_zeros",
        "{count} unknown custom IDs differ from known ones in leading zeros only ({subject}): "
        "a spreadsheet may have cut them.",
        _SPREADSHEET,
        ("create", "failed"),
        least=20,
    ),
    Guard(
        "guard.rounded_ids",
        "{count} custom IDs look rounded by a spreadsheet ({subject}).",
        _SPREADSHEET,
        least=5,
    ),
    Guard(
        "guard.renumbered",
        "{count} of {base} absent accounts ({percent}) come back as new rows with the same names and org ({subject}): "
        "did the SIS give out new IDs?",
        "the SIS gave people new IDs: accounts would be deleted and created again",
        ABSENT_ACTIONS,
        least=5,
    ),
    Guard(
        "guard.shifted_columns",
        "{count} of {base:row|rows} ({percent}) have no @ in the address, or have one in a name or ID ({subject}); "
        "the limit is {limit}: did columns of the file move?",
        "values are one column away from their header",
        least=5,
    ),
    Guard(
        "guard.mojibake",
        "{count} of {base:name|names} that this run writes ({percent}) have damaged letters ({subject}); "
        "the limit is {limit}: "
        "was the file saved in a wrong encoding, or with HTML entities?",
        "the export was saved in a wrong encoding, or for a web page: names like Jos\u00c3\u00a9 or O&#39;Brien",
        CHANGING_ACTIONS,
        least=3,
    ),
    Guard(
        "guard.placeholder_names",
        "{count} of {base:name|names} that this run writes ({percent}) are words for nothing, for example {subject}; "
        "the limit is {limit}.",
        "the export writes NULL, nan or #N/A where there is no name",
        CHANGING_ACTIONS,
        least=3,
    ),
    Guard(
        "guard.skipped",
        "{count:row that the mapping leaves out names an account that would leave|"
        "rows that the mapping leaves out name accounts that would leave} ({subject}).",
        "the mapping leaves out rows of people who have accounts",
        ("ignored",),
    ),
    Guard(
        "guard.shrunk",
        "The file has {count:row|rows}, the last applied one of this mode had {base}; the limit is {limit}: "
        "is it complete?",
        _SHORTER,
        (*ROW_ACTIONS, *ABSENT_ACTIONS),
        needs_history=True,
    ),
    Guard(
        "guard.unusual",
        "{count:person|people} would {subject}; of the last 30 runs of this mode, none had more than {base}; "
        "the limit is {limit}.",
        "the export changed in a way that no run of the last weeks did",
        ACCOUNT_ACTIONS,
        least=20,
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
        "{count} of {base:account|accounts} ({percent}) would be deleted or disabled by the first complete list here "
        "that lacks people: is it really complete?",
        "this is the first complete list, and the accounts were created in another way: check that it names everyone",
        ABSENT_ACTIONS,
        needs_history=True,
    ),
    Guard(
        "guard.drip",
        "With this run, {count:account|accounts} {subject} would have left within 7 days: {percent} of the {base}; "
        "the limit is {limit}.",
        _WEEK,
        _LEAVING,
        needs_history=True,
    ),
)
USUAL_REASONS: dict[str, str] = {guard.code: guard.usual_reason for guard in GUARDS}

# The columns of `History.recent_changes`. `number` rises with time. `by_policy` is yes, no, or import (by a first
# import, which the limits of its mode trust). `counts_for` has the names of the SUMS that count the change. `before`
# and `after` are JSON objects of fields.
RECENT_COLUMNS: tuple[str, ...] = ("account_id", "number", "by_policy", "counts_for", "action", "before", "after")
# The guards that count what policy let through in 7 days. Once a person approves a run that one of them held, that one
# counts from 0 again.
SUMS: tuple[str, ...] = ("guard.creations", "guard.passwords", "guard.enabled", "guard.changes", "guard.drip")


@dataclass(frozen=True)
class GuardHit:
    """A guard that holds the plan, because `count` of `base` exceeded `limit`. `message` contains the numbers."""

    code: str
    message: str
    count: int
    base: int
    limit: str

    def as_dict(self) -> dict[str, str | int]:
        """Return the hit for JSON, in the order of the fields."""
        return asdict(self)


@dataclass(frozen=True)
class History:
    """The earlier runs of a school system. The last applied file is the one of the same mode and scope.

    `last_plan` are the two files of its stored plan, with changed and unchanged rows; empty if they were removed.
    `last_rows` is its number of rows. `had_deleting_sync`: an earlier complete list created everyone, or people left
    because they were absent from it.
    `recent_changes` is a CSV file: the changes of accounts that policy let through in the last 7 days, and what people
    changed of the same accounts (see RECENT_COLUMNS). `recent_passwords` is the number of newcomers of those days who
    brought their own password, `recent_passwords_of_existing` that of passwords that files set for other accounts, and
    `recent_password_tries` that of the files of API keys that would have set some and that no person approved.
    `most_of_runs` are the highest numbers of newcomers, updates and leavers among the last 30 applied runs of the mode,
    None if there are fewer than 10.
    `has_retyped_all`: no account has a type of the mode, but some had until policy gave them another.
    """

    last_plan: tuple[Path, Path] | tuple[()] = ()
    last_rows: int = 0
    had_deleting_sync: bool = False
    recent_changes: Path | None = None
    recent_passwords: int = 0
    recent_passwords_of_existing: int = 0
    recent_password_tries: int = 0
    most_of_runs: tuple[int, int, int] | None = None
    has_retyped_all: bool = False


NO_HISTORY = History()
