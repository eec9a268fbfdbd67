"""Limits: the size of a roster file (section 2 of the file format) and of a mapping, times, counts.

The limits of a file are settings of the process, read from its environment. Those of the guards are in core/guards.py.
"""

from dataclasses import dataclass
from datetime import timedelta

from sis_sync.core.environment import MAX_CELL_KB, MAX_COLUMNS, MAX_FILE_MB, MAX_RECORDS

DELETIONS_WITHOUT_TYPING = 10  # above this, a person must type the number to confirm
PLAN_EXPIRES_AFTER = timedelta(days=7)
PASSWORD_CHARACTERS = 1_000  # of a typed password: hashing longer ones would let anyone cause much work
RESTORABLE_FOR = timedelta(days=180)  # after an account is deleted
UNDONE_WITHIN = timedelta(days=30)  # after a run was applied
REFUSED_FILE_KEPT_FOR = timedelta(days=7)

# A mapping that exceeds one of these is refused: each row of a file pays for its length.
MAPPING_CHARACTERS = 500_000
MAPPING_LINES = 5_000
MAPPING_LINE_CHARACTERS = 4_000
MAPPING_SKIP_LINES = 200  # as many as a file may have columns
MAPPING_PATTERNS = 200  # values with * of skip and choose lines: every row is compared with each
TEMPLATE_NAMES = 20
MAPPING_NAMES = 40  # in the templates of all fields
MAPPING_WORDS = 100  # after these names
TEMPLATE_VALUE_CHARACTERS = 400  # of a value in a template: no field may be longer, so its middle is left out
EXTENDED_MAPPINGS = 10

_KB, _MB = 1024, 1024 * 1024


@dataclass(frozen=True)
class FileLimits:
    """A file that exceeds one of these is refused as `file.too_large`."""

    file_bytes: int = int(MAX_FILE_MB.default) * _MB
    records: int = int(MAX_RECORDS.default)
    columns: int = int(MAX_COLUMNS.default)
    cell_bytes: int = int(MAX_CELL_KB.default) * _KB


STANDARD_LIMITS = FileLimits()
FILE_LIMITS = FileLimits(
    file_bytes=MAX_FILE_MB.number() * _MB,
    records=MAX_RECORDS.number(),
    columns=MAX_COLUMNS.number(),
    cell_bytes=MAX_CELL_KB.number() * _KB,
)


@dataclass(frozen=True)
class Retention:
    """The days after which a school system's data is removed. They count from the last step of the run.

    `files_days` is for the files as they were sent, `reports_days` for plans and results, `history_days` for the
    history of accounts, the log of actions and the runs themselves.
    """

    files_days: int = 30
    reports_days: int = 90
    history_days: int = 3 * 365


STANDARD_RETENTION = Retention()
