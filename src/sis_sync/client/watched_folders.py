"""The watched folders: the files in them, their name patterns, and the rules for folders that sections share.

No file may match the patterns of two sections, and no section may take a file from an archive.
"""

import fnmatch
import itertools
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sis_sync.client.sections import Section
from sis_sync.client.settings_file import SettingsFile

_TEMPORARY_ENDS = (".part", ".tmp")
_TEMPORARY_STARTS = ("~$", ".")
_STAR = "*"
_PART = re.compile(r"\*+|\?|\[!?\]?[^\]]*\]|.", re.DOTALL)


@dataclass(frozen=True)
class FoundFile:
    """`modified_ns` is the file's modification time in nanoseconds since 1970, as the file system reports it."""

    path: Path
    size_bytes: int
    modified_ns: int

    @property
    def is_unchanged(self) -> bool:
        """True if size and time are still the same."""
        return look_at(self.path) == self


def look_at(path: Path) -> FoundFile | None:
    """Return the file with its current size and time, or None if it no longer exists."""
    try:
        status = path.stat(follow_symlinks=False)
    except OSError:
        return None
    return FoundFile(path, status.st_size, status.st_mtime_ns)


def is_temporary(name: str) -> bool:
    """Return True if the name is hidden, or is one that programs and editors use for unfinished files."""
    lowered = name.lower()
    return lowered.endswith(_TEMPORARY_ENDS) or lowered.startswith(_TEMPORARY_STARTS)


def can_open(path: Path) -> bool:
    """Return True if the file can be opened. On Windows, a program often locks a file until it has finished writing."""
    try:
        with path.open("rb"):
            return True
    except OSError:
        return False


def matches(name: str, pattern: str) -> bool:
    """Return True if the name matches the pattern. Ignore case on every system, so that *.csv also matches .CSV."""
    return fnmatch.fnmatchcase(name.lower(), pattern.lower())


def check_folders(sections: Sequence[Section], settings: SettingsFile) -> None:
    """Raise ConfigurationError if two sections could take the same file, or if one could take an archived file."""
    for first, second in itertools.combinations(sections, 2):
        if _is_same(first.folder, second.folder) and can_overlap(first.file_pattern, second.file_pattern):
            raise settings.wrong(
                f"{second.name}.folder",
                f"is also the folder of {first.name}, and one file could fit both patterns "
                f"({first.file_pattern} and {second.file_pattern})",
                "Give each section its own folder, or patterns that no file name can both fit.",
            )
    for section in sections:
        _check_archive(section, sections, settings)


def can_overlap(first: str, second: str) -> bool:
    """Return True if some file name matches both patterns.

    This reads both patterns in parallel, like two automata that read the same name. A position is a pair: the number of
    parts used from the first and from the second pattern. The patterns overlap if both ends can be reached together.
    """
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
    """Return the next positions. A star skips itself or one part of the other pattern; other parts must match."""
    left_star = i < len(left) and left[i].startswith(_STAR)
    right_star = j < len(right) and right[j].startswith(_STAR)
    steps = []
    if left_star or (right_star and i < len(left)):
        steps.append((i + 1, j))
    if right_star or (left_star and j < len(right)):
        steps.append((i, j + 1))
    if (
        not left_star
        and not right_star
        and i < len(left)
        and j < len(right)
        and _match_same_character(left[i], right[j], alphabet)
    ):
        steps.append((i + 1, j + 1))
    return steps


def _match_same_character(first: str, second: str, alphabet: frozenset[str]) -> bool:
    return any(fnmatch.fnmatchcase(each, first) and fnmatch.fnmatchcase(each, second) for each in alphabet)


def _alphabet(text: str) -> frozenset[str]:
    """Return enough characters to distinguish any two parts: the characters of the pattern and their neighbours."""
    written = set(text.lower()) | {"a", "0"}
    return frozenset(chr(min(max(ord(each) + step, 1), 0x10FFFF)) for each in written for step in (-1, 0, 1))


def _check_archive(section: Section, sections: Sequence[Section], settings: SettingsFile) -> None:
    for key, folder in (("archive.folder", section.archive_folder), ("failed.folder", section.failed_folder)):
        for other in sections:
            if _is_same(folder, other.folder):
                problem = f"is the watched folder of {other.name}: its files would be taken again"
                raise settings.wrong(f"{section.name}.{key}", problem, "Name another folder.")
    if _is_same(section.archive_folder, section.failed_folder):
        raise settings.wrong(f"{section.name}.failed.folder", "is the archive folder too", "Name another folder.")


def _is_same(first: Path, second: Path) -> bool:
    """Return True if both paths lead to the same folder, even through links. Compare case only if the system does."""
    return os.path.normcase(os.path.realpath(first)) == os.path.normcase(os.path.realpath(second))
