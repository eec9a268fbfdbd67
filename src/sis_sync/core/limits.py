"""Every limit that is not a guard: the size of a roster file (section 2 of the file format), times, counts to type.

The limits of a file are settings of the process, read from its environment.
"""

from dataclasses import dataclass
from datetime import timedelta

from sis_sync.core.environment import MAX_CELL_KB, MAX_COLUMNS, MAX_FILE_MB, MAX_RECORDS

DELETIONS_WITHOUT_TYPING = 10  # more than these are typed before they are approved or done by hand
PLAN_EXPIRES_AFTER = timedelta(days=7)
RESTORABLE_FOR = timedelta(days=180)  # a deleted account

_KB, _MB = 1024, 1024 * 1024


@dataclass(frozen=True)
class FileLimits:
    """A file beyond any of these is refused as `file.too_large`."""

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
