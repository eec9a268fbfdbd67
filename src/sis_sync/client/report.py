"""The report of one pass: an outcome per file, problems and notices. The command prints it and logs it."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any, Literal

from sis_sync.client.journal import Delivery
from sis_sync.client.responses import RunStatus
from sis_sync.core.errors import ConfigurationError, RunClosed, SisSyncError
from sis_sync.core.exit_codes import DONE, FILE_REFUSED, HELD, ROWS_FAILED
from sis_sync.core.run_states import APPLIED, CANCELLED, EXPIRED, FAILED, OUT_OF_DATE, REFUSED, REJECTED, SUPERSEDED

LOGGER = logging.getLogger("sis_sync.client")
_MAX_BYTES, _KEPT_FILES = 1_000_000, 5

Outcome = Literal["sent", "refused", "skipped", "ended"]


@dataclass(frozen=True)
class FileOutcome:
    """The outcome of one file in this pass. `reason` may quote the file, so it is not logged."""

    delivery: Delivery
    outcome: Outcome
    run: RunStatus | None = None
    reason: str = ""
    code: str = ""
    same_as_at: datetime | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return the outcome for JSON."""
        run = self.run
        return {
            "section": self.delivery.section,
            "mode": self.delivery.mode,
            "file": self.delivery.file_name,
            "outcome": self.outcome,
            "reason": self.reason,
            "code": self.code,
            "same_as_at": self.same_as_at.isoformat() if self.same_as_at else None,
            "run": {"id": run.id, "state": run.state, "counts": run.counts, "page": run.page} if run else None,
        }


@dataclass
class PassReport:
    """Collects results during the pass. A problem is a section and an error; an empty section means all sections."""

    files: list[FileOutcome] = field(default_factory=list)
    problems: list[tuple[str, SisSyncError]] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)

    def add_file(self, outcome: FileOutcome) -> None:
        """Add a file's outcome. Log only its name, ID, state and code, which are not personal data."""
        self.files.append(outcome)
        delivery = outcome.delivery
        run = f" run={outcome.run.id} state={outcome.run.state}" if outcome.run else ""
        code = f" code={outcome.code}" if outcome.code else ""
        LOGGER.info("%s %s file=%s%s%s", delivery.section, outcome.outcome, delivery.file_name, run, code)

    def add_problem(self, section: str, error: SisSyncError) -> None:
        """Add an error that stopped a section or all sending. Log only its title, which is not personal data."""
        self.problems.append((section, error))
        LOGGER.warning("%s stopped: %s", section or "sending", error.title)

    def add_notice(self, text: str) -> None:
        """Add a sentence that a person should read but that is not a problem."""
        self.notices.append(text)

    def as_dict(self) -> dict[str, Any]:
        """Return the report for JSON."""
        problems = [
            {"section": section, "title": error.title, "message": error.message, "fix": error.fix}
            for section, error in self.problems
        ]
        files = [each.as_dict() for each in self.files]
        return {"schema_version": 1, "files": files, "problems": problems, "notices": self.notices}

    def exit_code(self, *, is_detailed: bool = False) -> int:
        """Return the first problem's exit code, else the code for the files and runs (see `core/exit_codes.py`)."""
        if self.problems:
            return self.problems[0][1].exit_code
        runs = [each.run for each in self.files if each.run]
        if any(each.outcome == "refused" for each in self.files) or any(run.state == REFUSED for run in runs):
            return FILE_REFUSED
        return max((run_exit_code(run, is_detailed=is_detailed) for run in runs), default=DONE)


def run_exit_code(run: RunStatus, *, is_detailed: bool = False) -> int:
    """Return the exit code for the state of a run."""
    if run.state == REFUSED:
        return FILE_REFUSED
    if run.state in (REJECTED, SUPERSEDED, EXPIRED, OUT_OF_DATE, CANCELLED):
        return RunClosed.exit_code
    if run.state == FAILED:
        return SisSyncError.exit_code
    if run.state == APPLIED:
        return ROWS_FAILED if run.counts.get("failed") else DONE
    return HELD if is_detailed else DONE


@contextmanager
def client_log(folder: Path) -> Iterator[None]:
    """Write the client's log to this folder while the block runs. Times are in UTC."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handler = RotatingFileHandler(
            folder / "client.log", maxBytes=_MAX_BYTES, backupCount=_KEPT_FILES, encoding="utf-8"
        )
    except OSError as error:
        message = f"The log folder {folder} cannot be used: {error.strerror}."
        raise ConfigurationError(
            message, fix="Name a folder that the client may write to: client.log.folder=PATH."
        ) from None
    formatter = logging.Formatter("%(asctime)sZ %(levelname)s %(message)s", datefmt="%Y-%m-%dT%H:%M:%S")
    formatter.converter = time.gmtime
    handler.setFormatter(formatter)
    LOGGER.addHandler(handler)
    LOGGER.setLevel(logging.INFO)
    try:
        yield
    finally:
        LOGGER.removeHandler(handler)
        handler.close()
