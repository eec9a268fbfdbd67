"""Find the files in a watched folder that may be taken now.

A file is eligible if its name matches the section's pattern and is not temporary, if it has settled (it has not changed
for client.settle.seconds) and can be opened, and if the section's ready file exists. If the files are complete lists,
only the newest is eligible, and only if it is not too old.
"""

import itertools
import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sis_sync.client.journal import Journal
from sis_sync.client.sections import Section
from sis_sync.client.watched_folders import FoundFile, can_open, is_temporary, look_at, matches


@dataclass(frozen=True)
class Scan:
    """The result of scanning a section's folder once.

    `seen`: all files with a matching name. `eligible`: files that may be taken, oldest first. `outdated`: files that
    the eligible file replaces. `unsettled`: files that are still changing. `too_old`: the newest file, if it is too old
    to send. `ready`: the section's ready file.
    """

    section: Section
    seen: tuple[FoundFile, ...]
    eligible: tuple[FoundFile, ...] = ()
    outdated: tuple[FoundFile, ...] = ()
    unsettled: tuple[FoundFile, ...] = ()
    too_old: FoundFile | None = None
    ready: FoundFile | None = None


def scan_section(journal: Journal, section: Section, *, settle_seconds: int, now: datetime) -> Scan:
    """Scan the folder and store the size and time of its files. Raise OSError if the folder cannot be read."""
    seen = tuple(_matching_files(section))
    # Look at every file, even those already taken: the journal needs the current size and time of each file.
    settled = {
        each
        for each in seen
        if has_settled(journal, each, settle_seconds=settle_seconds, now=now) and can_open(each.path)
    }
    new = [each for each in seen if not journal.is_on_its_way(each)]
    unsettled = tuple(each for each in new if each not in settled)
    ready_path = _ready_path(section)
    ready = look_at(ready_path) if ready_path else None
    if ready_path and (ready is None or unsettled):
        return Scan(section, seen, unsettled=unsettled)
    if not section.sends_newest_only:
        # Partial files build on each other, so never take one before an older one that is still changing.
        eligible = tuple(itertools.takewhile(lambda each: each in settled, new))
        return Scan(section, seen, eligible=eligible, unsettled=unsettled, ready=ready)
    if unsettled or not new:
        return Scan(section, seen, unsettled=unsettled, ready=ready)
    *outdated, newest = new
    if is_too_old(newest, section, now=now):
        return Scan(section, seen, too_old=newest)
    return Scan(section, seen, eligible=(newest,), outdated=tuple(outdated), ready=ready)


def has_settled(journal: Journal, found: FoundFile, *, settle_seconds: int, now: datetime) -> bool:
    """Return True if the file has not changed since a look at least `settle_seconds` ago. Store the current look.

    Use only the client's own clock, because the file's time may come from another computer or from a copy.
    """
    first_seen_at = journal.first_look_at(found)
    if first_seen_at is None or first_seen_at > now:  # new, changed, or this clock was set back
        journal.remember_look(found, now=now)
        return settle_seconds == 0
    return now - first_seen_at >= timedelta(seconds=settle_seconds)


def is_too_old(found: FoundFile, section: Section, *, now: datetime) -> bool:
    """Return True if the file is older than the section allows."""
    modified_at = datetime.fromtimestamp(found.modified_ns / 1e9, UTC)
    return section.max_age_hours is not None and now - modified_at > timedelta(hours=section.max_age_hours)


def remove_ready_files(scans: Sequence[Scan], complete: Collection[str]) -> None:
    """Remove each ready file whose sections are all complete. `complete` names the sections with no file left.

    Sections may share a ready file. If the SIS has written a new one in the meantime, keep it.
    """
    for ready in {scan.ready for scan in scans if scan.ready and scan.seen}:
        sharing = [scan for scan in scans if _ready_path(scan.section) == ready.path]
        if all(not scan.seen or scan.section.name in complete for scan in sharing) and ready.is_unchanged:
            ready.path.unlink(missing_ok=True)


def _matching_files(section: Section) -> list[FoundFile]:
    """Return the files with a matching name, oldest first. Skip links, folders and names that are not text."""
    with os.scandir(section.folder) as entries:
        paths = [Path(entry.path) for entry in entries if _is_match(entry, section)]
    found = [each for each in (look_at(path) for path in paths) if each]
    return sorted(found, key=lambda each: (each.modified_ns, each.path.name))


def _is_match(entry: os.DirEntry[str], section: Section) -> bool:
    if not entry.is_file(follow_symlinks=False) or is_temporary(entry.name) or not entry.name.isprintable():
        return False
    if section.ready_file and entry.name.lower() == section.ready_file.lower():
        return False
    return matches(entry.name, section.file_pattern)


def _ready_path(section: Section) -> Path | None:
    return section.folder / section.ready_file if section.ready_file else None
