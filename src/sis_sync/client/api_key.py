"""The API key, read from the environment, the settings file, or a separate file that only the client may read."""

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sis_sync.client.setting_keys import TOKEN_FILE_KEY, TOKEN_KEY, TOKEN_VARIABLE
from sis_sync.client.settings_file import SettingsFile
from sis_sync.core.api_key import is_well_formed
from sis_sync.core.errors import ConfigurationError, UsageFault

TOKEN_FILE_NAME = "api.key"  # noqa: S105 - the name of a file, not a secret


@dataclass(frozen=True)
class Token:
    """An API key and its origin. The repr hides the secret. The secret is empty if no key is set."""

    secret: str = field(repr=False)
    origin: str


def find_token(settings: SettingsFile, environment: Mapping[str, str]) -> Token:
    """Return the key from the variable, else from the settings. Raise ConfigurationError if it is not a valid key."""
    place = settings.place(TOKEN_FILE_KEY)
    if place and settings.text(TOKEN_KEY):
        raise settings.wrong(TOKEN_FILE_KEY, f"is set next to {TOKEN_KEY}", "Keep one of the two lines.")
    if environment.get(TOKEN_VARIABLE):
        return _token_of(environment[TOKEN_VARIABLE], f"the variable {TOKEN_VARIABLE}")
    if place:
        return _token_of(_read_private(place, settings), str(place))
    return _token_of(settings.text(TOKEN_KEY), f"{settings.path}, {TOKEN_KEY}")


def exposed_token_warning(settings: SettingsFile) -> str | None:
    """Return a warning if the settings file contains the key and all users of this computer can read the file."""
    if (
        not settings.text(TOKEN_KEY)
        or "${env:" in settings.raw.get(TOKEN_KEY, "")
        or not _others_may_read(settings.path)
    ):
        return None
    problem = f"{settings.path} contains the API key and can be read by everyone on this computer."
    return f"{problem} Run: chmod 600 {settings.path}"


def checked_secret(text: str) -> str:
    """Return the key without surrounding space. Raise UsageFault if it is malformed: it must not replace a good key."""
    secret = text.strip()
    if not is_well_formed(secret):
        raise UsageFault(
            "This is not a complete API key. Nothing was written.",
            fix="Copy the key whole from the server's page Sync Client, as one line; it starts with sissync_.",
        )
    return secret


def store_secret(settings_path: Path, secret: str) -> Path:
    """Write the key to a file next to the settings file, name it in the settings, and return its path.

    Remove the settings line that contains an older key, if there is one.
    """
    path = settings_path.parent / TOKEN_FILE_NAME
    try:
        path.unlink(missing_ok=True)
        with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w", encoding="utf-8") as file:
            file.write(secret + "\n")
        settings_path.write_text(_with_token_file(settings_path), encoding="utf-8")
    except OSError as error:
        message = f"{error.filename or path} cannot be written: {error.strerror}."
        raise ConfigurationError(message, fix="Check its rights.") from None
    return path


def _token_of(text: str, origin: str) -> Token:
    secret = text.strip()
    if not secret.isascii() or not secret.isprintable() or " " in secret:
        raise ConfigurationError(f"The text in {origin} is not an API key.", fix="Copy the key again, as one line.")
    return Token(secret, origin)


def _read_private(path: Path, settings: SettingsFile) -> str:
    try:
        if _others_may_read(path):
            raise settings.wrong(TOKEN_FILE_KEY, "can be read by everyone on this computer", f"Run: chmod 600 {path}")
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise settings.wrong(
            TOKEN_FILE_KEY, f"cannot be read ({error.strerror})", "Check the path and its rights."
        ) from None
    except UnicodeDecodeError:
        raise settings.wrong(TOKEN_FILE_KEY, "is not text", "The file must contain only the API key.") from None


def _others_may_read(path: Path) -> bool:
    """Return True if all users of this computer can read the file. Always False on Windows, which uses access lists."""
    return os.name == "posix" and bool(path.stat().st_mode & stat.S_IROTH)


def _with_token_file(settings_path: Path) -> str:
    """Return the text of the settings with one line for the key's file. It replaces the old line or its comment."""
    lines = settings_path.read_text(encoding="utf-8-sig").splitlines(keepends=True)
    line = f"{TOKEN_FILE_KEY}={TOKEN_FILE_NAME}\n"
    kept = [each for each in lines if _key_of(each) not in (TOKEN_KEY, TOKEN_FILE_KEY)]
    place = next((n for n, each in enumerate(kept) if _key_of(each.lstrip("# ")) == TOKEN_FILE_KEY), None)
    if place is None:
        ended = kept[-1].endswith("\n") if kept else True
        return "".join([*kept, "" if ended else "\n", line])
    return "".join([*kept[:place], line, *kept[place + 1 :]])


def _key_of(line: str) -> str:
    return line.partition("=")[0].strip()
