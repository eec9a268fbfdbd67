"""Where the database is: a SQLite file by default, PostgreSQL by URL. With the durability rules of each."""

import sqlite3
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from sis_sync.core.errors import ConfigurationError

BUSY_TIMEOUT_SECONDS = 30
# Older libraries can lose a committed write in WAL mode when a checkpoint meets a write (fixed in 3.51.3).
SAFE_WAL_VERSION = (3, 51, 3)
POSTGRESQL_SCHEMES = ("postgresql", "postgres")
EXAMPLE = "postgresql://user:password@host:5432/name"


def database_settings(url: str, data_folder: Path) -> dict[str, Any]:
    """One entry of Django's DATABASES for `url`; an empty one means the SQLite file in the data folder.

    Raises ConfigurationError for anything that is no PostgreSQL or sqlite:/// URL.
    """
    if not url:
        return sqlite_settings(data_folder / "sis-sync.sqlite3")
    scheme = urlsplit(url).scheme
    if scheme == "sqlite":
        return sqlite_settings(Path(unquote(url.removeprefix("sqlite:///"))))
    if scheme in POSTGRESQL_SCHEMES:
        return postgresql_settings(url)
    raise ConfigurationError(
        f"SIS_SYNC_DATABASE_URL starts with {scheme or 'no scheme'!r}, which is no known database.",
        fix=f"Leave it empty for SQLite, or write {EXAMPLE}",
    )


def sqlite_settings(path: Path, version: tuple[int, ...] = sqlite3.sqlite_version_info) -> dict[str, Any]:
    """SQLite as durable as its version allows: every commit is on the disk before it counts."""
    journal = "WAL; PRAGMA synchronous=FULL" if version >= SAFE_WAL_VERSION else "DELETE; PRAGMA synchronous=EXTRA"
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": path,
        "OPTIONS": {
            "timeout": BUSY_TIMEOUT_SECONDS,
            "transaction_mode": "IMMEDIATE",
            "init_command": f"PRAGMA journal_mode={journal};",
        },
    }


def postgresql_settings(url: str) -> dict[str, Any]:
    """PostgreSQL from a URL; `?host=/folder` names a socket folder, other parameters go to libpq."""
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
        "OPTIONS": options,
    }


def port_of(url: str) -> int | str:
    """The port of the URL, or an empty text where it has none."""
    try:
        return urlsplit(url).port or ""
    except ValueError as error:
        raise ConfigurationError("The port in SIS_SYNC_DATABASE_URL is no number.", fix=f"Write {EXAMPLE}") from error
