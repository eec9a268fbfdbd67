"""The words that pages use for the names in the code: one each, the reference product's where it has one."""

from dataclasses import dataclass

from sis_sync.core.fields import STUDENT
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
