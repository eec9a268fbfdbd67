"""The words that pages use for the names in the code: one each, the reference product's where it has one."""

from dataclasses import dataclass
from datetime import datetime

from sis_sync.core.fields import STUDENT
from sis_sync.core.findings import FINDING_CODES
from sis_sync.core.limits import RESTORABLE_FOR
from sis_sync.server.accounts.models import Account
from sis_sync.server.audit.models import AccountChange
from sis_sync.server.runs.models import Run

State = Run.State

MODE_WORDS: dict[str, str] = {
    "partial": "Partial",
    "full": "Full",
    "students": "Student Only",
    "staff": "Admin/Teacher/Staff",
}
MODE_PEOPLE: dict[str, tuple[str, str]] = {
    "partial": ("person", "people"),
    "full": ("person", "people"),
    "students": ("student", "students"),
    "staff": ("administrator, teacher or other staff member", "administrators, teachers and staff"),
}
FIELD_WORDS: dict[str, str] = {
    "email": "E-mail",
    "custom_id": "Employee/Student ID",
    "school_district_external_id": "School or district (external ID)",
    "user_type": "User type",
    "is_protected": "Protected from sync",
    "is_deleted": "Deleted",
    "is_held_by_hand": "Held by hand",
    "external_id": "External ID",
    "org": "School or district",
    "on_absent": "People not in the file",
}


@dataclass(frozen=True)
class Badge:
    """How a status looks: an icon, a word and a colour (`good`, `wait`, `bad`, `busy` or none)."""

    icon: str
    word: str
    tone: str = ""


STATE_BADGES: dict[str, Badge] = {
    State.RECEIVED: Badge("busy", "Received", "busy"),
    State.CHECKING: Badge("busy", "Checking", "busy"),
    State.REFUSED: Badge("cross", "File refused", "bad"),
    State.WAITING: Badge("clock", "Waiting for approval", "wait"),
    State.HELD: Badge("hand", "On hold", "wait"),
    State.APPROVED: Badge("busy", "Approved", "busy"),
    State.APPLYING: Badge("busy", "Applying", "busy"),
    State.APPLIED: Badge("check", "Applied", "good"),
    State.REJECTED: Badge("cross", "Rejected"),
    State.SUPERSEDED: Badge("dash", "Superseded"),
    State.EXPIRED: Badge("clock", "Expired"),
    State.OUT_OF_DATE: Badge("busy", "Out of date", "busy"),
    State.FAILED: Badge("warn", "Failed", "bad"),
}
STATE_MEANINGS: dict[str, str] = {
    State.RECEIVED: "The file has arrived and waits for its turn to be checked. You can leave this page.",
    State.CHECKING: "The file is being checked. Nothing changes until the check is done. You can leave this page.",
    State.REFUSED: "The whole file was refused. No account was changed.",
    State.WAITING: "The check is done. Nothing changes until a manager approves.",
    State.HELD: "A limit was exceeded. Nothing changes until a manager has looked and approves.",
    State.APPROVED: "The changes are made as soon as it is this run's turn. You can leave this page.",
    State.APPLYING: "The changes are being made, all together or not at all. You can leave this page.",
    State.APPLIED: "All changes were made.",
    State.REJECTED: "No account was changed.",
    State.SUPERSEDED: "A newer file of the same mode took its place. No account was changed by this one.",
    State.EXPIRED: "Nobody decided within 7 days. No account was changed. Upload the newest export instead.",
    State.OUT_OF_DATE: "Accounts or settings changed since the check. The file is checked again, and shown again.",
    State.FAILED: "Something went wrong on the server. No account was changed. Upload the file again.",
}
MOVING_STATES = (State.RECEIVED, State.CHECKING, State.APPROVED, State.APPLYING, State.OUT_OF_DATE)
DECIDABLE_STATES = (State.WAITING, State.HELD)

ACTION_BADGES: dict[str, Badge] = {
    "create": Badge("plus", "Create", "good"),
    "update": Badge("pen", "Update", "busy"),
    "restore": Badge("back", "Restore", "good"),
    "unchanged": Badge("dash", "Unchanged"),
    "ignored": Badge("dash", "Ignored"),
    "failed": Badge("warn", "Failed", "bad"),
    "delete": Badge("cross", "Delete", "bad"),
    "disable": Badge("lock", "Disable", "bad"),
    "enable": Badge("check", "Enable", "good"),
    "password": Badge("lock", "Password", "busy"),
}
DONE_WORDS: dict[str, str] = {
    "create": "Created",
    "update": "Updated",
    "restore": "Restored",
    "delete": "Deleted",
    "disable": "Disabled",
    "enable": "Enabled",
    "password": "Password changed",
}
COUNT_WORDS: dict[str, str] = {
    "delete": "Delete",
    "disable": "Disable",
    "create": "Create",
    "update": "Update",
    "restore": "Restore",
    "unchanged": "Unchanged",
    "ignored": "Ignored",
    "failed": "Failed",
    "rows": "Rows in file",
}
SELDOM_COUNTS = ("disable", "restore", "ignored")
ACTION_HEADINGS: dict[str, str] = {
    "delete": "People who would be deleted",
    "disable": "People who would be disabled",
    "update": "People who would be updated",
    "restore": "Deleted people who would come back",
    "create": "People who would be created",
}
DELIMITER_WORDS: dict[str, str] = {",": "comma", "\t": "tab", ";": "semicolon", "|": "bar"}
STATUS_BADGES: dict[str, Badge] = {
    "Active": Badge("check", "Active", "good"),
    "Disabled": Badge("lock", "Disabled"),
    "Deleted": Badge("cross", "Deleted", "bad"),
}


