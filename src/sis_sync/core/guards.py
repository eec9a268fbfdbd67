"""The guards: limits that hold a plan until a person approves it (the sync rules' section 3)."""

from dataclasses import asdict, dataclass
from pathlib import Path


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
class GuardLimits:
    """The limits of one mode. Percentages are of whole accounts or rows; `*_floor` is the least count that counts.

    Only deletions and failed rows are settings; the others are fixed.
    """

    deletions_percent: int = 10
    deletions_count: int = 500
    deletions_slice_percent: int = 20
    failed_rows_percent: int = 5
    floor: int = 5
    emptied_floor: int = 5
    changes_percent: int = 5
    changes_floor: int = 20
    cleared_percent: int = 5
    cleared_floor: int = 20
    lost_zeros: int = 20
    rounded_ids: int = 5
    renumbered: int = 5
    shifted_percent: int = 2
    mojibake_per_mille: int = 1
    mojibake_floor: int = 3
    shrunk_percent: int = 20
    drip_percent: int = 15


STANDARD_LIMITS = GuardLimits()


# What each guard says. `subject` is the slice, field or example; `{count:row|rows}` is the count with its noun.
# The order is that of the rules.
GUARD_MESSAGES: dict[str, str] = {
    "guard.deletions": (
        "{count} of {base:account|accounts} {subject} ({percent}) would be deleted or disabled; the limit is {limit}."
    ),
    "guard.emptied": "All {count:active account|active accounts} {subject} would be gone after this run.",
    "guard.failed_rows": "{count} of {base:row|rows} ({percent}) failed; the limit is {limit}.",
    "guard.unidentified_rows": (
        "{base:account|accounts} would leave while {count:failed row names|failed rows name} no known account "
        "({subject}): one of these people may be meant."
    ),
    "guard.managers": (
        "{count:account|accounts} with rights would be deleted, disabled, moved, restored or "
        "change address ({subject})."
    ),
    "guard.identity": (
        "{count:row changes|rows change} first name, last name and address of one account together ({subject}): "
        "was the ID given to somebody else?"
    ),
    "guard.changes": (
        "{count} of {base} matched accounts ({percent}) would change their {subject}; the limit is {limit}."
    ),
    "guard.cleared": "{count} of {base} values of {subject} ({percent}) would become empty; the limit is {limit}.",
    "guard.no_final_newline": "The last line of the file ({subject}) has no line end: the file may have been cut off.",
    "guard.lost_zeros": (
        "{count} unknown custom IDs equal known ones but for leading zeros ({subject}): "
        "a spreadsheet may have cut them."
    ),
    "guard.rounded_ids": "{count} custom IDs look rounded by a spreadsheet ({subject}).",
    "guard.renumbered": (
        "{count} of {base} absent accounts ({percent}) come back as new rows with the same names and org ({subject}): "
        "did the SIS give out new IDs?"
    ),
    "guard.shifted_columns": (
        "{count} of {base:row|rows} ({percent}) have no @ in the address, or have one in a name or ID ({subject}); "
        "the limit is {limit}: did columns of the file move?"
    ),
    "guard.mojibake": (
        "{count} of {base:name|names} ({percent}) have damaged letters ({subject}); the limit is {limit}: "
        "was the file saved in a wrong encoding?"
    ),
    "guard.skipped": (
        "{count:row that the mapping leaves out names a live account|"
        "rows that the mapping leaves out name live accounts} ({subject})."
    ),
    "guard.shrunk": (
        "The file has {count:row|rows}, the last applied one of this mode had {base}; the limit is {limit}: "
        "is it complete?"
    ),
    "guard.tail": (
        "The last applied file ends with {count:person who is absent|people who are absent} now "
        "({subject}; {base:person is|people are} absent in all): the file may have been cut off at a line end."
    ),
    "guard.first_sync": (
        "{count} of {base:account|accounts} ({percent}) would be deleted or disabled by the first file here whose "
        "absent people leave: is it the complete list?"
    ),
    "guard.drip": (
        "With this run, {count:account|accounts} would have left within 7 days: {percent} of the {base} there are now; "
        "the limit is {limit}."
    ),
}

# These compare with earlier runs, which only a server knows.
HISTORY_GUARDS = frozenset({"guard.shrunk", "guard.tail", "guard.first_sync", "guard.drip"})


@dataclass(frozen=True)
class History:
    """Of the last applied file of the same mode and scope: its rows, and the files of its stored plan.

    `last_plan` are the rows that changed anything and those that did not; none if they are gone.
    `had_deleting_sync`: whether a file whose absent accounts leave was ever applied in this school system.
    `left_ids`: custom IDs of accounts that runs deleted or disabled in the last 7 days, come back since or not.
    """

    last_plan: tuple[Path, Path] | tuple[()] = ()
    last_rows: int = 0
    had_deleting_sync: bool = False
    left_ids: tuple[str, ...] = ()
