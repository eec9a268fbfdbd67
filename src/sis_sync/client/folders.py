"""Which files of the watched folders may be taken now."""

import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sis_sync.client.found_file import FoundFile, can_open, is_temporary, look_at
from sis_sync.client.journal import State, is_in_hand, is_settled
from sis_sync.client.sections import Section, matches


@dataclass(frozen=True)
class Scan:
    """What one look into a section's folder saw. `takable` are oldest first; `skipped` are made pointless by them.

    `waiting` are files that are still changing; `stale` is the newest file where it is too old to be sent.
    """

    section: Section
    seen: tuple[FoundFile, ...]
    takable: tuple[FoundFile, ...] = ()
    skipped: tuple[FoundFile, ...] = ()
    waiting: tuple[FoundFile, ...] = ()
    stale: FoundFile | None = None
    ready: FoundFile | None = None


def scan_section(state: State, section: Section, *, settle_seconds: int, now: datetime) -> Scan:
    """Look into the folder and remember how its files look. OSError if the folder cannot be read."""
    seen = tuple(_files_of(section))
    settled = [_is_finished(state, each, settle_seconds, now) for each in seen]
    new = [(each, done) for each, done in zip(seen, settled, strict=True) if not is_in_hand(state, each)]
    waiting = tuple(each for each, done in new if not done)
    ready = look_at(section.folder / section.ready_file) if section.ready_file else None
    if section.ready_file and (ready is None or waiting):
        return Scan(section, seen, waiting=waiting)
    if not section.newest_counts:
        return Scan(section, seen, takable=_until_unsettled(new), waiting=waiting, ready=ready)
    if waiting or not new:
        return Scan(section, seen, waiting=waiting, ready=ready)
    *older, newest = (each for each, _ in new)
    if is_too_old(newest, section, now=now):
        return Scan(section, seen, stale=newest)
    return Scan(section, seen, takable=(newest,), skipped=tuple(older), ready=ready)


def _files_of(section: Section) -> list[FoundFile]:
    """The files that fit, oldest first; links, folders and names that are no text are left alone."""
    with os.scandir(section.folder) as entries:
        paths = [Path(entry.path) for entry in entries if _fits(entry, section)]
    found = [each for each in (look_at(path) for path in paths) if each]
    return sorted(found, key=lambda each: (each.modified_ns, each.path.name))


def _fits(entry: os.DirEntry[str], section: Section) -> bool:
    if not entry.is_file(follow_symlinks=False) or is_temporary(entry.name) or not entry.name.isprintable():
        return False
    if section.ready_file and entry.name.lower() == section.ready_file.lower():
        return False
    return matches(entry.name, section.file_pattern)


def _is_finished(state: State, found: FoundFile, settle_seconds: int, now: datetime) -> bool:
    return is_settled(state, found, settle_seconds=settle_seconds, now=now) and can_open(found.path)


def _until_unsettled(files: list[tuple[FoundFile, bool]]) -> tuple[FoundFile, ...]:
    """Files that build on each other are taken in order: none before an older one that is still changing."""
    taken = []
    for found, done in files:
        if not done:
            break
        taken.append(found)
    return tuple(taken)


def is_too_old(found: FoundFile, section: Section, *, now: datetime) -> bool:
    """Whether the file is older than the section allows."""
    modified_at = datetime.fromtimestamp(found.modified_ns / 1e9, UTC)
    return section.max_age_hours is not None and now - modified_at > timedelta(hours=section.max_age_hours)


def remove_ready_files(scans: Sequence[Scan], complete: Collection[str]) -> None:
    """`complete` names the sections whose files were all taken; sections may share a ready file."""
    for ready in {scan.ready for scan in scans if scan.ready and scan.seen}:
        sharing = [scan for scan in scans if _ready_path(scan) == ready.path]
        if all(not scan.seen or scan.section.name in complete for scan in sharing) and ready.is_as_found:
            ready.path.unlink(missing_ok=True)


def _ready_path(scan: Scan) -> object:
    return scan.section.folder / scan.section.ready_file if scan.section.ready_file else None
