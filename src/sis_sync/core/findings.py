"""The finding codes, each with its message and fix. A released code never changes; its message may.

In a message `{value}` is replaced by the value found, `{other}` by the lines or the limit in conflict with it.
"""

from dataclasses import dataclass
from typing import Literal

from sis_sync.core.fields import FIELDS, LABELS, NAME_FIELDS, STATUSES, USER_TYPES
from sis_sync.core.modes import OTHER_FIELDS
from sis_sync.core.wording import fill

Severity = Literal["error", "warning"]
_GRADES_IN_WORDS = "Unspecified, PreK, K, 1 to 12, Other"
SEND_AGAIN = "Correct it in the SIS and send the file again."
MADE_BY = "The mapping line {line} made this value: "
MADE_FIX = "change that line, not the SIS."
MADE_TWICE_FIX = f"{MADE_FIX} The line unique.email=number numbers addresses that someone has."


@dataclass(frozen=True)
class FindingCode:
    """A kind of fault or remark. `column` is its field, empty if it concerns the whole row or file.

    `title` is the heading for all findings of this code; `message` describes one of them. `made_fix` follows the name
    of the mapping line if a mapping made the value. `remark` and `remark_fix` replace message and fix on rows where the
    fault of an error is only a warning. `names_account`: `{other}` names someone else's account. `keeps_value`:
    `{other}` is a value of the account that the file does not have.
    """

    code: str
    severity: Severity
    title: str
    message: str
    fix: str = SEND_AGAIN
    column: str = ""
    names_account: bool = False
    keeps_value: bool = False
    made_fix: str = MADE_FIX
    remark: str = ""
    remark_fix: str = ""


def _of_field(
    column: str, rule: str, title: str, message: str, fix: str = SEND_AGAIN, made_fix: str = MADE_FIX
) -> FindingCode:
    return FindingCode(f"{column}.{rule}", "error", title, message, fix, column, made_fix=made_fix)


def _warning(code: str, title: str, message: str, fix: str = "", column: str = "") -> FindingCode:
    return FindingCode(code, "warning", title, message, fix, column)


def _row(code: str, title: str, message: str, fix: str = SEND_AGAIN, column: str = "") -> FindingCode:
    return FindingCode(code, "error", title, message, fix, column)


_FIELD_CODES = (
    *(_of_field(f.name, "required", f"{f.label} is empty", f"{f.name} is empty") for f in FIELDS if f.is_required),
    *(
        _of_field(
            f.name,
            "too_long",
            f"{f.label} is too long",
            f'{f.name}: "{{value}}" is longer than {f.max_length} characters',
        )
        for f in FIELDS
        if f.max_length
    ),
    _of_field(
        "email",
        "invalid",
        "E-mail is not an address",
        'email: "{value}" is not an email address',
        made_fix=f"{MADE_FIX} In a template, {{FIELD:ascii:letters}} leaves plain letters and digits.",
    ),
    _of_field(
        "user_type",
        "unknown",
        "User type is not one of the known values",
        f'user_type: "{{value}}" is not one of {", ".join(USER_TYPES)}',
    ),
    _of_field(
        "grade",
        "unknown",
        "Grade is not one of the known values",
        f'grade: "{{value}}" is not one of {_GRADES_IN_WORDS}',
    ),
    _of_field(
        "status",
        "unknown",
        "Status is not one of the known values",
        f'status: "{{value}}" is not one of {", ".join(STATUSES)}',
    ),
    _of_field(
        "custom_id",
        "placeholder",
        "Employee/Student ID is a placeholder such as N/A",
        'custom_id: "{value}" is a placeholder, not an ID',
    ),
    _of_field(
        "custom_id",
        "duplicate",
        "The same Employee/Student ID with different data",
        'custom_id: "{value}" is also on line {other}, with other data',
    ),
    _of_field(
        "email",
        "duplicate",
        "The same e-mail for several people",
        'email: "{value}" is also the address of another person, on line {other}',
        made_fix=MADE_TWICE_FIX,
    ),
    _of_field(
        "user_type",
        "out_of_mode",
        "User type that this mode does not manage",
        'user_type: this mode does not manage the type "{value}"',
    ),
)

_ROW_CODES = (
    _row(
        "org.unknown",
        "No school or district has this external ID",
        'school_district_external_id: no school or district has the external ID "{value}"',
        "Set this external ID in the school's Settings, or correct it in the SIS, and send the file again.",
        "school_district_external_id",
    ),
    _row(
        "org.out_of_scope",
        "School or district outside what the sender manages",
        'school_district_external_id: "{value}" is outside what the uploader manages',
        "Ask a manager of the district to send this file.",
        "school_district_external_id",
    ),
    _row(
        "row.columns",
        "Too many or too few columns",
        "the row has {value}: {other}",
        "Correct the row and send the file again. If the line is not a person, name it in the mapping as a footer.",
    ),
    _row(
        "row.quote",
        "Stray quotation mark",
        "a quotation mark is in the wrong place, so the row cannot be split into columns",
        "Take the mark out of the value, or double it, and send the file again.",
    ),
    _row(
        "row.encoding",
        "Bytes that are not text",
        "the row contains bytes that are not text in the file's encoding",
        "Type the value with the odd letters again in the SIS, or export as UTF-8, and send the file again.",
    ),
    _row(
        "row.control_character",
        "Control character in a value",
        "the row contains a control character, or an invisible one in the ID or the address",
        "Type the value again in the SIS and send the file again.",
    ),
)

