"""Folders that sections share: allowed only where no file could belong to two of them, or be taken again."""

import itertools
import os
from collections.abc import Sequence
from pathlib import Path

from sis_sync.client.patterns import can_overlap
from sis_sync.client.section import Section
from sis_sync.client.settings_file import SettingsFile


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
