"""The watched sections of client.properties. Each names a folder whose files are sent in one mode, with one mapping."""

from dataclasses import dataclass
from datetime import time
from pathlib import Path
from typing import TYPE_CHECKING

from sis_sync.client.schedule import parse_schedule
from sis_sync.client.settings_file import MAPPER_PREFIX, SettingsFile
from sis_sync.core.errors import ConfigurationError
from sis_sync.core.modes import Mode
from sis_sync.core.reading_options import ReadingOptions
from sis_sync.steps.map.properties import Property

if TYPE_CHECKING:
    from sis_sync.steps.map.mapping import Mapping

_MAX_PATTERN = 255
_MAX_MAPPING_NAME = 100


@dataclass(frozen=True)
class SectionMapping:
    """`lines` is compact text. It is empty if `name` is a preset. Both are empty if there is no mapping."""

    name: str = ""
    lines: str = ""

    def rules(self) -> "Mapping":
        """Return the mapping itself. Raise ConfigurationError if a line is wrong or there is no such preset."""
        from sis_sync.steps.map.mapper_lines import load_mapping, parse_mapping
        from sis_sync.steps.map.mapping import NO_MAPPING

        if not self.name:
            return NO_MAPPING
        return parse_mapping(self.lines, name=self.name) if self.lines else load_mapping(self.name)


@dataclass(frozen=True)
class Section:
    """`name` is the prefix of its keys. `options` are those of its keys, its mapping and the client, in this order.

    `max_age_hours` is None if age does not matter (partial).
    """

    name: str
    mode: Mode
    folder: Path
    file_pattern: str
    ready_file: str | None
    schedule: tuple[time, ...]
    mapping: SectionMapping
    options: ReadingOptions
    archive_folder: Path
    failed_folder: Path
    max_age_hours: int | None

    @property
    def sends_newest_only(self) -> bool:
        """True if only the newest file of a pass is sent, because a complete list replaces older ones."""
        return self.mode.judges_absence


def read_section(settings: SettingsFile, mode: Mode) -> Section | None:
    """Return the section, or None if it is not enabled. Raise ConfigurationError for a bad value in either case."""
    key = f"{mode.settings_prefix}.".__add__
    folder = settings.place(key("folder"))
    is_enabled = settings.flag(key("enabled"))
    if is_enabled and folder is None:
        raise settings.wrong(key("enabled"), "switches on a section that has no folder", f"Write {key('folder')}=PATH.")
    base = folder or Path()
    mapping = _read_mapping(settings, key("mapper"))
    options = reading_options(settings, settings.reading(mode.settings_prefix), mapping)
    section = Section(
        name=mode.settings_prefix,
        mode=mode,
        folder=base,
        file_pattern=_read_pattern(settings, key("file.pattern")),
        ready_file=_read_ready_file(settings, key("ready.file")),
        schedule=_read_schedule(settings, key("schedule")),
        mapping=mapping,
        options=options,
        archive_folder=settings.place(key("archive.folder")) or base / "archive",
        failed_folder=settings.place(key("failed.folder")) or base / "failed",
        max_age_hours=settings.number(key("max.age.hours"), 1, 8760) if mode.judges_absence else None,
    )
    return section if is_enabled else None


def reading_options(settings: SettingsFile, said: ReadingOptions, mapping: SectionMapping) -> ReadingOptions:
    """Return what is said about a file: by its section or by flags, then by the mapping, then for the whole client."""
    options = said.over(mapping.rules().reading).over(settings.reading("client"))
    options.refuse_unnamed_columns()
    return options


def find_mapping(settings: SettingsFile, name: str) -> SectionMapping:
    """Return the mapping with this name from the file, or else a preset. Raise ConfigurationError if it is invalid."""
    from sis_sync.steps.map.mapper_lines import load_mapping, parse_mapping

    if not name:
        return SectionMapping()
    needed = _needed_lines(settings, name)
    if needed:
        parse_mapping(_text_with_same_lines(needed), name=name)
    elif "/" in name or "\\" in name or name.endswith(".properties") or len(name) > _MAX_MAPPING_NAME:
        raise ConfigurationError(
            "A name is wanted, not a file.", fix="Copy the file's mapper lines into client.properties."
        )
    else:
        load_mapping(name)
    return SectionMapping(name, "".join(f"{line.key}={line.value}\n" for line in needed))


def _read_pattern(settings: SettingsFile, key: str) -> str:
    text = settings.text(key)
    if set(text) & set("/\\") or len(text) > _MAX_PATTERN:
        raise settings.wrong(
            key, "is not a pattern for file names", "Write a pattern such as students*.csv, without folders."
        )
    return text


def _read_ready_file(settings: SettingsFile, key: str) -> str | None:
    text = settings.text(key)
    if set(text) & set("/\\*?") or text in (".", ".."):
        raise settings.wrong(
            key, "is not a file name", "Write the name of a file in the same folder, such as export.done."
        )
    return text or None


def _read_schedule(settings: SettingsFile, key: str) -> tuple[time, ...]:
    try:
        return parse_schedule(settings.text(key))
    except ValueError as error:
        raise settings.wrong(key, "is not a schedule", str(error)) from None


def _read_mapping(settings: SettingsFile, key: str) -> SectionMapping:
    try:
        return find_mapping(settings, settings.text(key))
    except ConfigurationError as error:
        message = f"{settings.path} line {settings.line_of(key)}, {key}: {error.message}"
        raise ConfigurationError(message, fix=error.fix) from None


def _needed_lines(settings: SettingsFile, name: str) -> list[Property]:
    """Return the lines of the mapping and of the mappings that it extends, in file order."""
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


def _text_with_same_lines(lines: list[Property]) -> str:
    """Return the lines as one text. Every line keeps its number, so that errors name the right line of the file."""
    text: dict[int, str] = {line.line: f"{line.key}={line.value}" for line in lines}
    return "\n".join(text.get(number, "") for number in range(1, max(text) + 1))