_WARNINGS = (
    _warning(
        "row.duplicate", "The same row again (the first counts)", "the same row is on line {other}; that one counts"
    ),
    _warning(
        "row.other_org",
        "The same person in several rows, of which one counts",
        "the same person is also on line {other}, and that row counts",
        "If this row is the right one, let a choose line of the mapping say so.",
    ),
    _warning(
        "name.placeholder",
        "A name that is a word for nothing, such as NULL",
        'the name "{value}" is a word for nothing; the mapping line mapper.NAME.value.{other}= clears it',
        "Clear it in the mapping or in the SIS, unless the person is really called so.",
    ),
    _warning(
        "name.damaged",
        "A name with a damaged letter",
        'the name "{value}" ({other}) is damaged: a letter has become a sign or an HTML entity',
        "For signs, name the encoding in which the SIS wrote the file; for entities, write "
        "mapper.NAME.decode.FIELD=html in the mapping.",
    ),
    _warning(
        "row.footer",
        "Line of the report that is not a person",
        "the line is not a person but part of the report, such as a footer or dashes; it is left out",
    ),
    _warning(
        "row.columns_empty",
        "Too many or too few empty cells at the end of rows",
        "rows have too many or too few empty cells at their end, the first one on line {value}; they were read",
    ),
    _warning(
        "cell.text_formula",
        "Spreadsheet formula that keeps a text",
        'cells are written as ="00123" or \'00123, the first one on line {value}; they were read as 00123',
    ),
    _warning(
        "file.quote_blanks",
        "Blanks between delimiters and quotation marks",
        "there are blanks between delimiters and quotation marks, first on line {value}; they were left out",
    ),
    _warning("file.line_ends", "Unusual line ends", "the lines end with {value} instead of LF or CRLF; they were read"),
    _warning("row.skipped", "Left out by the column mapping", "the mapping leaves this row out"),
    _warning(
        "position.ignored",
        "Position of a student, ignored",
        'position: "{value}" is ignored for students',
        column="position",
    ),
    _warning(
        "grade.ignored",
        "Grade of someone who is not a student, ignored",
        'grade: "{value}" is ignored for everyone except students',
        column="grade",
    ),
    _warning(
        "column.ignored",
        "Column that is not one of ours, ignored",
        'the column "{value}" is not one of ours and is ignored',
        "If it contains one of our fields, map it.",
    ),
    _warning(
        "file.encoding_fallback",
        "The file is not UTF-8 and was read in another encoding",
        "the file is not UTF-8; it was read as {value}, for example {other}",
        "If these words look wrong, name the encoding (--encoding, or in the mapping), or export the file as UTF-8.",
    ),
    _warning(
        "file.preamble",
        "Lines above the header, skipped",
        "the header is on line {value}; the lines above it were skipped: {other}",
        "If the header is on another line, say so: header=N in the mapping, or --header-line N.",
    ),
    _warning(
        "file.no_final_newline",
        "The last line has no line end",
        "the last line has no line end; the file may have been cut off",
        "Compare the last row with the SIS; export again if one is missing or cut.",
    ),
)


_KEPT_CODES = tuple(
    FindingCode(
        f"{name}.{rule}", "warning", f"{LABELS[name]} {title}", f"{name}: {message}", fix, name, keeps_value=True
    )
    for rule, names, title, message, fix in (
        (
            "edited",
            NAME_FIELDS,
            "kept, because it was edited here",
            'the file has "{value}"; the account keeps {other}',
            "It stays until the SIS sends a new value. To take the value of the file, type it in User Admin.",
        ),
        (
            "replaced",
            NAME_FIELDS,
            "edited here, and replaced by the file",
            'the file has the new value "{value}", which replaces {other}',
            "If the new value is wrong, correct it in the SIS.",
        ),
        (
            "kept",
            (*NAME_FIELDS, *OTHER_FIELDS),
            "kept, because this mode does not set it",
            'the file has "{value}"; the account keeps {other}',
            "To take the values of the file, change the settings of the mode.",
        ),
    )
    for name in names
)

