"""The line of the header: the one that someone said, or the first line that is not blank."""

import codecs
import re
from dataclasses import dataclass

from sis_sync.core.errors import FileRefused
from sis_sync.core.reading_options import ReadingOptions
from sis_sync.steps.map.mapping import Mapping
from sis_sync.steps.read.delimiter import delimiter_for_columns, split_by_best_delimiter
from sis_sync.steps.read.quotes import Buffer

SOMETHING = re.compile(rb"[^\s\xef\xbb\xbf]")  # not white space and not part of the byte order mark


@dataclass(frozen=True)
class HeaderLine:
    """Where the header starts (offset and physical line), its delimiter and its names.

    A file without a header row has the names that someone gave, and `start` is its first record.
    """

    start: int
    line: int
    delimiter: str
    names: list[str]


def find_header_line(data: Buffer, mapping: Mapping, options: ReadingOptions) -> HeaderLine:
    """Return the line of the header. Raise FileRefused (`file.header_missing`) if the file has no such line."""
    if options.has_no_header:
        start = _mark_bytes(data)
        return HeaderLine(start, 1, delimiter_for_columns(data, start, options), list(options.columns))
    start, line = header_start(data) if options.header_line is None else _start_of_line(data, options.header_line)
    delimiter, names = split_by_best_delimiter(data, start, mapping, options)
    return HeaderLine(start, line, delimiter, names)


def header_start(data: Buffer) -> tuple[int, int]:
    """Return the offset and the physical line of the first line that is not blank."""
    first = SOMETHING.search(data)
    start = max(data.rfind(b"\n", 0, first.start()) + 1, _mark_bytes(data)) if first else 0
    return start, data[:start].count(b"\n") + 1


def _mark_bytes(data: Buffer) -> int:
    return len(codecs.BOM_UTF8) if data[: len(codecs.BOM_UTF8)] == codecs.BOM_UTF8 else 0


def _start_of_line(data: Buffer, line: int) -> tuple[int, int]:
    """Return the offset and the number of a physical line. Raise FileRefused if it is blank or after the end."""
    start = _mark_bytes(data)
    for _ in range(line - 1):
        start = data.find(b"\n", start) + 1 or len(data)
    end = data.find(b"\n", start)
    if not SOMETHING.search(data[start : len(data) if end == -1 else end]):
        message = f"The header was said to be on line {line}, but that line is blank or after the end of the file."
        raise FileRefused("file.header_missing", message, line=line, fix="Say the line of the header, or leave it out.")
    return start, line
