"""The words that pages use for names in the code, one word for each name."""

from dataclasses import dataclass

from sis_sync.core.errors import SisSyncError
from sis_sync.core.fields import ACTIVE, DISABLED, FIELDS, STUDENT
from sis_sync.core.findings import FINDING_CODES, UNDO_CODES
from sis_sync.core.modes import OTHER_FIELDS
from sis_sync.core.wording import counted
from sis_sync.server.accounts.selectors import DELETED
from sis_sync.server.runs.models import Run

MODE_WORDS: dict[str, str] = {
    "partial": "Partial",
    "full": "Full",
    "students": "Student Only",
    "staff": "Admin/Teacher/Staff",
    "undo": "Undo",
    "restore": "Bring people back",
}
MODE_PEOPLE: dict[str, tuple[str, str]] = {
    "partial": ("person", "people"),
    "full": ("person", "people"),
    "students": ("student", "students"),
    "staff": ("administrator, teacher or other staff member", "administrators, teachers and staff"),
    "undo": ("person", "people"),
    "restore": ("person", "people"),
}


def inner_label(label: str) -> str:
    """Return a label as a word inside a sentence: school or district."""
    return f"{label[0].lower()}{label[1:]}".removesuffix(" (external ID)")


FIELD_WORDS: dict[str, str] = {
    **{field.name: field.label for field in FIELDS},
    "is_protected": "Protected from sync",
    "is_deleted": "Deleted",
    "is_held_by_hand": "Held by hand",
    "external_id": "External ID",
    "bytes": "Size",
    "org": "School or district",
    "on_absent": "People not in the file",
    "requires_approval": "Requires approval after validation",
    "needs_two_persons": "Two persons",
    "creates_disabled": "Create disabled people",
    "user_types": "User types",
    "deletions_percent": "Limit: percent of all people who leave",
    "deletions_count": "Limit: number of people who leave",
    "deletions_slice_percent": "Limit: percent of one school or user type",
    "failed_rows_percent": "Limit: percent of failed rows",
    "sets_names": "Update names",
    "sets_passwords": "Update passwords",
    **{f"sets_{field.name}": f"Update {inner_label(field.label)}" for field in FIELDS if field.name in OTHER_FIELDS},
}


# The actions of the audit log whose name in the code does not read as words.
AUDIT_WORDS: dict[str, str] = {
    "client_api.disabled": "Sync Client API disabled",
    "client_api.enabled": "Sync Client API enabled",
    "file.refused_by_client": "File refused by the sync client",
    "mode_settings.one_person_agreed": "Rule of two persons ended by a second manager",
    "mode_settings.one_person_asked": "End of the rule of two persons asked for",
    "mode_settings.one_person_refused": "Rule of two persons kept",
    "mode_settings.updated": "Sync settings updated",
    "org.created": "School added",
    "org.updated": "School or district updated",
    "own_names.changed": "Who may change their own names changed",
}


@dataclass(frozen=True)
class Badge:
    """The look of a status: an icon, a word and a colour (`good`, `wait`, `bad`, `busy` or none)."""

    icon: str
    word: str
    tone: str = ""


@dataclass(frozen=True)
class StateWords:
    """The badge of a run's state, and what the state means for the people in the file."""

    badge: Badge
    meaning: str


State = Run.State
STATES: dict[str, StateWords] = {
    State.RECEIVED: StateWords(
        Badge("busy", State.RECEIVED.label, "busy"),
        "The file has arrived and waits for its turn to be checked. You can leave this page.",
    ),
    State.CHECKING: StateWords(
        Badge("busy", State.CHECKING.label, "busy"),
        "The file is being checked. Nothing changes until the check is done. You can leave this page.",
    ),
    State.REFUSED: StateWords(
        Badge("cross", State.REFUSED.label, "bad"), "The whole file was refused. No account was changed."
    ),
    State.WAITING: StateWords(
        Badge("clock", State.WAITING.label, "wait"), "The check is done. Nothing changes until a manager approves."
    ),
    State.HELD: StateWords(
        Badge("hand", State.HELD.label, "wait"),
        "A limit was exceeded. Nothing changes until a manager has looked and approves.",
    ),
    State.APPROVED: StateWords(
        Badge("busy", State.APPROVED.label, "busy"),
        "The changes are made as soon as it is this run's turn. You can leave this page.",
    ),
    State.APPLYING: StateWords(
        Badge("busy", State.APPLYING.label, "busy"),
        "The changes are being made, all together or not at all. You can leave this page.",
    ),
    State.APPLIED: StateWords(Badge("check", State.APPLIED.label, "good"), "All changes were made."),
    State.REJECTED: StateWords(Badge("cross", State.REJECTED.label), "No account was changed."),
    State.SUPERSEDED: StateWords(
        Badge("dash", State.SUPERSEDED.label),
        "A newer file of the same mode took its place. No account was changed by this one.",
    ),
    State.EXPIRED: StateWords(
        Badge("clock", State.EXPIRED.label),
        "No one decided within 7 days. No account was changed. Upload the newest export instead.",
    ),
    State.OUT_OF_DATE: StateWords(
        Badge("busy", State.OUT_OF_DATE.label, "busy"),
        "Accounts or settings changed since the check. The file is checked again, and shown again.",
    ),
    State.FAILED: StateWords(
        Badge("warn", State.FAILED.label, "bad"),
        "Something went wrong on the server. No account was changed. Upload the file again.",
    ),
    State.CANCELLED: StateWords(
        Badge("cross", State.CANCELLED.label), "Someone cancelled it before it was applied. No account was changed."
    ),
}


