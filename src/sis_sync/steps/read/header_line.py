"""The line of the header: the line that someone named, or the first of 20 lines that has the headers.

The lines above it are skipped: `sep=;`, `#TYPE`, and titles of a report. A line that looks like a person or like
another header is not a title.
"""

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from sis_sync.core.errors import FileRefused
from sis_sync.core.limits import FILE_LIMITS
from sis_sync.core.placeholder_ids import CUSTOM_ID_PLACEHOLDERS
from sis_sync.core.reading_options import ReadingOptions
from sis_sync.steps.map.columns import MESSAGE_HEADER, find_columns, fitting_variants, missing_fields
from sis_sync.steps.map.mapping import Mapping
from sis_sync.steps.read.delimiter import best_split, delimiter_for_columns, first_records
from sis_sync.steps.read.quotes import Buffer, end_of_line, split_record
from sis_sync.steps.read.scan import too_large
from sis_sync.steps.read.shape import Shape

# Neither a blank nor a delimiter, and not part of the byte order mark.
SOMETHING = re.compile(rb'[^\s,;|"\xef\xbb\xbf]')
ADDRESS = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")
_HEAD_BYTES = 4096
_LINES_TRIED = 20
_FOR_A_PROGRAM = re.compile(rb'\s*"?(?:sep=.|#TYPE\b.*?)"?[\s,;|]*', re.IGNORECASE)
_LEAST_REPEATS = 3  # of a label above neighbouring columns: first, middle and last name
# A line above the header with as many filled cells as this is a person or another header, one with an address sooner.
_TITLE_SHARE, _TITLE_SHARE_WITH_ADDRESS = 2 / 3, 1 / 2


@dataclass(frozen=True)
class HeaderLine:
    """Where the header starts (offset and physical line), its delimiter and its names.

    For a file without a header row, someone gave the names, and `start` is its first record. `is_whole`: all fields are
    found. `known` is the number of known names, `skipped` the number of lines above that are not blank. If someone
    named the line of the header, they count only if some of them are not titles. `whole_line` is a later line that has
    all fields, but has lines above it that are not titles.
    """

    start: int
    line: int
    delimiter: str
    names: list[str]
    is_whole: bool = True
    known: int = 0
    skipped: int = 0
    whole_line: int | None = None


def options_of_file(head: bytes, mapping: Mapping, options: ReadingOptions) -> ReadingOptions:
    """Return the reading options for the file that begins with `head`: `options`, completed by those of the mapping.

    Our own file of failed rows is read without them, because it is not written like the export.
    """
    said = options.over(mapping.reading)
    first_lines = head[:_HEAD_BYTES].replace(b"\0", b"")  # UTF-16, if a spreadsheet saved it so
    return ReadingOptions(fallback=said.fallback) if MESSAGE_HEADER.encode() in first_lines else said


def find_header_line(
    data: Buffer, mapping: Mapping, options: ReadingOptions, *, most_columns: int = FILE_LIMITS.columns
) -> HeaderLine:
    """Return the line of the header.

    Raise FileRefused (`file.header_missing`) if the file has no such line, or (`file.too_large`) if it is too long.
    """
    if options.has_no_header:
        start, names = mark_bytes(data), list(options.columns)
        delimiter = delimiter_for_columns(data, start, options)
        return HeaderLine(start, 1, delimiter, names)
    start, line = header_start(data)
    if options.header_line is not None:
        start, line = offset_of_line(data, options.header_line), options.header_line
        if not SOMETHING.search(data[start : end_of_line(data, start)]):
            message = f"The header should be on line {line}, but that line is blank or after the end of the file."
            fix = "Name the line of the header, or leave the option out."
            raise FileRefused("file.header_missing", message, line=line, fix=fix)
    most_bytes = most_columns * FILE_LIMITS.cell_bytes
    if _is_longer(data, start, most_bytes):
        raise too_large(f"Line {line} is longer than {most_columns} cells can be", line)
    if options.header_line is not None:
        found = _split(data, start, line, mapping, options)
        numbers = [(place, number) for place, number in _first_lines(data, most_bytes) if number < line]
        above = [replace(found, start=place, line=number) for place, number in numbers]
        return found if _are_titles(data, above, found) else replace(found, skipped=len(above))
    return _best_line(data, mapping, options, most_bytes)


def header_start(data: Buffer) -> tuple[int, int]:
    """Return the offset and the physical line of the first line that is not blank."""
    first = SOMETHING.search(data)
    start = max(data.rfind(b"\n", 0, first.start()) + 1, mark_bytes(data)) if first else 0
    return start, data[:start].count(b"\n") + 1


def mark_bytes(data: Buffer) -> int:
    """Return the length of the byte order mark."""
    return len(codecs.BOM_UTF8) if data[: len(codecs.BOM_UTF8)] == codecs.BOM_UTF8 else 0


