"""The header: find it, split it, and refuse a file whose header is wrong or repeated.

The rules are in sections 2 and 3 of the file format.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from sis_sync.core.errors import ConfigurationError, FileRefused
from sis_sync.core.reading_options import ReadingOptions
from sis_sync.engine.duckdb import Session
from sis_sync.engine.sql import literal
from sis_sync.steps.map.columns import (
    NOT_COMPARED,
    Columns,
    check_header,
    comparable,
    find_columns,
    fitting_variants,
    missing_fields,
    repeated_columns,
)
from sis_sync.steps.map.mapping import Mapping
from sis_sync.steps.read.encoding import Encoding
from sis_sync.steps.read.header_line import HeaderLine, find_header_line
from sis_sync.steps.read.person_row import is_person
from sis_sync.steps.read.quotes import Buffer, Record, split_record
from sis_sync.steps.read.scan import Layout, refuse_if_unreadable
from sis_sync.steps.read.shape import header_shape, shape_of

_MIN_NAMES = 3  # an ordinary record may contain fewer, because a mapping can supply most fields
_NOT_COMPARED = "[" + "".join(f"\\x{{{ord(character):X}}}" for character in NOT_COMPARED) + "]"  # for the engine


@dataclass(frozen=True)
class Header:
    """A header that is not judged yet. `variants` contains the mapping, or the files of its bundle that fit best.

    A file without a header row has the names that someone gave, and a `record` without cells before the first line.
    """

    found: HeaderLine
    record: Record
    columns: Columns
    variants: tuple[Mapping, ...]

    @property
    def start(self) -> int:
        """The offset of the header, or of the first record if there is none."""
        return self.found.start

    @property
    def line(self) -> int:
        """The physical line of `start`."""
        return self.found.line

    @property
    def delimiter(self) -> str:
        """The character between two cells."""
        return self.found.delimiter

    @property
    def mapping(self) -> Mapping:
        """The mapping to use; `judge_header` refuses the file if several fit."""
        return self.variants[0]

    def layout(self, encoding: Encoding, options: ReadingOptions) -> Layout:
        """Return the layout of the records after the header."""
        shape = shape_of(self.delimiter, self.columns, self.mapping, options)
        return Layout(
            self.record.end,
            self.line + self.record.lines,
            shape,
            has_bad_bytes=encoding.has_bad_bytes,
            bad_bytes=encoding.bad_bytes,
        )


def find_header(data: Buffer, mapping: Mapping, options: ReadingOptions, *, most_columns: int) -> Header:
    """Return the header. Raise FileRefused if the file has no such line, or if it is too long."""
    found = find_header_line(data, mapping, options, most_columns=most_columns)
    if len(found.names) > most_columns:
        message = f"The header has more than {most_columns} columns, which is the limit."
        raise FileRefused("file.too_large", message, line=found.line, fix="Leave columns out of the export.")
    record = Record((), found.start, 0)
    if not options.has_no_header:
        record = split_record(data, found.start, header_shape(found.delimiter, options))
        if record.fault != "unclosed":  # judge_header refuses an unclosed header, after other faults
            refuse_if_unreadable(record, found.line)
    variants = fitting_variants(mapping, found.names)
    return Header(found, record, find_columns(found.names, variants[0]), variants)


def judge_header(data: Buffer, header: Header, mapping: Mapping) -> None:
    """Raise FileRefused for a header that lacks a field or is not closed."""
    _refuse_lone_returns(data[header.start : header.record.end], header.line)
    _refuse_ambiguous(mapping, header)
    # Even a line that someone named as the header may be a person.
    hides_names = bool(header.record.lines) and is_person(data, header.found)
    whole_line = header.found.whole_line
    check_header(header.columns, header.mapping, line=header.line, whole_line=whole_line, hides_names=hides_names)
    refuse_if_unreadable(header.record, header.line)


def _refuse_lone_returns(header: bytes, line: int) -> None:
    """Raise FileRefused if lines end with CR alone: the header would contain the whole file."""
    if b"\r" in header.replace(b"\r\n", b""):
        message = "The header has a carriage return without a line feed: its lines do not end with LF or CRLF."
        raise FileRefused("file.header_missing", message, line=line, fix="Export the file with LF or CRLF line ends.")


def _refuse_ambiguous(mapping: Mapping, header: Header) -> None:
    """Raise ConfigurationError if several mappings of the bundle fit and one of them has all fields.

    The file may lack the column that distinguishes them.
    """
    readable = (not missing_fields(find_columns(header.columns.header, each), each) for each in header.variants)
    if len(header.variants) > 1 and any(readable):
        names = " or ".join(variant.name for variant in header.variants)
        message = f"By its header the file could be any of the files of {mapping.name}."
        raise ConfigurationError(message, fix=f"Name the one it is: {names}.")


def refuse_different_columns(session: Session, header: Header) -> None:
    """Raise FileRefused if two columns say the same field, but not with the same cells throughout."""
    for repeated in repeated_columns(header.columns, header.mapping):
        first, *others = repeated.positions
        differs = " OR ".join(f"trimmed(c{first}) IS DISTINCT FROM trimmed(c{other})" for other in others)
        line = session.value(f"SELECT min(line) FROM cells WHERE {differs}")
        if line is not None:
            raise repeated.refusal(header.columns, f", and their cells differ, first on line {line}", header.line)


def refuse_repeated_header(session: Session, columns: Columns, *, has_broken: bool) -> None:
    """Raise FileRefused if a record contains all names of the header: two exports were joined."""
    names = {comparable(columns.header[position]) for position in columns.of_field.values()}
    if len(names) < _MIN_NAMES:
        names = {comparable(name) for name in columns.header if name.strip()}
    for line, cells in _records_with_a_name(session, columns, has_broken=has_broken):
        if names <= {comparable(cell) for cell in cells if cell}:
            raise FileRefused(
                "file.header_repeated",
                f"The header is repeated on line {line}: two exports were joined, or the report has pages.",
                line=line,
                fix="Export the people as one list, without a header on each page. Send two exports as two files.",
            )


def _records_with_a_name(
    session: Session, columns: Columns, *, has_broken: bool
) -> Iterator[tuple[int, list[str | None]]]:
    """Yield the line and the cells of records that may repeat the header.

    In records that could be split, only the ID is compared with the names, because an ID rarely equals one.
    """
    names = [comparable(name) for name in columns.header if name.strip()]
    position = columns.of_field.get("custom_id", next(iter(columns.of_field.values()), 0))
    bare = f"lower(replace_all(c{position}, {literal(_NOT_COMPARED)}, ''))"
    # A cell without letters cannot be a name with letters: so the engine skips the replacement for most IDs.
    has_letters = f"(lower(c{position}) <> upper(c{position}) OR strlen(c{position}) <> length(c{position}))"
    may_be = has_letters if all(re.search("[a-z]", name) for name in names) else "TRUE"
    rows = session.rows(f"SELECT * FROM cells WHERE {may_be} AND {bare} IN :names", names=names)
    yield from ((row[0], list(row[2:])) for row in rows)
    if not has_broken:
        return
    bare = f"lower(replace_all(cell, {literal(_NOT_COMPARED)}, ''))"
    yield from session.rows(
        "SELECT line, cells FROM broken WHERE line IN (SELECT line FROM "
        f"(SELECT line, unnest(cells) AS cell FROM broken) WHERE {bare} IN :names)",
        names=names,
    )
