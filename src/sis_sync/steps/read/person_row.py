"""A person is not a header: refuse a file whose first row is a person, and a mapping that names values as headers.

If the first person were read as the header, that person would be lost every night. No message prints a value of a
person.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice

from sis_sync.core.errors import FileRefused
from sis_sync.core.fields import FIELDS
from sis_sync.core.reading_options import ReadingOptions
from sis_sync.steps.map.columns import comparable
from sis_sync.steps.map.mapping import Mapping
from sis_sync.steps.read.header_line import ADDRESS, HeaderLine
from sis_sync.steps.read.quotes import Buffer, split_record
from sis_sync.steps.read.shape import Shape

_ROWS_COMPARED = 200
_MIN_REPEATED = 2
_TIME = r"(?:[T ]\d{1,2}:\d{2}.*)?"
_DAY, _MONTH, _YEAR = r"(?:0?[1-9]|[12]\d|3[01])", r"(?:0?[1-9]|1[0-2])", r"(?:(?:19|20)\d\d|\d\d)"
_DATE = re.compile(
    rf"(?:{_DAY}|{_MONTH})([./-])(?:{_DAY}|{_MONTH})\1{_YEAR}{_TIME}"
    rf"|(?:19|20)\d\d([./-]){_MONTH}\2{_DAY}{_TIME}"
    r"|(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])"
    rf"|{_DAY}[. -]+[^\W\d_]{{3,9}}[. -]+{_YEAR}"
)
_FIELDS = frozenset(comparable(name) for field in FIELDS for name in (field.name, *field.aliases))
_FIX = (
    "Let the SIS export the names of the columns as the first row. If it cannot, name them in a mapping, in the order "
    "of the file: mapper.NAME.header=none and mapper.NAME.columns=NAME | NAME | NAME."
)


def is_of_a_person(cell: str) -> bool:
    """Return True for an address or a date. No header is either."""
    return bool(ADDRESS.fullmatch(cell.strip()) or _DATE.fullmatch(cell.strip()))


def refuse_mapping_of_a_person(mapping: Mapping) -> None:
    """Raise FileRefused (`file.no_header`) if the mapping names an address or a date as a header."""
    if any(map(is_of_a_person, (*mapping.headers(), *mapping.reading.columns))):
        message = "The mapping names an address or a date as a header: its lines were made from a row that is a person."
        raise FileRefused("file.no_header", message, fix=_FIX)


def refuse_person_as_header(data: Buffer, header: HeaderLine, options: ReadingOptions) -> None:
    """Raise FileRefused (`file.no_header`) if the line taken for the header is a person.

    A line that has all fields, or that someone named as the header, is never refused.
    """
    if options.header_line is not None or not is_person(data, header):
        return
    message = "The first row is a person: the file has no header row, which names its columns."
    if header.whole_line:
        message = f"The header is on line {header.whole_line}, but the lines above it look like people."
        raise FileRefused("file.no_header", message, line=header.line, fix="Move the header to the first line.")
    raise FileRefused("file.no_header", message, line=header.line, fix=_FIX)


def is_person(data: Buffer, header: HeaderLine) -> bool:
    """Return True if the line taken for the header lacks fields, and its cells are those of a person."""
    if header.is_whole:
        return False
    return any(map(is_of_a_person, header.names)) or _repeated_cells(data, header) >= _MIN_REPEATED


def _repeated_cells(data: Buffer, header: HeaderLine) -> int:
    """Count the cells of the line that are also below it, in the same column, but not in another header."""
    first = [name.strip().casefold() for name in header.names]
    below: list[set[str]] = [set() for _ in first]
    for row in islice(_rows_after(data, header), _ROWS_COMPARED):
        if row != first and not _FIELDS.intersection(map(comparable, row)):
            for values, cell in zip(below, row, strict=False):
                values.add(cell)
    return sum(bool(cell) and cell in values for cell, values in zip(first, below, strict=True))


def _rows_after(data: Buffer, header: HeaderLine) -> Iterator[list[str]]:
    shape = Shape(ord(header.delimiter))
    end = split_record(data, header.start, shape).end
    shape = replace(shape, columns=len(header.names), named=len(header.names))
    while end < len(data):
        record = split_record(data, end, shape)
        yield [cell.decode("utf-8", "backslashreplace").strip().casefold() for cell in record.cells]
        end = record.end
