"""One watched section of client.properties: a folder whose files are sent in one mode."""

import fnmatch
import itertools
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from pathlib import Path

from sis_sync.client.settings_file import MAPPER_PREFIX, SettingsFile
from sis_sync.core.errors import ConfigurationError
from sis_sync.core.modes import Mode
from sis_sync.steps.map.properties import Property

_MAX_NAME = 100


@dataclass(frozen=True)
class SectionMapping:
    """`lines` are as compact text; empty where `name` is a preset, or where nothing is mapped (empty name too)."""

    name: str = ""
    lines: str = ""


def section_mapping(settings: SettingsFile, key: str) -> SectionMapping:
    """The mapping that a section's `mapper` key switches on. ConfigurationError if it cannot be followed."""
    try:
        return mapping_of(settings, settings.text(key))
    except ConfigurationError as error:
        message = f"{settings.path} line {settings.line_of(key)}, {key}: {error.message}"
        raise ConfigurationError(message, fix=error.fix) from None


def mapping_of(settings: SettingsFile, name: str) -> SectionMapping:
    """The mapping of this name: the file's own lines, else a preset. ConfigurationError if it cannot be followed."""
    from sis_sync.steps.map.mapper_lines import load_mapping, parse_mapping

    if not name:
        return SectionMapping()
    needed = _needed(settings, name)
    if needed:
        parse_mapping(_in_place(needed), name=name)
    elif "/" in name or "\\" in name or name.endswith(".properties") or len(name) > _MAX_NAME:
        raise ConfigurationError(
            "A name is wanted, not a file.", fix="Copy the file's mapper lines into client.properties."
        )
    else:
        load_mapping(name)
    return SectionMapping(name, "".join(f"{line.key}={line.value}\n" for line in needed))


def _needed(settings: SettingsFile, name: str) -> list[Property]:
    """The lines of the mapping and of those that it extends, in file order."""
    names: set[str] = set()
    waiting = [name]
    while waiting:
        current = waiting.pop()
        names.add(current)
        extended = settings.lines.get(f"{MAPPER_PREFIX}{current}.extends")
        if extended and extended.value not in names:
            waiting.append(extended.value)
    return [
        line
        for line in settings.lines.values()
        if line.key.startswith(MAPPER_PREFIX) and line.key.split(".")[1] in names
    ]


def _in_place(lines: list[Property]) -> str:
    """The lines, each at its own line number, so that an error names the line of the file."""
    text: dict[int, str] = {line.line: f"{line.key}={line.value}" for line in lines}
    return "\n".join(text.get(number, "") for number in range(1, max(text) + 1))


ON_ARRIVAL: tuple[time, ...] = ()
_TIME = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])")


def parse_schedule(text: str) -> tuple[time, ...]:
    """The times of day, sorted; none for "on arrival". ValueError says what would be right."""
    if text.lower() == "on arrival":
        return ON_ARRIVAL
    found = [_TIME.fullmatch(part.strip()) for part in text.split(",")]
    times = {time(int(each[1]), int(each[2])) for each in found if each}
    if len(times) != len(found):
        raise ValueError("Write on arrival, or times of day such as 06:30,18:30, each once.")
    return tuple(sorted(times))


def is_due(schedule: tuple[time, ...], *, served_at: datetime, now: datetime) -> bool:
    """Whether a time of the schedule, in the computer's zone, lies after `served_at` and not after `now`."""
    if schedule == ON_ARRIVAL:
        return True
    return any(served_at < moment <= now for moment in _moments(schedule, now))


def _moments(schedule: tuple[time, ...], now: datetime) -> list[datetime]:
    """Yesterday's and today's times: older ones were followed by these."""
    today = now.astimezone().date()
    days = (today - timedelta(days=1), today)
    return [datetime.combine(day, each).astimezone() for day in days for each in schedule]


_MAX_PATTERN = 255


@dataclass(frozen=True)
class Section:
    """`name` is the prefix of its keys. `max_age_hours` is None where age does not matter (partial)."""

    name: str
    mode: Mode
    folder: Path
    file_pattern: str
    ready_file: str | None
    schedule: tuple[time, ...]
    mapping: SectionMapping
    archive_folder: Path
    failed_folder: Path
    max_age_hours: int | None

    @property
    def newest_counts(self) -> bool:
        """Whether only the newest file of a pass is sent: a complete list makes the older ones pointless."""
        return self.mode.judges_absence