def state_words(run: Run) -> StateWords:
    """Return the badge and the meaning of the run's state. Only a run of which everything was applied is green."""
    known = STATES[run.state]
    if run.state != State.APPLIED:
        return known
    failed, has_changes = run.counts.get("failed", 0), run.changes_accounts
    done = "All other changes were made." if has_changes else "Nothing was changed."
    if not failed:
        return known if has_changes else StateWords(known.badge, "There was nothing to change.")
    rows = counted(failed, "row", "rows")
    people = "that person stays as they are" if failed == 1 else "their people stay as they are"
    return StateWords(Badge("warn", f"Applied, {rows} failed", "wait"), f"{rows} failed: {people}. {done}")


@dataclass(frozen=True)
class ActionWords:
    """The badge of an action on a row or account, and its word once it is done."""

    badge: Badge
    done: str


ACTIONS: dict[str, ActionWords] = {
    "create": ActionWords(Badge("plus", "Create", "good"), "Created"),
    "update": ActionWords(Badge("pen", "Update", "busy"), "Updated"),
    "restore": ActionWords(Badge("back", "Restore", "good"), "Restored"),
    "unchanged": ActionWords(Badge("dash", "Unchanged"), "Unchanged"),
    "ignored": ActionWords(Badge("dash", "Ignored"), "Ignored"),
    "failed": ActionWords(Badge("warn", "Failed", "bad"), "Failed"),
    "delete": ActionWords(Badge("cross", "Delete", "bad"), "Deleted"),
    "disable": ActionWords(Badge("lock", "Disable", "bad"), "Disabled"),
    "enable": ActionWords(Badge("check", "Enable", "good"), "Enabled"),
    "password": ActionWords(Badge("lock", "Password", "busy"), "Password changed"),
    "claim_code": ActionWords(Badge("lock", "Claim code"), "Claim code made"),
    "claim": ActionWords(Badge("check", "Claim", "good"), "Account claimed"),
}
# The lists of people on the page of a plan: their names, and what they are about.
LISTS: dict[str, tuple[str, str]] = {
    "delete": ("Leave", "they are not in the file and would be deleted, restorable for 180 days"),
    "disable": ("Leave", "they are not in the file and would be disabled"),
    "restore": ("Come back", "they were deleted, and the file has them again"),
    "create": ("New", "by school, then name"),
    "update": ("Change", "old and new values"),
    "password": ("Get a password", "that of the file, instead of their own"),
    "failed": ("Failed", "nothing of these rows is taken, and their people stay as they are"),
}
# What some of these lists are about in a plan that takes a run back, which has no file.
LISTS_OF_UNDO: dict[str, str] = {
    "delete": "they are new by the run and would be deleted, restorable for 180 days",
    "restore": "they left by the run",
    "failed": "they stay as they are",
}
MAY_LEAVE_AGAIN = (
    "A complete list deletes them again if it does not name them. To keep them, protect them from sync: Edit User Info."
)
STATUS_BADGES: dict[str, Badge] = {
    ACTIVE: Badge("check", ACTIVE, "good"),
    DISABLED: Badge("lock", DISABLED),
    DELETED: Badge("cross", DELETED, "bad"),
}


def id_label(user_type: str) -> str:
    """Return the label of the custom ID: Student ID or Employee ID, both if the type is not known."""
    if not user_type:
        return "Employee ID / Student ID"
    return "Student ID" if user_type == STUDENT else "Employee ID"


def field_word(name: str) -> str:
    """Return the label of a field."""
    return FIELD_WORDS.get(name, name.replace("_", " ").capitalize())


def action_word(action: str, *, is_done: bool) -> str:
    """Return Create, or Created once it is done."""
    words = ACTIONS[action]
    return words.done if is_done else words.badge.word


def error_words(error: SisSyncError) -> str:
    """Return what went wrong and what to do."""
    return f"{error.message} {error.fix}".strip()


def finding_word(code: str) -> str:
    """Return the title of a finding code. An unknown code, stored by an older version, is its own title."""
    known = FINDING_CODES.get(code) or UNDO_CODES.get(code)
    return known.title if known else code


def is_error(code: str) -> bool:
    """Return True if a row with this finding fails. Otherwise the finding is a remark and the row is accepted."""
    known = FINDING_CODES.get(code) or UNDO_CODES.get(code)
    return known is not None and known.severity == "error"
