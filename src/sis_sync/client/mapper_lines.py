"""The mapper lines of client.properties: which of them a section needs and sends with each file."""

from dataclasses import dataclass

from sis_sync.client.settings_file import MAPPER_PREFIX, SettingsFile
from sis_sync.core.errors import ConfigurationError
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
