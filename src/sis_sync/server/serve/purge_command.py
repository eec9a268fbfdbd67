"""`sis-sync server purge`: purge now, and say what was removed."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils import timezone

from sis_sync.core.errors import ConfigurationError
from sis_sync.core.wording import counted
from sis_sync.server.runs.purge.purge import purge, total
from sis_sync.server.runs.purge.removed import KINDS, NOT_REMOVED, POSTPONED


@dataclass(frozen=True)
class Purged:
    """What a purge removed, or would remove, by kind."""

    counts: Counter[str]
    is_trial: bool

    def as_dict(self) -> dict[str, Any]:
        """Return the counts for JSON, with every kind in the order of the purge."""
        return {
            "dry_run": self.is_trial,
            "removed": {kind: self.counts[kind] for kind in KINDS},
            "postponed_people": self.counts[POSTPONED],
            "not_removed": self.counts[NOT_REMOVED],
        }

    def raise_if_incomplete(self) -> None:
        """Raise ConfigurationError if the operating system refused to remove a file."""
        if number := self.counts[NOT_REMOVED]:
            raise ConfigurationError(
                f"{counted(number, 'file or folder', 'files or folders')} could not be removed; the log says which.",
                fix=f"Give them to the user of the server, below {settings.SIS_SYNC_DATA_FOLDER}, and purge again.",
            )


def purge_now(*, is_trial: bool) -> Purged:
    """Purge the whole installation. Raise AnotherInstanceRuns if another process does."""
    return Purged(total(purge(now=timezone.now(), is_trial=is_trial)), is_trial)


def purge_words(purged: Purged) -> Iterator[str]:
    """Yield a line for each kind of thing that was removed, and one for people who stay."""
    verb = "Would remove" if purged.is_trial else "Removed"
    removed = [counted(purged.counts[kind], *words) for kind, words in KINDS.items() if purged.counts[kind]]
    yield from (f"{verb} {words}." for words in removed)
    if not removed:
        yield "Nothing is older than its time."
    if people := purged.counts[POSTPONED]:
        verb = "stays" if people == 1 else "stay"
        yield f"{counted(people, 'deleted person', 'deleted people')} {verb} until the runs that name them have ended."