def offset_of_line(data: Buffer, line: int) -> int:
    """Return the offset of a physical line, or the end of the file if there is no such line."""
    start = mark_bytes(data)
    for _ in range(line - 1):
        start = data.find(b"\n", start) + 1 or len(data)
    return start


def _best_line(data: Buffer, mapping: Mapping, options: ReadingOptions, most_bytes: int) -> HeaderLine:
    """Return the first line that has all fields, if only titles are above it, else the line most like a header."""
    tried: list[HeaderLine] = []
    for_program = 0
    for start, line in _first_lines(data, most_bytes):
        if not tried and _FOR_A_PROGRAM.fullmatch(data[start : end_of_line(data, start)]):
            for_program += 1
            continue
        found = replace(_split(data, start, line, mapping, options), skipped=for_program + len(tried))
        if found.is_whole and (not tried or _are_titles(data, tried, found)):
            return found
        if found.is_whole:
            return replace(tried[0], whole_line=line)
        tried.append(found)
    if not tried:
        return _split(data, *header_start(data), mapping, options)
    return max(tried, key=lambda each: (each.known, sum(map(bool, map(str.strip, each.names)))))


def _first_lines(data: Buffer, most_bytes: int) -> Iterator[tuple[int, int]]:
    """Yield the offset and the number of the first lines that are not blank."""
    start, line = header_start(data)
    last = max(line, _LINES_TRIED)
    while line <= last and start < len(data) and not _is_longer(data, start, most_bytes):
        end = end_of_line(data, start)
        if SOMETHING.search(data[start:end]):
            yield start, line
        start, line = end + 1, line + 1


def _split(data: Buffer, start: int, line: int, mapping: Mapping, options: ReadingOptions) -> HeaderLine:
    delimiter, names = best_split(data, start, mapping, options)
    found = [(find_columns(names, variant), variant) for variant in fitting_variants(mapping, names)]
    is_whole = any(not missing_fields(columns, variant) for columns, variant in found)
    return HeaderLine(start, line, delimiter, names, is_whole, max(len(columns.used) for columns, _ in found))


def _are_titles(data: Buffer, above: list[HeaderLine], header: HeaderLine) -> bool:
    """Return True if every line above the header is a title, so that none can be a person or another header.

    A person or another header has about as many filled cells as the header and the records after it. With an address,
    fewer suffice. Only the line directly above the header may have as many, if it holds labels of columns.
    """
    shape = Shape(ord(header.delimiter))
    records = list(first_records(data, split_record(data, header.start, shape).end, shape))
    widths = [len(_filled(cells)) for cells in records] or [len(header.names)]
    usual = min(sum(map(bool, map(str.strip, header.names))), float(np.median(widths)))
    for line in above:
        cells = split_record(data, line.start, shape).cells
        share = _TITLE_SHARE_WITH_ADDRESS if _has_address(cells) else _TITLE_SHARE
        is_title = len(_filled(cells)) < share * usual
        if not is_title and not (line.line == header.line - 1 and _are_labels(cells, records)):
            return False
    return True


def _are_labels(cells: tuple[bytes, ...], records: list[tuple[bytes, ...]]) -> bool:
    """Return True for the first line of a header that has two: Pupil, Pupil, Pupil, Contact.

    A label repeats above neighbouring columns, and no record after the header repeats a value there. The cells are
    words, and none is also in a record, in the same column.
    """
    words = _filled(cells)
    if not all("".join(word.split()).isalpha() and word.upper() not in CUSTOM_ID_PLACEHOLDERS for word in words):
        return False
    labels = [cell.strip() for cell in cells]
    below = [[cell.strip() for cell in record] for record in records]
    pairs = [pair for record in below for pair in zip(labels, record, strict=False)]
    if len(set(words)) == 1 or any(label and label.lower() == value.lower() for label, value in pairs):
        return False
    starts = range(len(labels) - _LEAST_REPEATS + 1)
    groups = [slice(at, at + _LEAST_REPEATS) for at in starts if labels[at]]
    repeated = [group for group in groups if len(set(labels[group])) == 1]
    values = [[[value for value in record[group] if value] for record in below] for group in repeated]
    return any(all(len(set(each)) == len(each) for each in of_group) for of_group in values)


def _has_address(cells: tuple[bytes, ...]) -> bool:
    return any(map(ADDRESS.fullmatch, _filled(cells)))


def _filled(cells: tuple[bytes, ...]) -> list[str]:
    return [cell.decode("utf-8", "backslashreplace") for cell in map(bytes.strip, cells) if cell]


def _is_longer(data: Buffer, start: int, most_bytes: int) -> bool:
    return len(data) - start > most_bytes and data.find(b"\n", start, start + most_bytes) == -1
