"""Read: from the bytes of a file to records with their physical lines (the file format's section 2)."""

import hashlib
import mmap
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from sis_sync.core.errors import ConfigurationError, FileRefused
from sis_sync.core.findings import Finding, file_finding
from sis_sync.core.modes import Mode
from sis_sync.engine.session import Session
from sis_sync.engine.sql import literal
from sis_sync.formats.content import refuse_unless_text
from sis_sync.formats.encoding import Encoding, detect_encoding, rewrite_as_utf8
from sis_sync.formats.header import Columns, check_header, comparable, find_columns, fitting_variants, ignored_columns
from sis_sync.formats.mapping import NO_MAPPING, Mapping
from sis_sync.formats.records import Buffer, split_record
from sis_sync.formats.scan import END_OF_FILE, Layout, Part, refuse_if_unreadable, scan
from sis_sync.steps.load_records import load_records

# As `comparable` of formats/header.py, for the engine.
NOT_COMPARED = r"[\s_\-\x{A0}\x{FEFF}\x{200B}-\x{200D}\x{2060}]"
DELIMITERS = {",": "comma", "\t": "tab", ";": "semicolon", "|": "bar"}


@dataclass(frozen=True)
class ReadLimits:
    """What is refused as too large. A cell's limit is in `formats/records.py`."""

    file_bytes: int = 1 << 30
    records: int = 10_000_000
    columns: int = 200


@dataclass(frozen=True)
class FileFacts:
    """What was read: size in bytes, digest of the bytes as they came, and how they were understood."""

    name: str
    bytes: int
    sha256: str
    rows: int
    columns: int
    encoding: str
    delimiter: str
    mapping: str
    has_final_newline: bool

    def as_dict(self) -> dict[str, object]:
        """For JSON, in the order of the fields."""
        return asdict(self)


@dataclass(frozen=True)
class Records:
    """The session's table `cells` (line, codes, c0, c1 ...) and `broken` (line, codes, cells), and what they mean."""

    facts: FileFacts
    columns: Columns
    mapping: Mapping
    warnings: tuple[Finding, ...]


def read(
    session: Session,
    path: Path,
    *,
    mode: Mode | None = None,
    mapping: Mapping = NO_MAPPING,
    fallback_encoding: str = "windows-1252",
    limits: ReadLimits | None = None,
) -> Records:
    """Every record of the file, or FileRefused. `mode` None or partial allows a file without records."""
    limits = limits or ReadLimits()
    _refuse_unfit(path, limits)
    encoding = detect_encoding(path, fallback_encoding)
    source, warnings = _as_utf8(session, path, encoding)
    with _mapped(source) as data:
        _refuse_without_records(data, mode)
        layout, columns, mapping = _read_header(data, mapping, encoding, limits)
        loaded = load_records(session, source, data, layout, _within(limits, scan(data, layout)))
        has_final_newline = _has_final_newline(data)
    if not loaded.records:
        _refuse_empty_list(mode)  # its header took in more than one line
    _refuse_repeated_header(session, columns)
    facts = FileFacts(
        name=path.name.encode("utf-8", "replace").decode("utf-8"),
        bytes=path.stat().st_size,
        sha256=_sha256(path),
        rows=loaded.records,
        columns=layout.columns,
        encoding=encoding.name,
        delimiter=DELIMITERS[chr(layout.delimiter)],
        mapping=mapping.name,
        has_final_newline=has_final_newline,
    )
    if not has_final_newline:
        warnings = [*warnings, file_finding("file.no_final_newline")]
    return Records(facts, columns, mapping, (*warnings, *ignored_columns(columns)))


def _refuse_unfit(path: Path, limits: ReadLimits) -> None:
    if not path.is_file():
        raise FileRefused("file.not_found", f"There is no file {path.name}.", fix="Check the path.")
    size = path.stat().st_size
    if size > limits.file_bytes:
        message = f"The file has {size:,} bytes; the limit is {limits.file_bytes:,}."
        raise FileRefused("file.too_large", message, fix="Split the export, or raise the limit.")
    with path.open("rb") as file:
        head = file.read(4096)
    if not head.removeprefix(b"\xef\xbb\xbf").removeprefix(b"\xff\xfe").removeprefix(b"\xfe\xff"):
        raise _empty("The file is empty.")
    refuse_unless_text(head)


def _empty(message: str) -> FileRefused:
    return FileRefused(
        "file.empty", message, fix="Check the export in the SIS. Nobody is deleted because of this file."
    )


def _as_utf8(session: Session, path: Path, encoding: Encoding) -> tuple[Path, list[Finding]]:
    if encoding.name == "utf-8":
        return path, []
    source = session.folder / "utf8.csv"
    return source, rewrite_as_utf8(path, encoding, source)