def id_label(user_type: str) -> str:
    """The label of the custom ID: Student ID or Employee ID, both where the type is not known."""
    if not user_type:
        return "Employee ID / Student ID"
    return "Student ID" if user_type == STUDENT else "Employee ID"


def field_word(name: str) -> str:
    """The label of a field."""
    return FIELD_WORDS.get(name, name.replace("_", " ").capitalize())


KINDS: dict[str, str] = {
    "required": "is empty",
    "too_long": "is too long",
    "unknown": "is not one of the known values",
}
CODES: dict[str, str] = {
    "email.invalid": "E-mail is not an address",
    "email.duplicate": "The same e-mail for several people",
    "email.taken": "E-mail belongs to another account",
    "email.taken_unmanaged": "E-mail belongs to an account without an ID",
    "custom_id.placeholder": "Employee/Student ID is a placeholder such as N/A",
    "custom_id.duplicate": "The same Employee/Student ID with different data",
    "org.unknown": "No school or district has this external ID",
    "org.out_of_scope": "School or district outside what the sender manages",
    "account.out_of_scope": "Account outside what the sender manages",
    "account.out_of_mode": "Account of a type that this mode may not touch",
    "account.last_manager": "No manager of the district would be left",
    "account.protected": "Account is protected from sync",
    "account.held_by_hand": "Account was disabled or deleted by hand and stays so",
    "user_type.out_of_mode": "User type that this mode does not manage",
    "row.columns": "Too many or too few columns",
    "row.quote": "Stray quotation mark",
    "row.encoding": "Bytes that are no text",
    "row.control_character": "Control character in a value",
    "row.duplicate": "The same row again (the first counts)",
    "row.other_org": "The same person at another school (the first counts)",
    "row.skipped": "Left out by the column mapping",
    "position.ignored": "Position of a student, ignored",
    "grade.ignored": "Grade of somebody who is no student, ignored",
    "column.ignored": "Column that is not one of ours, ignored",
    "file.encoding_fallback": "The file is not UTF-8 and was read in another encoding",
    "file.no_final_newline": "The last line has no line end",
}


def finding_word(code: str) -> str:
    """The kind of fault that the code stands for."""
    if code in CODES:
        return CODES[code]
    field, _, kind = code.partition(".")
    if kind in KINDS:
        return f"{field_word(field)} {KINDS[kind]}"
    known = FINDING_CODES.get(code)
    return known.message if known else code


def is_error(code: str) -> bool:
    """Whether rows fail by it; else it is a remark and the row goes on."""
    known = FINDING_CODES.get(code)
    return known is not None and known.severity == "error"


def restorable_until(account: Account) -> datetime | None:
    """When a deleted account can be restored no longer; None for one that is not deleted."""
    return account.deleted_at + RESTORABLE_FOR if account.deleted_at else None


def is_restorable(account: Account, now: datetime) -> bool:
    """Whether it is deleted and can still be restored."""
    until = restorable_until(account)
    return until is not None and now < until


def held_words(account: Account, now: datetime) -> str:
    """Why files do not bring it back, and who can. Empty where files may, or nobody can."""
    if not account.is_held_by_hand:
        return ""
    if account.deleted_at is None:
        return "Disabled by hand: no file enables or changes it until somebody enables it here."
    if not is_restorable(account, now):
        return ""
    run_id = deleted_by_run(account)
    if run_id is None:
        return "Deleted by hand: it stays so, whatever files say, until somebody restores it here."
    return (
        f"Disabled by hand, and later deleted by run {run_id}, whose file did not name it. "
        "No file brings it back; whoever restores it here gets it back disabled."
    )


def deleted_by_run(account: Account) -> int | None:
    """The run that deleted it; None if a person did."""
    deletions = AccountChange.objects.filter(account=account, action="delete").order_by("-changed_at", "-id")
    last = deletions.first()
    return last.run_id if last else None
