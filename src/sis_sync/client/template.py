"""The commented client.properties that `init` writes: all five sections, every key with its default."""

import os
from collections.abc import Mapping
from pathlib import Path

from sis_sync.client.setting_keys import (
    BACKEND_KEYS,
    CLIENT_KEYS,
    SECTION_TITLES,
    Key,
    section_keys,
    section_reading_keys,
)
from sis_sync.core.errors import ConfigurationError
from sis_sync.core.modes import FULL, PARTIAL, STAFF, STUDENTS

_HEAD = """\
# Settings of the SIS Sync client.
# key=value. There are no escapes: write C:\\SIS\\export or \\\\server\\share\\export as they are.
# A line that starts with # is a comment: take the # away to set its key. ${env:NAME} inserts a variable.
"""
_MAPPER = """\
# ==== Column header mapper plugin ====
# For an SIS with its own column names or values. Switch a mapper on with, for example, full.sync.mapper=mysis
# sis-sync mapper presets lists ready ones, sis-sync mapper suggest FILE proposes lines.
#mapper.mysis.column.custom_id=Student_Number | Student ID
#mapper.mysis.column.email=Mail
#mapper.mysis.constant.user_type=Student
#mapper.mysis.value.status.A=Active
#mapper.mysis.value.status.I=Disabled
"""
_NUMBERS = {PARTIAL: 2, FULL: 3, STUDENTS: 4, STAFF: 5}


def template(values: Mapping[str, str]) -> str:
    """Return the text of the file. The `values` are set; every other key is a comment with its default."""
    parts = [
        _HEAD,
        _block("Section 1: API key", BACKEND_KEYS, values),
        _block("The client itself", CLIENT_KEYS, values),
    ]
    for mode, number in _NUMBERS.items():
        parts.append(_block(f"Section {number}: {SECTION_TITLES[mode.name]}", section_keys(mode), values))
        parts[-1] += "# Only if the files of this section differ from client.file.*:\n"
        parts[-1] += "".join(f"#{key.name}=\n" for key in section_reading_keys(mode))
    return "\n".join([*parts, _MAPPER])


def _block(title: str, keys: tuple[Key, ...], values: Mapping[str, str]) -> str:
    lines = [f"# ==== {title} ===="]
    for key in keys:
        lines.append(f"# {key.about}")
        is_set = key.name in values
        lines.append(f"{'' if is_set else '#'}{key.name}={values.get(key.name, key.default)}")
    return "\n".join(lines) + "\n"


def write_settings_file(path: Path, text: str, *, may_replace: bool) -> None:
    """Write the file, readable by its owner only: it may contain the API key. Raise ConfigurationError if it exists."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if may_replace:
            path.unlink(missing_ok=True)
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        raise ConfigurationError(f"{path} exists already.", fix="Edit it, or replace it with --force.") from None
    except OSError as error:
        message = f"{path} cannot be written: {error.strerror}."
        raise ConfigurationError(message, fix="Name another with --config.") from None
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