# The accounts on the server decide these. A sender without the scope read is told `row.ask_a_manager` instead.
_ACCOUNT_CODES = (
    FindingCode(
        "email.taken",
        "error",
        "E-mail belongs to another account",
        'email: "{value}" belongs to {other}, which keeps it',
        column="email",
        names_account=True,
        made_fix=MADE_TWICE_FIX,
    ),
    _of_field(
        "email",
        "taken_unmanaged",
        "E-mail belongs to an account without an ID",
        'email: "{value}" belongs to an account without an Employee/Student ID',
        "Give that account this person's ID in User Admin, then send the file again.",
    ),
    _row(
        "account.out_of_scope",
        "Account outside what the sender manages",
        'the account with ID "{value}" is at an org outside what the uploader manages',
        "Ask a manager of the district to send this file.",
        "custom_id",
    ),
    _row(
        "account.out_of_mode",
        "Account of a type that this mode may not touch",
        'the account with ID "{value}" is of a type that this mode may not touch',
        "Send this person in a file of the right mode.",
        "custom_id",
    ),
    _row(
        "account.last_manager",
        "No manager of the district would be left",
        "after this run no active manager of the district would be left",
        "Give someone else the right to manage the district first.",
        "custom_id",
    ),
    FindingCode(
        "custom_id.lost_zeros",
        "error",
        "Employee/Student ID differs from a known one in leading zeros only",
        'custom_id: "{value}" is unknown, and differs from {other} in leading zeros only',
        "If a spreadsheet cut the zeros, export the IDs as text, or let the mapping pad them "
        "(mapper.NAME.pad.custom_id=N). If they are two people, say so on the run page.",
        "custom_id",
        names_account=True,
        remark='custom_id: "{value}" is unknown, and differs from {other} in leading zeros only; it is another person',
    ),
    FindingCode(
        "custom_id.returning",
        "warning",
        "A new Employee/Student ID for someone who was deleted",
        'custom_id: "{value}" is unknown, but the person looks like {other}',
        "If this person is back, give the old ID in the SIS: the deleted account is then restored.",
        "custom_id",
        names_account=True,
    ),
    _warning(
        "row.not_created",
        "Disabled people for whom no account was created",
        'no account is created for the ID "{value}", because the person is Disabled',
        "If such people need accounts, change the setting of the mode that leaves them out.",
    ),
    _warning(
        "account.protected",
        "Account is protected from sync",
        'the account with ID "{value}" is protected from sync; the row is ignored',
        "Remove the protection in User Admin if the SIS should manage this account.",
    ),
    _warning(
        "account.held_by_hand",
        "Account was disabled or deleted by hand and stays so",
        'the account with ID "{value}" was disabled or deleted by hand and stays so; the row is ignored',
        "Enable or restore it in User Admin if this person is back.",
    ),
    _warning(
        "account.kept_active",
        "Account stays active, because only creates and updates were asked for",
        'the row would disable the account with ID "{value}"; it is ignored, because only creates and updates were '
        "asked for",
        "Approve the whole plan of the next file if this person has left.",
    ),
    *_KEPT_CODES,
)

# Only the file, its mode and the orgs decide these, so their messages reveal nothing about accounts.
_DECIDED_BY_FILE = (*_FIELD_CODES, *_ROW_CODES, *_WARNINGS)
DECIDED_BY_FILE: tuple[str, ...] = tuple(code.code for code in _DECIDED_BY_FILE)
FINDING_CODES: dict[str, FindingCode] = {code.code: code for code in (*_DECIDED_BY_FILE, *_ACCOUNT_CODES)}
ERROR_CODES: tuple[str, ...] = tuple(code.code for code in FINDING_CODES.values() if code.severity == "error")

# For a run that takes another one back: it has no file, and its rows are accounts.
_UNDO_CODES = (
    _warning(
        "undo.changed_since",
        "Changed since, so left alone",
        "changed since, so left alone: {value}",
        "Change it by hand if it should go back too.",
    ),
    _warning(
        "undo.claimed", "Claimed since", "the person has claimed the account since, so it stays", "Delete it by hand."
    ),
    _warning(
        "undo.not_here",
        "Account that cannot be put back",
        "this account stays as it is: it has no Employee/Student ID now, is outside this run's school, or was deleted "
        "too long ago",
    ),
    _row(
        "undo.org_gone",
        "School or district that has another external ID, or none",
        'school_district_external_id: no school or district of this run has the external ID "{value}" now',
        "Give the school this external ID in its Settings, or move the person by hand.",
    ),
)
UNDO_CODES: dict[str, FindingCode] = {code.code: code for code in _UNDO_CODES}

# Told in place of every code that the accounts decide. No plan contains it. `{value}` is the run's page.
ASK_A_MANAGER = _row(
    "row.ask_a_manager",
    "Only a manager may see why",
    "only a manager may see why this row failed: {value}",
    "Ask a manager to open this page.",
)
# What a message names in place of someone else's account, for a sender who sees the results of its own rows only.
OTHER_ACCOUNT = "another account"
NAMING_CODES: tuple[str, ...] = tuple(code.code for code in FINDING_CODES.values() if code.names_account)
OWN_VALUE = "its own value"
KEEPING_CODES: tuple[str, ...] = tuple(code.code for code in FINDING_CODES.values() if code.keeps_value)


@dataclass(frozen=True)
class Finding:
    """One fault or remark about a file or row. `line` is physical, None for the whole file."""

    code: str
    message: str
    line: int | None = None
    column: str = ""
    value: str = ""

    @property
    def severity(self) -> Severity:
        """An error fails the row, a warning does not."""
        return FINDING_CODES[self.code].severity


def file_finding(code: str, *, value: str = "", other: str = "") -> Finding:
    """Return a remark about the whole file, with the message of its code."""
    return Finding(code=code, message=fill(FINDING_CODES[code].message, value=value, other=other), value=value)
