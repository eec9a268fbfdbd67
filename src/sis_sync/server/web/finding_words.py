"""What each finding code is called in the table of findings: the kind of fault, not one case of it."""

from sis_sync.core.findings import FINDING_CODES
from sis_sync.server.web.words import field_word

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
