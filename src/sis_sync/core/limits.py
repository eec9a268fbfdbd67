"""How large a roster file may be: the file format's section 2. Settings of the process, from its environment."""

from dataclasses import dataclass

from sis_sync.core.number_setting import number_setting

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
