"""Prepares an installation of the server: its data folder, its secret key and durable database settings."""

import os
import secrets
import sqlite3
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from sis_sync.core.errors import ConfigurationError
from sis_sync.core.whole_files import OWNER_ONLY, sync_folder, write_whole

BUSY_TIMEOUT_SECONDS = 30
# Older libraries can lose a committed write in WAL mode when a checkpoint meets a write (fixed in 3.51.3).
SAFE_WAL_VERSION = (3, 51, 3)
POSTGRESQL_SCHEMES = ("postgresql", "postgres")
EXAMPLE = "postgresql://user:password@host:5432/name"
OTHERS = 0o077  # the rights of everyone except the owner
SECRET_KEY_BYTES = 64


def database_settings(url: str, data_folder: Path) -> dict[str, Any]:
    """Return the entry of Django's DATABASES for `url`. An empty URL means the SQLite file in the data folder.

    Raise ConfigurationError unless it is a PostgreSQL or sqlite:/// URL.
    """
    if not url:
        return sqlite_settings(data_folder / "sis-sync.sqlite3")
    scheme = urlsplit(url).scheme
    if scheme == "sqlite":
        return sqlite_settings(Path(unquote(url.removeprefix("sqlite:///"))))
    if scheme in POSTGRESQL_SCHEMES:
        return postgresql_settings(url)
    raise ConfigurationError(
        f"SIS_SYNC_DATABASE_URL starts with {scheme or 'no scheme'!r}, which is not a known database.",
        fix=f"Leave it empty for SQLite, or write {EXAMPLE}",
    )


def sqlite_settings(path: Path, version: tuple[int, ...] = sqlite3.sqlite_version_info) -> dict[str, Any]:
    """Return the entry for SQLite. Every commit is on disk when it returns. The journal depends on the version."""
    journal = "WAL; PRAGMA synchronous=FULL" if version >= SAFE_WAL_VERSION else "DELETE; PRAGMA synchronous=EXTRA"
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": path,
        "OPTIONS": {
            "timeout": BUSY_TIMEOUT_SECONDS,
            "transaction_mode": "IMMEDIATE",
            # Without secure_delete, the values of removed people would stay readable in the file.
            "init_command": f"PRAGMA journal_mode={journal}; PRAGMA main.secure_delete=ON;",
        },
    }


def postgresql_settings(url: str) -> dict[str, Any]:
    """Return the entry for a PostgreSQL URL. `?host=/folder` names a socket folder. Other parameters go to libpq."""
    parts = urlsplit(url)
    name = unquote(parts.path.lstrip("/"))
    if not name:
        raise ConfigurationError("SIS_SYNC_DATABASE_URL names no database.", fix=f"Write {EXAMPLE}")
    options = {key: values[-1] for key, values in parse_qs(parts.query).items()}
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": name,
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": options.pop("host", "") or parts.hostname or "",
        "PORT": str(options.pop("port", "") or port_of(url)),
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        # An abandoned server-side cursor is closed by the garbage collector. If that happens inside a statement of the
        # same connection, the process waits for itself for ever.
        "DISABLE_SERVER_SIDE_CURSORS": True,
        "OPTIONS": options,
    }


def port_of(url: str) -> int | str:
    """Return the port of the URL, or an empty string if it has none."""
    try:
        return urlsplit(url).port or ""
    except ValueError as error:
        raise ConfigurationError(
            "The port in SIS_SYNC_DATABASE_URL is not a number.", fix=f"Write {EXAMPLE}"
        ) from error


def made_data_folder(path: Path) -> Path:
    """Return the folder. If it is missing, make it for its owner only. Raise ConfigurationError if it is unusable."""
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
    """Make the file readable by its owner only, because others may read the folder. Create it if it is missing.

    SQLite assigns the same rights to the files next to its database. On Windows the rights of the folder apply.
    """
    try:
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, OWNER_ONLY))
        if os.name != "nt" and path.stat().st_mode & OTHERS:
            with suppress(PermissionError):  # another user's file, or a disk without rights: leave it
                path.chmod(OWNER_ONLY)
    except OSError as error:
        raise ConfigurationError(
            f"The database file {path} cannot be used: {error.strerror}.",
            fix="Name one that the user of the server may write to, in SIS_SYNC_DATABASE_URL or SIS_SYNC_DATA_FOLDER.",
        ) from error


def read_or_make_secret_key(path: Path) -> str:
    """Return the key in `path`. If there is none, make one that only the owner can read.

    Two processes that start together get the same key, because only one of them makes the file.
    """
    try:
        return checked(path.read_text(encoding="ascii").strip(), path)
    except FileNotFoundError:
        return make_secret_key(path)


def make_secret_key(path: Path) -> str:
    """Write a new key to a temporary file and link it into place. If another process was first, keep its key."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    write_whole(draft, [f"{secrets.token_urlsafe(SECRET_KEY_BYTES)}\n".encode()])
    with suppress(FileExistsError):
        path.hardlink_to(draft)
    draft.unlink()
    sync_folder(path.parent)
    return checked(path.read_text(encoding="ascii").strip(), path)


def checked(key: str, path: Path) -> str:
    """Return the key. Raise ConfigurationError if it is too short to keep sessions safe."""
    if len(key) < SECRET_KEY_BYTES:
        raise ConfigurationError(
            f"The secret key in {path} is too short ({len(key)} characters).",
            fix="Delete the file; a new one is made at the next start, and everyone signs in again.",
        )
    return key
