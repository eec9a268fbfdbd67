"""Every limit that is not a guard: the size of a roster file (the file format's section 2), times, counts to type.

The limits of a file are settings of the process, read from its environment.
"""

import os
from dataclasses import dataclass
from datetime import timedelta

from sis_sync.core.errors import ConfigurationError


def number_setting(name: str, default: int, *, least: int) -> int:
    """The number in the variable `name`, or the default. ConfigurationError for anything else, and below `least`."""
    text = os.environ.get(name, "").strip()
    if not text:
        return default
    if not text.isascii() or not text.isdigit() or int(text) < least:
        raise ConfigurationError(
            f"{name} is {text!r}, which is no whole number from {least} up.",
            fix=f"Write a number, or leave it empty for {default}.",
        )
    return int(text)


DELETIONS_WITHOUT_TYPING = 10  # more than these are typed before they are approved or done by hand
PLAN_EXPIRES_AFTER = timedelta(days=7)
RESTORABLE_FOR = timedelta(days=180)  # a deleted account

_KB, _MB = 1024, 1024 * 1024


@dataclass(frozen=True)
class FileLimits:
    """What is refused as `file.too_large`."""

    file_bytes: int = 1024 * _MB
    records: int = 10_000_000
    columns: int = 200
    cell_bytes: int = 32 * _KB


STANDARD_LIMITS = FileLimits()
FILE_LIMITS = FileLimits(
    file_bytes=number_setting("SIS_SYNC_MAX_FILE_MB", STANDARD_LIMITS.file_bytes // _MB, least=1) * _MB,
    records=number_setting("SIS_SYNC_MAX_RECORDS", STANDARD_LIMITS.records, least=1),
    columns=number_setting("SIS_SYNC_MAX_COLUMNS", STANDARD_LIMITS.columns, least=10),
    cell_bytes=number_setting("SIS_SYNC_MAX_CELL_KB", STANDARD_LIMITS.cell_bytes // _KB, least=1) * _KB,
)
