"""The configuration: server, client and watched sections. It is read from client.properties and checked at startup."""

import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from sis_sync.client.api_key import Token, exposed_token_warning, find_token
from sis_sync.client.sections import Section, read_section
from sis_sync.client.setting_keys import SECTION_MODES, TOKEN_KEY, all_keys
from sis_sync.client.settings_file import MAPPER_PREFIX, SettingsFile, read_settings_file
from sis_sync.client.watched_folders import check_folders
from sis_sync.core.errors import ConfigurationError
from sis_sync.core.loopback import is_loopback
from sis_sync.core.reading_options import ReadingOptions

API_PATH = "/api/v1"


@dataclass(frozen=True)
class Backend:
    """The server and how to reach it. `url` has no trailing slash. Without `proxy` the computer's proxy is used."""

    url: str
    token: Token
    ca_file: Path | None
    proxy: str
    timeout_seconds: int
    retry_max_minutes: int


@dataclass(frozen=True)
class ClientSettings:
    """The settings of the client itself."""

    name: str
    poll_seconds: int
    settle_seconds: int
    state_folder: Path
    log_folder: Path
    archive_keep_days: int
    reading: ReadingOptions


@dataclass(frozen=True)
class ClientConfig:
    """`sections` are the enabled ones, in the order of a pass; `warnings` are sentences for a person."""

    path: Path
    backend: Backend
    client: ClientSettings
    sections: tuple[Section, ...]
    warnings: tuple[str, ...]
    settings: SettingsFile = field(repr=False)


def load_config(path: Path, environment: Mapping[str, str]) -> ClientConfig:
    """Return the configuration. Raise ConfigurationError with the file, line, key, problem and fix."""
    settings = read_settings_file(path, environment)
    backend = _backend(settings, environment)
    sections = [read_section(settings, mode) for mode in SECTION_MODES]
    enabled = tuple(section for section in sections if section)
    check_folders(enabled, settings)
    exposed = exposed_token_warning(settings)
    warnings = (*settings.warnings, exposed) if exposed else settings.warnings
    return ClientConfig(path, backend, _client(settings), enabled, warnings, settings)


def require_backend(config: ClientConfig) -> Backend:
    """Return the server's settings. Raise ConfigurationError if the address or key is missing."""
    if not config.backend.url:
        raise ConfigurationError(f"{config.path} has no backend.url.", fix="Write backend.url=https://host.")
    if not config.backend.token.secret:
        fix = "Make a key on the server's page Sync Client, then run: sis-sync token set"
        raise ConfigurationError(f"{config.path} has no API key.", fix=fix)
    return config.backend


def effective_settings(path: Path, environment: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """Return the key, value and origin of every setting and mapper line. The API key is masked.

    Raise ConfigurationError if the file cannot be read.
    """
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


def server_address(text: str) -> str:
    """Return the address without a trailing slash or API path. Raise ValueError with the correct form."""
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise ValueError("Write https://host or https://host:port.") from None
    if parts.scheme not in ("https", "http") or not parts.hostname or port == 0 or not _is_plain(text):
        raise ValueError("Write https://host or https://host:port.")
    if parts.username is not None or parts.query or parts.fragment or "?" in text or "#" in text:
        raise ValueError("Leave out user names, ? and #: https://host or https://host/path.")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise ValueError("Use https://; http:// works for this computer only (localhost, 127.0.0.1).")
    path = parts.path.rstrip("/").removesuffix(API_PATH).rstrip("/")
    return f"{parts.scheme}://{parts.netloc}{path}"


def _backend(settings: SettingsFile, environment: Mapping[str, str]) -> Backend:
    return Backend(
        url=_address(settings, "backend.url", server_address),
        token=find_token(settings, environment),
        ca_file=_existing_file(settings, "backend.ca.file"),
        proxy=_address(settings, "backend.proxy", _proxy_address),
        timeout_seconds=settings.number("backend.timeout.seconds", 1, 3600),
        retry_max_minutes=settings.number("backend.retry.max.minutes", 0, 1440),
    )


def _address(settings: SettingsFile, key: str, parse: Callable[[str], str]) -> str:
    try:
        return parse(settings.text(key)) if settings.text(key) else ""
    except ValueError as error:
        raise settings.wrong(key, "cannot be used", str(error)) from None


def _existing_file(settings: SettingsFile, key: str) -> Path | None:
    path = settings.place(key)
    try:
        is_there = path is None or path.is_file()
    except OSError:  # the name is too long for the file system
        is_there = False
    if not is_there:
        raise settings.wrong(key, "is not a file", "Write the path of a file that exists.")
    return path


def _client(settings: SettingsFile) -> ClientSettings:
    import platformdirs

    return ClientSettings(
        name=settings.text("client.name") or socket.gethostname(),
        poll_seconds=settings.number("client.poll.seconds", 1, 86400),
        settle_seconds=settings.number("client.settle.seconds", 0, 3600),
        state_folder=settings.place("client.state.folder") or Path(platformdirs.user_state_path("sis-sync")),
        log_folder=settings.place("client.log.folder") or Path(platformdirs.user_log_path("sis-sync")),
        archive_keep_days=settings.number("client.archive.keep.days", 1, 3650),
        reading=settings.reading("client"),
    )


def _proxy_address(text: str) -> str:
    """Return the proxy's address unchanged. Raise ValueError with the correct form if it is invalid."""
    try:
        parts = urlsplit(text)
        is_wrong = parts.port == 0
    except ValueError:
        is_wrong = True
    if is_wrong or parts.scheme not in ("http", "https") or not parts.hostname or not _is_plain(text):
        raise ValueError("Write http://host:port.")
    return text


def _is_plain(text: str) -> bool:
    return text.isascii() and text.isprintable() and not set(text) & set(' <>"{}|\\^`')
