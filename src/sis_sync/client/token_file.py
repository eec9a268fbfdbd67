"""Keeps the API key: in a file of its own that only the client's account may read, named by the settings."""

import os
from pathlib import Path

from sis_sync.client.keys import TOKEN_KEY
from sis_sync.core.api_key import is_well_formed
from sis_sync.core.errors import ConfigurationError, UsageFault

TOKEN_FILE_NAME = "api.key"  # noqa: S105 - the name of a file, not a secret
_TOKEN_FILE_LINE = "backend.api.token.file"  # noqa: S105 - the name of a key, not a secret


def checked_secret(text: str) -> str:
    """The key without space around it. UsageFault if it is not spelled like one, so that no good key is replaced."""
    secret = text.strip()
    if not is_well_formed(secret):
        raise UsageFault(
            "This is no complete API key, and nothing was written.",
            fix="Copy the key whole from the server's page Sync Client, as one line; it starts with sissync_.",
        )
    return secret


def keep_secret(settings_path: Path, secret: str) -> Path:
    """Write the key beside the settings and let them name it; gives its path. An older key line is taken out."""
    path = settings_path.parent / TOKEN_FILE_NAME
    try:
        path.unlink(missing_ok=True)
        with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w", encoding="utf-8") as file:
            file.write(secret + "\n")
        settings_path.write_text(_naming_the_file(settings_path), encoding="utf-8")
    except OSError as error:
        message = f"{error.filename or path} cannot be written: {error.strerror}."
        raise ConfigurationError(message, fix="Check its rights.") from None
    return path


def _naming_the_file(settings_path: Path) -> str:
    """The settings with one line for the key's file, where a line of that key (or a comment with it) stood."""
    lines = settings_path.read_text(encoding="utf-8-sig").splitlines(keepends=True)
    line = f"{_TOKEN_FILE_LINE}={TOKEN_FILE_NAME}\n"
    kept = [each for each in lines if _key_of(each) not in (TOKEN_KEY, _TOKEN_FILE_LINE)]
    place = next((n for n, each in enumerate(kept) if _key_of(each.lstrip("# ")) == _TOKEN_FILE_LINE), None)
    if place is None:
        ended = kept[-1].endswith("\n") if kept else True
        return "".join([*kept, "" if ended else "\n", line])
    return "".join([*kept[:place], line, *kept[place + 1 :]])


def _key_of(line: str) -> str:
    return line.partition("=")[0].strip()
