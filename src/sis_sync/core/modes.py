"""The four modes of a file: the user types of its rows, the consequence of absence, and which fields it sets.

A run that takes an earlier run back has no file. It has a mode of its own, which no sender can choose.
"""

from dataclasses import dataclass, fields
from typing import Literal, get_args

from sis_sync.core.fields import STAFF_TYPES, STUDENT, USER_TYPES

OnAbsent = Literal["delete", "disable", "nothing"]


@dataclass(frozen=True)
class Mode:
    """The file may contain `user_types`. If `judges_absence`, accounts of these types that it lacks leave.

    `settings_prefix` begins the keys of the mode's section in client.properties.
    """

    name: str
    settings_prefix: str
    user_types: tuple[str, ...]
    judges_absence: bool
    consequence: str


PARTIAL = Mode(
    "partial", "partial.sync", USER_TYPES, False, "People in the file are created or updated. No one else is touched."
)
FULL = Mode(
    "full", "full.sync", USER_TYPES, True, "The file is the complete list: everyone who is not in it is deleted."
)
STUDENTS = Mode(
    "students",
    "student.sync",
    (STUDENT,),
    True,
    "The file lists every student: students who are not in it are deleted.",
)
STAFF = Mode(
    "staff",
    "staff.sync",
    STAFF_TYPES,
    True,
    "The file lists all administrators, teachers and staff: those who are not in it are deleted.",
)
MODES: dict[str, Mode] = {mode.name: mode for mode in (PARTIAL, FULL, STUDENTS, STAFF)}

UNDO = Mode("undo", "", USER_TYPES, False, "What the run changed is put back, except what was changed since.")
RESTORE = Mode("restore", "", USER_TYPES, False, "The people who left by the run are back. No one else is touched.")
TAKING_BACK: dict[str, Mode] = {mode.name: mode for mode in (UNDO, RESTORE)}
RUN_MODES: dict[str, Mode] = {**MODES, **TAKING_BACK}

NamesSetting = Literal["always", "unless_edited", "never"]
FieldSetting = Literal["on", "off", "create"]
PasswordsSetting = Literal["off", "on"]
FIELD_SETTINGS: tuple[FieldSetting, ...] = get_args(FieldSetting)
NAMES_SETTINGS: tuple[NamesSetting, ...] = get_args(NamesSetting)


@dataclass(frozen=True)
class FieldSettings:
    """The fields that the files of a mode set on accounts that exist.

    `never` and `off`: set when an account is created or restored. `create`: set when it is created only. `passwords`
    that are `off` are set when an account is created only.
    """

    names: NamesSetting = "unless_edited"
    passwords: PasswordsSetting = "off"
    email: FieldSetting = "on"
    school_district_external_id: FieldSetting = "on"
    user_type: FieldSetting = "on"
    position: FieldSetting = "on"
    grade: FieldSetting = "on"
    status: FieldSetting = "on"


STANDARD_FIELD_SETTINGS = FieldSettings()
# In the order of the fields of a roster. A mode stores each of them as sets_NAME.
FIELDS_WITH_SETTING: tuple[str, ...] = tuple(field.name for field in fields(FieldSettings))
# Those with a FieldSetting: all but the names and the passwords.
OTHER_FIELDS: tuple[str, ...] = FIELDS_WITH_SETTING[2:]
