"""The settings in force: every key with its value and where that comes from, secrets masked."""

from collections.abc import Mapping
from pathlib import Path

from sis_sync.client.api_key import find_token
from sis_sync.client.keys import TOKEN_KEY, all_keys
from sis_sync.client.settings_file import MAPPER_PREFIX, read_settings_file


def effective_settings(path: Path, environment: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """(key, value, origin) of every key and mapper line. ConfigurationError as the file's reader raises it."""
    settings = read_settings_file(path, environment)
    rows = []
    for key in all_keys():
        line = settings.line_of(key.name)
        origin = f"{path} line {line}" if line and settings.text(key.name) != "" else "default"
        rows.append((key.name, settings.text(key.name), origin))
    token = find_token(settings, environment)
    masked = f"{token.secret[:4]}..." if len(token.secret) > 12 else "..." if token.secret else ""
    rows = [(TOKEN_KEY, masked, token.origin) if row[0] == TOKEN_KEY else row for row in rows]
    mapper = [line for line in settings.lines.values() if line.key.startswith(MAPPER_PREFIX)]
    return [*rows, *((line.key, line.value, f"{path} line {line.line}") for line in mapper)]