@contextmanager
def _mapped(path: Path) -> Iterator[mmap.mmap]:
    """The bytes of the file, mapped: nothing is held in memory that is not looked at."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        yield data


_SOMETHING = re.compile(rb"[^\s\xef\xbb\xbf]")


def _refuse_without_records(data: Buffer, mode: Mode | None) -> None:
    header = _SOMETHING.search(data)
    if header is None:
        raise _empty("The file holds nothing but white space.")
    header_end = data.find(b"\n", header.start())
    has_records = header_end != -1 and _SOMETHING.search(data, header_end) is not None
    if not has_records:
        _refuse_empty_list(mode)


def _refuse_empty_list(mode: Mode | None) -> None:
    if mode is not None and mode.judges_absence:
        raise _empty(f"The file has a header but no records, and in the mode {mode.name} everybody absent would leave.")


def _read_header(
    data: Buffer, mapping: Mapping, encoding: Encoding, limits: ReadLimits
) -> tuple[Layout, Columns, Mapping]:
    first = _SOMETHING.search(data)
    start = max(data.rfind(b"\n", 0, first.start()) + 1, _mark_bytes(data)) if first else 0
    line = data[:start].count(b"\n") + 1
    delimiter, header = _best_split(data, start, mapping)
    variants = fitting_variants(mapping, header)
    if len(header) > limits.columns:
        message = f"The header has {len(header)} columns; the limit is {limits.columns}."
        raise FileRefused("file.too_large", message, line=line, fix="Leave columns out of the export.")
    columns = find_columns(header, variants[0])
    check_header(columns, variants[0])
    _refuse_ambiguous(mapping, variants)
    record = split_record(data, start, ord(delimiter), None)
    refuse_if_unreadable(record, line)
    _refuse_lone_returns(data[start : record.end], line)
    layout = Layout(record.end, line + record.lines, ord(delimiter), len(columns.header), encoding.has_bad_bytes)
    return layout, columns, variants[0]


def _refuse_lone_returns(header: bytes, line: int) -> None:
    """Where lines end with CR alone, the header takes in the whole file and no record would be left."""
    if b"\r" in header.replace(b"\r\n", b""):
        message = "The header has a carriage return without a line feed: its lines do not end with LF or CRLF."
        raise FileRefused("file.header_missing", message, line=line, fix="Export the file with LF or CRLF line ends.")


def _mark_bytes(data: Buffer) -> int:
    return 3 if data[:3] == b"\xef\xbb\xbf" else 0


def _best_split(data: Buffer, start: int, mapping: Mapping) -> tuple[str, list[str]]:
    """The delimiter under which the header holds the most known names, the first of equals; and the header."""
    candidates = []
    for delimiter in DELIMITERS:
        cells = split_record(data, start, ord(delimiter), None).cells
        header = [cell.decode("utf-8", "backslashreplace") for cell in cells]
        known = max(len(find_columns(header, variant).used) for variant in fitting_variants(mapping, header))
        candidates.append((known, delimiter, header))
    _, delimiter, header = max(candidates, key=lambda candidate: candidate[0])
    return delimiter, header


def _refuse_ambiguous(mapping: Mapping, variants: tuple[Mapping, ...]) -> None:
    if len(variants) > 1:
        names = " or ".join(variant.name for variant in variants)
        message = f"By its header the file could be any of the files of {mapping.name}."
        raise ConfigurationError(message, fix=f"Name the one it is: {names}.")


def _within(limits: ReadLimits, parts: Iterator[Part]) -> Iterator[Part]:
    """The same parts, as long as they hold no more records than may be."""
    count = 0
    for part in parts:
        count += part.records
        if count > limits.records:
            message = f"The file has more than {limits.records:,} records, which is the limit."
            raise FileRefused("file.too_large", message, fix="Split the export, or raise the limit.")
        yield part


def _has_final_newline(data: Buffer) -> bool:
    """Whether the last line that holds anything has a line end."""
    last = data.rfind(b"\n")
    return not data[last + 1 :].strip(b" \t\r" + END_OF_FILE)


def _refuse_repeated_header(session: Session, columns: Columns) -> None:
    """A record that holds all names of the header is a second header: two exports were joined."""
    names = {comparable(columns.header[position]) for position in columns.of_field.values()}
    if len(names) < 3:  # the mapping supplies nearly all: one ordinary cell may well be called as a header
        names = {comparable(name) for name in columns.header if name.strip()}
    for line, cells in _candidates(session, columns):
        if names <= {comparable(cell) for cell in cells if cell}:
            raise FileRefused(
                "file.header_repeated",
                f"The header stands again on line {line}: two exports were joined.",
                line=line,
                fix="Send each export as a file of its own, or export them as one.",
            )


def _candidates(session: Session, columns: Columns) -> Iterator[tuple[int, list[str | None]]]:
    """Records with a cell that is a name of the header, looked for where names are rarest: among IDs."""
    names = [comparable(name) for name in columns.header if name.strip()]
    position = columns.of_field.get("custom_id", next(iter(columns.of_field.values()), 0))
    first_letters = "".join({name[0] for name in names})
    bare = f"lower(replace_all(c{position}, {literal(NOT_COMPARED)}, ''))"
    may_be = f"has_match(c{position}, {literal('(?i)[' + re.escape(first_letters) + ']')})"
    rows = session.rows(f"SELECT * FROM cells WHERE {may_be} AND {bare} IN :names", names=names)
    yield from ((row[0], list(row[2:])) for row in rows)
    bare = f"lower(replace_all(cell, {literal(NOT_COMPARED)}, ''))"
    yield from session.rows(
        "SELECT line, cells FROM broken WHERE line IN (SELECT line FROM "
        f"(SELECT line, unnest(cells) AS cell FROM broken) WHERE {bare} IN :names)",
        names=names,
    )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
