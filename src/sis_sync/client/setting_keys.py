"""Every key of client.properties with its default and meaning. The reader, `init` and the docs all use this table."""

from collections.abc import Iterator
from dataclasses import dataclass

from sis_sync.core.fields import FALLBACK_ENCODING
from sis_sync.core.modes import FULL, PARTIAL, STAFF, STUDENTS, Mode

TOKEN_KEY = "backend.api.token"  # noqa: S105 - the name of a key, not a secret
TOKEN_FILE_KEY = "backend.api.token.file"  # noqa: S105 - the name of a key, not a secret
TOKEN_VARIABLE = "SIS_SYNC_BACKEND_API_TOKEN"  # noqa: S105 - the name of a variable, not a secret


@dataclass(frozen=True)
class Key:
    """`default` is used if the file has no value for the key; an empty default means none."""

    name: str
    default: str
    about: str


# One section for each mode, in the order of one pass. The mode that can delete the most accounts comes last.
SECTION_MODES: tuple[Mode, ...] = (PARTIAL, STUDENTS, STAFF, FULL)
SECTION_TITLES: dict[str, str] = {
    "partial": "Partial sync: people in the file are created or updated, no one else is touched",
    "students": "Student only sync: the file lists every student, absent students are deleted",
    "staff": "Staff only sync: the file lists every administrator, teacher and staff member",
    "full": "Full sync: the file is the complete list, everyone who is not in it is deleted",
}

# The keys of the reading options, behind `client.` or the prefix of a section.
READING_SUFFIXES: dict[str, str] = {
    "encoding": "file.encoding",
    "encoding_fallback": "file.encoding.fallback",
    "delimiter": "file.delimiter",
    "header": "file.header",
    "columns": "file.columns",
    "escape": "file.escape",
    "footer": "file.footer",
}
_READING_ABOUT = {
    "encoding": "Encoding of the files, such as windows-1250. Empty: it is detected.",
    "encoding_fallback": "Encoding of files that are not UTF-8 or UTF-16.",
    "delimiter": "comma, tab, semicolon or bar. Empty: it is detected.",
    "header": "Line of the header, or none. Empty: it is detected.",
    "columns": "Names of the columns of files without a header row: A | B | C.",
    "escape": 'backslash, if the files write \\" for a quotation mark.',
    "footer": "Lines that are not people: Total records: {rows} | (* rows affected).",
}


def _reading_keys(prefix: str, *, fallback: str = "") -> tuple[Key, ...]:
    defaults = {"encoding_fallback": fallback}
    return tuple(
        Key(f"{prefix}.{suffix}", defaults.get(name, ""), _READING_ABOUT[name])
        for name, suffix in READING_SUFFIXES.items()
    )


BACKEND_KEYS: tuple[Key, ...] = (
    Key("backend.url", "", "Address of the server, https://... (http:// only for this computer)."),
    Key(TOKEN_KEY, "", f"The API key itself. Better: the next line, or the variable {TOKEN_VARIABLE}."),
    Key(TOKEN_FILE_KEY, "", "A file that contains only the API key and that only the client may read."),
    Key("backend.ca.file", "", "Certificates (PEM) to trust in addition to those of the computer."),
    Key("backend.proxy", "", "Proxy to use, http://host:port. Empty: the proxy of the computer."),
    Key("backend.timeout.seconds", "60", "How long to wait for one answer, 1 to 3600."),
    Key("backend.retry.max.minutes", "30", "How long to try again before leaving a file to the next pass, 0 to 1440."),
)
CLIENT_KEYS: tuple[Key, ...] = (
    Key("client.name", "", "What the server calls this client. Empty: the name of the computer."),
    Key("client.poll.seconds", "30", "How often `watch` looks into the folders, 1 to 86400."),
    Key("client.settle.seconds", "10", "How long a file must not have changed before it is taken, 0 to 3600."),
    Key("client.state.folder", "", "Where the client keeps its journal and the files on their way."),
    Key("client.log.folder", "", "Where the client writes its logs (no personal data)."),
    Key(
        "client.archive.keep.days",
        "30",
        "Days after which archived files are removed, 1 to 3650. They contain personal data.",
    ),
    *_reading_keys("client", fallback=FALLBACK_ENCODING),
)


def section_keys(mode: Mode) -> tuple[Key, ...]:
    """Return the keys of the section for this mode."""
    keys: tuple[Key, ...] = (
        Key("enabled", "false", "true to watch the folder of this section."),
        Key("folder", "", "Where the SIS exports to. Write Windows and UNC paths as they are."),
        Key("file.pattern", "*.csv", "Which files of the folder, * and ? allowed."),
        Key("ready.file", "", "Name of a file that the SIS writes last; nothing is taken before it is there."),
        Key("schedule", "on arrival", "When `watch` takes files: on arrival, or times of day such as 06:30,18:30."),
        Key("mapper", "", "Name of the mapping (mapper.NAME lines below, or a preset) for the headers of the file."),
        Key("archive.folder", "", "Where delivered files go. Empty: archive, inside the folder."),
        Key("failed.folder", "", "Where refused files go. Empty: failed, inside the folder."),
    )
    if mode.judges_absence:
        keys += (Key("max.age.hours", "48", "An older file is not sent, 1 to 8760."),)
    return tuple(Key(f"{mode.settings_prefix}.{key.name}", key.default, key.about) for key in keys)


def section_reading_keys(mode: Mode) -> tuple[Key, ...]:
    """Return the keys that say how to read the files of this section. They replace those of the client."""
    return _reading_keys(mode.settings_prefix)


def all_keys() -> Iterator[Key]:
    """Yield every key except the mapper lines, in the order of a pass."""
    yield from BACKEND_KEYS
    yield from CLIENT_KEYS
    for mode in SECTION_MODES:
        yield from section_keys(mode)
        yield from section_reading_keys(mode)
