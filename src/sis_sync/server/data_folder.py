"""The folder of everything that is not in the database, and of the database where it is a file."""

import os
from contextlib import suppress
from pathlib import Path

from sis_sync.core.errors import ConfigurationError

OWNER_ONLY = 0o600
OTHERS = 0o077


def made_data_folder(path: Path) -> Path:
    """The folder, made if it is not there, for its owner only. ConfigurationError where it cannot be used."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        if os.access(path, os.R_OK | os.W_OK | os.X_OK):
            return path
        reason: str | None = "permission denied"
    except FileExistsError:
        reason = "it is a file"
    except OSError as error:
        reason = error.strerror
    raise ConfigurationError(
        f"The data folder {path} cannot be used: {reason}.",
        fix="Name a folder that the user of the server may write to: SIS_SYNC_DATA_FOLDER=PATH.",
    )


def keep_to_owner(path: Path) -> None:
    """Make a file readable by its owner only, now or before another makes it: the folder may have been there, open.

    The files that SQLite puts beside its database get the rights of the database. On Windows the folder's rights rule.
    """
    try:
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, OWNER_ONLY))
        if os.name != "nt" and path.stat().st_mode & OTHERS:
            with suppress(PermissionError):  # another's file, or a disk without rights: whoever made it so decides
                path.chmod(OWNER_ONLY)
    except OSError as error:
        raise ConfigurationError(
            f"The database file {path} cannot be used: {error.strerror}.",
            fix="Name one that the user of the server may write to, in SIS_SYNC_DATABASE_URL or SIS_SYNC_DATA_FOLDER.",
        ) from error
