"""One watched section of client.properties: a folder whose files are sent in one mode."""

from dataclasses import dataclass
from datetime import time
from pathlib import Path

from sis_sync.client.keys import SectionKind
from sis_sync.client.mapper_lines import SectionMapping, section_mapping
from sis_sync.client.schedule import parse_schedule
from sis_sync.client.settings_file import SettingsFile
from sis_sync.core.modes import MODES, Mode

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


def read_section(settings: SettingsFile, kind: SectionKind) -> Section | None:
    """The section, None if it is not enabled; its values are checked either way."""
    key = f"{kind.prefix}.".__add__
    folder = settings.place(key("folder"))
    is_enabled = settings.flag(key("enabled"))
    if is_enabled and folder is None:
        raise settings.wrong(key("enabled"), "switches on a section that has no folder", f"Write {key('folder')}=PATH.")
    base = folder or Path()
    section = Section(
        name=kind.prefix,
        mode=MODES[kind.mode],
        folder=base,
        file_pattern=_pattern(settings, key("file.pattern")),
        ready_file=_ready_file(settings, key("ready.file")),
        schedule=_schedule(settings, key("schedule")),
        mapping=section_mapping(settings, key("mapper")),
        archive_folder=settings.place(key("archive.folder")) or base / "archive",
        failed_folder=settings.place(key("failed.folder")) or base / "failed",
        max_age_hours=None if kind.mode == "partial" else settings.number(key("max.age.hours"), 1, 8760),
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
