"""client.properties as text: find the file, read its lines, replace `${env:NAME}`, read one value at a time."""

import difflib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath

from sis_sync.client.setting_keys import READING_SUFFIXES, TOKEN_KEY, all_keys
from sis_sync.core.errors import ConfigurationError
from sis_sync.core.reading_options import ReadingOptions, options_of
from sis_sync.steps.map.properties import Property, read_properties

FILE_NAME = "client.properties"
_VARIABLE = re.compile(r"\$\{env:([^}]*)\}")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
MAPPER_PREFIX = "mapper."


def find_settings_file(asked_for: Path | None) -> Path:
    """Return `asked_for` if set, else ./client.properties, else the file in the user's configuration folder."""
    if asked_for is not None:
        return asked_for
    here = Path(FILE_NAME)
    if here.is_file():
        return here
    import platformdirs

    return Path(platformdirs.user_config_path("sis-sync")) / FILE_NAME


@dataclass(frozen=True)
class SettingsFile:
    """The lines of one file by key. `${env:NAME}` is replaced in `lines` and kept as written in `raw`."""

    path: Path
    lines: dict[str, Property]
    raw: dict[str, str]
    warnings: tuple[str, ...]

    def text(self, key: str) -> str:
        """Return the value, or the key's default if the file has no value."""
        found = self.lines.get(key)
        return found.value if found and found.value else _DEFAULTS[key]

    def line_of(self, key: str) -> int | None:
        """Return the line number of the key, or None if the file does not contain it."""
        return self.lines[key].line if key in self.lines else None

    def wrong(self, key: str, problem: str, right: str) -> ConfigurationError:
        """Return the error for a bad value. It names the file, line, key and problem; its fix names a right value."""
        where = f"{self.path} line {self.line_of(key)}" if key in self.lines else str(self.path)
        shown = "" if key == TOKEN_KEY or not self.raw.get(key) else f' "{self.raw[key][:200]}"'
        return ConfigurationError(f"{where}, {key}:{shown} {problem}.", fix=right)

    def number(self, key: str, low: int, high: int) -> int:
        """Return the value as a whole number from `low` to `high`."""
        text = self.text(key)
        if not re.fullmatch(r"[0-9]{1,9}", text) or not low <= int(text) <= high:
            raise self.wrong(key, "is not a whole number in the range", f"Write a number from {low} to {high}.")
        return int(text)

    def flag(self, key: str) -> bool:
        """Return the value as a bool."""
        text = self.text(key).lower()
        if text not in ("true", "false"):
            raise self.wrong(key, "is neither true nor false", "Write true or false.")
        return text == "true"

    def place(self, key: str) -> Path | None:
        """Return the path, or None if there is no value. A relative path starts in the folder of the settings file."""
        text = self.text(key)
        if not text:
            return None
        path = Path(text)
        if text.startswith("~"):
            return _at_home(path)
        if path.is_absolute() or PureWindowsPath(text).is_absolute():
            return path
        return Path.cwd() / self.path.parent / path

    def reading(self, prefix: str) -> ReadingOptions:
        """Return the reading options in the keys that begin with this prefix, `client` or that of a section."""
        keys = {name: f"{prefix}.{suffix}" for name, suffix in READING_SUFFIXES.items()}
        words = {name: self.text(key) for name, key in keys.items()}
        return options_of(words, called=lambda name: f"{self.path} line {self.line_of(keys[name])}, {keys[name]}")


_DEFAULTS = {key.name: key.default for key in all_keys()}


def _at_home(path: Path) -> Path:
    try:
        return path.expanduser()
    except RuntimeError:
        return path


def read_settings_file(path: Path, environment: Mapping[str, str]) -> SettingsFile:
    """Return the file's lines. Raise ConfigurationError with the file, line and key."""
    properties = _read_lines(path)
    filled = {each.key: Property(each.key, _with_variables(each, path, environment), each.line) for each in properties}
    warnings = tuple(filter(None, (_unknown_key(each, path) for each in properties)))
    return SettingsFile(path, filled, {each.key: each.value for each in properties}, warnings)


def _read_lines(path: Path) -> list[Property]:
    try:
        text = path.read_bytes().decode("utf-8-sig")
        return read_properties(text)
    except FileNotFoundError:
        raise ConfigurationError(f"There is no file {path}.", fix="Write one with: sis-sync init") from None
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}.", fix="Check its rights.") from None
    except UnicodeDecodeError:
        raise ConfigurationError(f"{path} is not UTF-8 text.", fix="Save it as UTF-8 (in Notepad: Encoding).") from None
    except ConfigurationError as error:
        raise ConfigurationError(f"{path}: {error.message}", fix=error.fix) from None


def _with_variables(line: Property, path: Path, environment: Mapping[str, str]) -> str:
    def fail(problem: str, right: str) -> ConfigurationError:
        return ConfigurationError(f"{path} line {line.line}, {line.key}: {problem}.", fix=right)

    value = _VARIABLE.sub(_variable_value(environment, fail), line.value)
    if _CONTROL.search(line.key + value):
        raise fail("the line contains a control character", "Remove it; a value is one line of text.")
    return value


def _variable_value(
    environment: Mapping[str, str], fail: Callable[[str, str], ConfigurationError]
) -> Callable[[re.Match[str]], str]:
    def value_of(found: re.Match[str]) -> str:
        if not found[1] or found[1] not in environment:
            raise fail(f"there is no environment variable {found[1]!r}", "Set it for the account that runs the client.")
        return environment[found[1]]

    return value_of


def _unknown_key(line: Property, path: Path) -> str | None:
    if line.key in _DEFAULTS or line.key.startswith(MAPPER_PREFIX):
        return None
    close = difflib.get_close_matches(line.key, _DEFAULTS, n=1, cutoff=0.6)
    hint = f"Did you mean {close[0]}?" if close else "It is ignored."
    return f"{path} line {line.line}: there is no key {line.key[:100]}. {hint}"
