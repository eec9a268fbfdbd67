"""The fields of a roster with their lists, limits and patterns (section 1 of the file format).

All code that judges a value takes its list, limit or pattern from here.
"""

from dataclasses import dataclass

from sis_sync.core.placeholder_ids import CUSTOM_ID_PLACEHOLDERS

FALLBACK_ENCODING = "windows-1252"  # for a file that is neither UTF-8 nor UTF-16


@dataclass(frozen=True)
class Field:
    """One column of a roster. `max_length` is in code points, None for listed values. The docs print `about`."""

    name: str
    label: str
    is_required: bool
    max_length: int | None = None
    aliases: tuple[str, ...] = ()
    about: str = ""


FIELDS: tuple[Field, ...] = (
    Field("first_name", "First name", is_required=True, max_length=100),
    Field("middle_name", "Middle name", is_required=False, max_length=100, about="An empty cell clears it."),
    Field("last_name", "Last name", is_required=True, max_length=100),
    Field(
        "email",
        "E-mail",
        is_required=True,
        max_length=254,
        aliases=("email_address", "e-mail"),
        about="Compared without case; belongs to one account at a time. Addresses are judged on the state after "
        "the run: two people may swap theirs, and a newcomer may take a leaver's.",
    ),
    Field(
        "custom_id",
        "Employee/Student ID",
        is_required=True,
        max_length=64,
        about="The Employee or Student ID: opaque text, case and leading zeros count. These are placeholders, not IDs: "
        f"{', '.join(CUSTOM_ID_PLACEHOLDERS)}, zeros alone, ## and more (a spreadsheet's column was too "
        "narrow), and what begins with =.",
    ),
    Field(
        "school_district_external_id",
        "School or district (external ID)",
        is_required=True,
        about="The external ID that the district or school has under Settings.",
    ),
    Field("user_type", "User type", is_required=True, about="In upper or lower case."),
    Field(
        "position",
        "Position",
        is_required=False,
        max_length=100,
        about="For everyone except students. An empty cell clears it.",
    ),
    Field("grade", "Grade", is_required=False, about="For students. An empty cell means Unspecified."),
    Field("status", "Status", is_required=True, about="In upper or lower case. Disabled people cannot sign in."),
)
FIELD_NAMES: tuple[str, ...] = tuple(field.name for field in FIELDS)
LABELS: dict[str, str] = {field.name: field.label for field in FIELDS}
NAME_FIELDS: tuple[str, ...] = ("first_name", "middle_name", "last_name")

PASSWORD = "password"  # noqa: S105 - the name of a column, not a secret

STUDENT = "Student"
STAFF_TYPES: tuple[str, ...] = ("Teacher", "Staff", "Administrator")
USER_TYPES: tuple[str, ...] = (*STAFF_TYPES, STUDENT)
UNSPECIFIED_GRADE = "Unspecified"
GRADES: tuple[str, ...] = (
    UNSPECIFIED_GRADE,
    "PreK",
    "K",
    *(str(number) for number in range(1, 13)),
    "Other",
)
ACTIVE, DISABLED = "Active", "Disabled"
STATUSES: tuple[str, ...] = (ACTIVE, DISABLED)
LISTED_VALUES: dict[str, tuple[str, ...]] = {
    "user_type": USER_TYPES,
    "grade": GRADES,
    "status": STATUSES,
}

# The pattern of the HTML living standard ("valid email address"), with at least one dot in the domain.
EMAIL_PATTERN = (
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@"
    r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
    r"(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?)+"
)
