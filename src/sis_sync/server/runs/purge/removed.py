"""What a purge removes, and functions that remove: rows in small transactions, files without following a link."""

import logging
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.db import models, transaction

from sis_sync.server.logs import WithoutValues

logger = logging.getLogger(__name__)

SLICE_ROWS = 500
# Every kind of thing that a purge removes: its noun for one and for several.
KINDS: dict[str, tuple[str, str]] = {
    "files": ("uploaded file", "uploaded files"),
    "reports": ("plan with its results", "plans with their results"),
    "people": ("deleted person", "deleted people"),
    "changes": ("change of an account", "changes of accounts"),
    "audit_entries": ("entry of the audit log", "entries of the audit log"),
    "runs": ("run", "runs"),
    "jobs": ("finished job", "finished jobs"),
    "sessions": ("expired session", "expired sessions"),
    "keys": ("API key that nothing names", "API keys that nothing names"),
    "claim_codes": ("expired claim code", "expired claim codes"),
    "feed_entries": ("entry of the change feed", "entries of the change feed"),
    "leftovers": ("file or folder of a crash", "files or folders of a crash"),
}
NOT_REMOVED = "not_removed"  # a count of files that the operating system would not remove
POSTPONED = "postponed"  # a count of deleted people whom an undecided run names


@dataclass(frozen=True)
class Purging:
    """One purge. `is_trial`: count what would be removed, and remove nothing."""

    now: datetime
    is_trial: bool = False


@dataclass(frozen=True)
class Removed:
    """What one piece of a purge removed. `school_system_id` is None for what belongs to the whole installation."""

    kind: str
    count: int = 0
    school_system_id: int | None = None


def log_failure(what: str, error: Exception) -> None:
    """Log what could not be removed and why, without a value of a file."""
    if isinstance(error, OSError):
        logger.warning("%s: %s", what, error.strerror)
    else:
        trace = WithoutValues().formatException((type(error), error, error.__traceback__))
        logger.warning("%s: %s", what, trace)


Step = Callable[[Purging], Iterator[Removed]]


def delete_rows(
    purging: Purging, kind: str, found: "models.QuerySet[models.Model]", *, system_column: str = ""
) -> Iterator[Removed]:
    """Delete the rows in slices, each in a transaction of its own. `system_column` names the school system of a row."""
    columns = ("pk", system_column) if system_column else ("pk",)
    rows = found.order_by("pk").values_list(*columns)
    if purging.is_trial:
        systems = Counter(row[1] if system_column else None for row in rows.iterator())
        yield from (Removed(kind, count, system) for system, count in systems.items())
        return
    while piece := list(rows[:SLICE_ROWS]):
        with transaction.atomic():
            # Ask again: a row may have changed since, as when a session goes on.
            found.filter(pk__in=[row[0] for row in piece]).delete()
        systems = Counter(row[1] if system_column else None for row in piece)
        yield from (Removed(kind, count, system) for system, count in systems.items())


def remove_path(path: Path) -> None:
    """Remove a file or a folder. A link is removed itself, and what it leads to is left alone."""
    if path.is_symlink() or not path.is_dir():
        path.unlink(missing_ok=True)
    else:
        shutil.rmtree(path)
