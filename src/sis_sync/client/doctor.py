"""Check everything that unattended runs need. The result of each part is OK, WARN or FAIL, with a fix."""

import os
import shutil
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sis_sync.client.api import Api, open_api
from sis_sync.client.config import ClientConfig, require_backend
from sis_sync.client.responses import TryLater
from sis_sync.client.sections import Section
from sis_sync.client.state_folder import JOURNAL_NAME, count_unsent
from sis_sync.core.errors import ConfigurationError, KeyRefused, ServerNotReached, SisSyncError
from sis_sync.core.wording import counted

OK, WARN, FAIL = "OK", "WARN", "FAIL"
_LOW_DISK_BYTES = 1 << 30
_MAX_SKEW_SECONDS = 300


@dataclass(frozen=True)
class Check:
    """The result for one part. `verdict` is OK, WARN or FAIL. A WARN or FAIL has a fix.

    `exit_code` is the exit code of the command if this is the first part that fails.
    """

    part: str
    verdict: str
    message: str
    fix: str = ""
    exit_code: int = ConfigurationError.exit_code

    def as_dict(self) -> dict[str, str]:
        """Return the check for JSON."""
        return {"part": self.part, "verdict": self.verdict, "message": self.message, "fix": self.fix}


def exit_code_of(checks: Iterable[Check]) -> int:
    """Return the exit code of the first part that fails, 0 if none does."""
    return next((check.exit_code for check in checks if check.verdict == FAIL), 0)


def examine(config: ClientConfig, *, now: datetime) -> Iterator[Check]:
    """Yield the result of every check. Check the server last."""
    yield Check("settings", OK, f"{config.path} can be used.")
    for warning in config.warnings:
        yield Check("settings", WARN, warning, "Correct the line, or remove it.")
    if not config.sections:
        yield Check("sections", WARN, "No section is switched on.", "Set enabled=true and a folder for one of them.")
    for section in config.sections:
        yield from _section(section)
    yield from _own_folders(config)
    yield from _server(config, now=now)


def _section(section: Section) -> Iterator[Check]:
    if not section.folder.is_dir():
        yield Check(
            section.name, FAIL, f"There is no folder {section.folder}.", f"Make it, or set {section.name}.folder."
        )
        return
    files = sum(1 for entry in os.scandir(section.folder) if entry.is_file())
    yield Check(section.name, OK, f"{section.folder} can be read and contains {counted(files, 'file', 'files')}.")
    for folder in (section.folder, section.archive_folder, section.failed_folder):
        if not _may_write(folder):
            yield Check(
                section.name,
                FAIL,
                f"{folder} cannot be written to.",
                "Give the client's account the right to write there.",
            )


def _may_write(folder: Path) -> bool:
    return os.access(_nearest_folder(folder), os.W_OK | os.X_OK)


def _nearest_folder(folder: Path) -> Path:
    """Return the folder, or its nearest parent that exists: the client creates missing folders when it needs them."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return folder


def _own_folders(config: ClientConfig) -> Iterator[Check]:
    for part, folder in (("state", config.client.state_folder), ("log", config.client.log_folder)):
        if _may_write(folder):
            yield Check(part, OK, f"{folder} can be used.")
        else:
            yield Check(part, FAIL, f"{folder} cannot be written to.", f"Set client.{part}.folder=PATH.")
    yield _journal(config.client.state_folder)
    yield _disk(config.client.state_folder)


def _journal(folder: Path) -> Check:
    try:
        waiting = count_unsent(folder)
    except sqlite3.Error as error:
        return Check("journal", FAIL, f"The journal cannot be read: {error}.", f"Move {folder / JOURNAL_NAME} away.")
    if waiting is None:
        return Check("journal", OK, "No file has been taken yet.")
    if waiting:
        message = f"{counted(waiting, 'file waits', 'files wait')} to be sent."
        return Check("journal", WARN, message, "Look at the log; sis-sync run sends them.")
    return Check("journal", OK, "No file waits to be sent.")


def _disk(folder: Path) -> Check:
    free_bytes = shutil.disk_usage(_nearest_folder(folder)).free
    if free_bytes < _LOW_DISK_BYTES:
        return Check("disk", WARN, f"{free_bytes >> 20} MB are free on the disk of {folder}.", "Free some space.")
    return Check("disk", OK, f"{free_bytes >> 30} GB are free on the disk of {folder}.")


def _server(config: ClientConfig, *, now: datetime) -> Iterator[Check]:
    try:
        with open_api(require_backend(config), config.client.name) as api:
            yield from _ping(api, config, now=now)
    except TryLater as error:
        message = f"{config.backend.url}: {error.message}"
        yield Check("server", FAIL, message, error.fix, ServerNotReached.exit_code)
    except SisSyncError as error:
        part = "key" if error.exit_code == KeyRefused.exit_code else "server"
        yield Check(part, FAIL, error.message, error.fix, error.exit_code)


def _ping(api: Api, config: ClientConfig, *, now: datetime) -> Iterator[Check]:
    answer = api.ping()
    version = answer.get("server_version", "unknown")
    yield Check("server", OK, f"{config.backend.url} answers, version {version}, for {answer.get('school_system')}.")
    yield from _key(answer, config)
    yield _clock(str(answer.get("server_time", "")), now=now)
    if answer.get("is_paused"):
        yield Check("server", WARN, "Syncing is paused: files are planned, not applied.", "Ask who paused it.")


def _key(answer: dict[str, Any], config: ClientConfig) -> Iterator[Check]:
    if "upload" not in answer.get("scopes", ["upload"]):
        fix = "Make a key with the scope upload on the page Sync Client."
        yield Check("key", FAIL, "The key may not upload.", fix, KeyRefused.exit_code)
        return
    allowed = answer.get("modes", [])
    missing = [section.mode.name for section in config.sections if allowed and section.mode.name not in allowed]
    if missing:
        message = f"The key may not send {', '.join(missing)}; it may send {', '.join(allowed)}."
        fix = "Make a key for these modes, or switch the sections off."
        yield Check("key", FAIL, message, fix, KeyRefused.exit_code)
    else:
        yield Check("key", OK, "The key is good.")


def _clock(text: str, *, now: datetime) -> Check:
    try:
        skew_seconds = abs((datetime.fromisoformat(text) - now).total_seconds())
    except (ValueError, TypeError):
        return Check("clock", WARN, "The server did not send its time.", "Compare the clocks by hand.")
    if skew_seconds > _MAX_SKEW_SECONDS:
        message = f"This clock and the server's are {skew_seconds:,.0f} seconds apart."
        return Check("clock", WARN, message, "Switch on the time service of this computer.")
    return Check("clock", OK, "This clock agrees with the server's.")