def read_section(settings: SettingsFile, mode: Mode) -> Section | None:
    """The section, None if it is not enabled; its values are checked either way."""
    key = f"{mode.settings_prefix}.".__add__
    folder = settings.place(key("folder"))
    is_enabled = settings.flag(key("enabled"))
    if is_enabled and folder is None:
        raise settings.wrong(key("enabled"), "switches on a section that has no folder", f"Write {key('folder')}=PATH.")
    base = folder or Path()
    section = Section(
        name=mode.settings_prefix,
        mode=mode,
        folder=base,
        file_pattern=_pattern(settings, key("file.pattern")),
        ready_file=_ready_file(settings, key("ready.file")),
        schedule=_schedule(settings, key("schedule")),
        mapping=section_mapping(settings, key("mapper")),
        archive_folder=settings.place(key("archive.folder")) or base / "archive",
        failed_folder=settings.place(key("failed.folder")) or base / "failed",
        max_age_hours=settings.number(key("max.age.hours"), 1, 8760) if mode.judges_absence else None,
    )
    return section if is_enabled else None


def _pattern(settings: SettingsFile, key: str) -> str:
    text = settings.text(key)
    if set(text) & set("/\\") or len(text) > _MAX_PATTERN:
        raise settings.wrong(
            key, "is not a pattern for file names", "Write a pattern such as students*.csv, without folders."
        )
    return text


def _ready_file(settings: SettingsFile, key: str) -> str | None:
    text = settings.text(key)
    if set(text) & set("/\\*?") or text in (".", ".."):
        raise settings.wrong(
            key, "is not a file name", "Write the name of a file in the same folder, such as export.done."
        )
    return text or None


def _schedule(settings: SettingsFile, key: str) -> tuple[time, ...]:
    try:
        return parse_schedule(settings.text(key))
    except ValueError as error:
        raise settings.wrong(key, "is not a schedule", str(error)) from None


_STAR = "*"
_PART = re.compile(r"\*+|\?|\[!?\]?[^\]]*\]|.", re.DOTALL)


def matches(name: str, pattern: str) -> bool:
    """Whether the name fits, without regard to case: an export's .CSV is a .csv on every system."""
    return fnmatch.fnmatchcase(name.lower(), pattern.lower())


def can_overlap(first: str, second: str) -> bool:
    """Whether some file name fits both patterns: can the ends of both be reached together?"""
    left, right = _PART.findall(first.lower()), _PART.findall(second.lower())
    alphabet = _alphabet(first + second)
    reached = {(0, 0)}
    waiting = [(0, 0)]
    while waiting:
        for step in _steps(*waiting.pop(), left, right, alphabet):
            if step not in reached:
                reached.add(step)
                waiting.append(step)
    return (len(left), len(right)) in reached


def _steps(i: int, j: int, left: list[str], right: list[str], alphabet: frozenset[str]) -> list[tuple[int, int]]:
    """From these positions: a star may match nothing, or take one part of the other side; single parts go together."""
    left_star = i < len(left) and left[i].startswith(_STAR)
    right_star = j < len(right) and right[j].startswith(_STAR)
    steps = []
    if left_star or (right_star and i < len(left)):
        steps.append((i + 1, j))
    if right_star or (left_star and j < len(right)):
        steps.append((i, j + 1))
    if not left_star and not right_star and i < len(left) and j < len(right) and _meet(left[i], right[j], alphabet):
        steps.append((i + 1, j + 1))
    return steps


def _meet(first: str, second: str, alphabet: frozenset[str]) -> bool:
    return any(fnmatch.fnmatchcase(each, first) and fnmatch.fnmatchcase(each, second) for each in alphabet)


def _alphabet(text: str) -> frozenset[str]:
    """Enough characters to tell any two single-character parts apart: those written, and their neighbours."""
    written = set(text.lower()) | {"a", "0"}
    return frozenset(chr(min(max(ord(each) + step, 1), 0x10FFFF)) for each in written for step in (-1, 0, 1))


def check_folders(sections: Sequence[Section], settings: SettingsFile) -> None:
    """ConfigurationError where two sections could take the same file, or a section its own archive."""
    for first, second in itertools.combinations(sections, 2):
        if _same(first.folder, second.folder) and can_overlap(first.file_pattern, second.file_pattern):
            raise settings.wrong(
                f"{second.name}.folder",
                f"is also the folder of {first.name}, and one file could fit both patterns "
                f"({first.file_pattern} and {second.file_pattern})",
                "Give each section its own folder, or patterns that no file name can both fit.",
            )
    for section in sections:
        _check_away(section, sections, settings)


def _check_away(section: Section, sections: Sequence[Section], settings: SettingsFile) -> None:
    for key, place in (("archive.folder", section.archive_folder), ("failed.folder", section.failed_folder)):
        for other in sections:
            if _same(place, other.folder):
                problem = f"is the watched folder of {other.name}: its files would be taken again"
                raise settings.wrong(f"{section.name}.{key}", problem, "Name another folder.")
    if _same(section.archive_folder, section.failed_folder):
        raise settings.wrong(f"{section.name}.failed.folder", "is the archive folder too", "Name another folder.")


def _same(first: Path, second: Path) -> bool:
    return _identity(first) == _identity(second)


def _identity(path: Path) -> str:
    """By text and links; case counts only where the system's paths have it."""
    return os.path.normcase(os.path.realpath(path))
