"""The installation's secret key: made once, kept in a file that only its owner reads."""

import contextlib
import os
import secrets
from pathlib import Path

from sis_sync.core.errors import ConfigurationError

RANDOM_BYTES = 64
OWNER_ONLY = 0o600


def read_or_make_secret_key(path: Path) -> str:
    """The key in `path`; made there, readable by its owner only, if there is none yet.

    Two processes that start together get the same key: only one of them makes the file.
    """
    try:
        return checked(path.read_text(encoding="ascii").strip(), path)
    except FileNotFoundError:
        return make_secret_key(path)


def make_secret_key(path: Path) -> str:
    """Write a new key to a temporary file and link it into place; another process's key wins if it was first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}.part")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(secrets.token_urlsafe(RANDOM_BYTES) + "\n")
        file.flush()
        os.fsync(file.fileno())
    with contextlib.suppress(FileExistsError):
        path.hardlink_to(draft)
    draft.unlink()
    return checked(path.read_text(encoding="ascii").strip(), path)


def checked(key: str, path: Path) -> str:
    """The key, refused when it is too short to keep sessions safe."""
    if len(key) < RANDOM_BYTES:
        raise ConfigurationError(
            f"The secret key in {path} is too short ({len(key)} characters).",
            fix="Delete the file; a new one is made at the next start, and everybody signs in again.",
        )
    return key
