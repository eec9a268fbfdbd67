"""The shape of records: what separates their cells, and how many they may have."""

import functools
import re
import sys
from dataclasses import dataclass

from sis_sync.core.limits import FILE_LIMITS
from sis_sync.core.reading_options import ReadingOptions
from sis_sync.steps.map.columns import Columns, least_cells
from sis_sync.steps.map.mapping import Mapping

# What the engine's `clean` trims, in UTF-8. A tab is left out, because it may be the delimiter.
_BLANK = (
    rb"(?:[ \n\x0b-\r]|\xc2\xa0|\xd8\x9c|\xe1\x9a\x80|\xe1\xa0\x8e|\xe2\x80[\x80-\x8f\xa8-\xaf]"
    rb"|\xe2\x81[\x9f\xa0\xa6-\xa9]|\xe3\x80\x80|\xef\xbb\xbf"
)
BLANK = _BLANK + rb"|\t)"
_BLANK_CELL = re.compile(BLANK + rb"*+")
ESCAPE = 0x5C  # the backslash: exports use no other
_LONG_LINE_BYTES = 1 << 18


@dataclass(frozen=True)
class Shape:
    """How a record is split, and how many cells it may have.

    `columns` is the number of columns of the header (0 while the header itself is split), `named` that number without
    the nameless columns at the end. `least` is the fewest cells that a record may have: the columns after them feed
    optional fields or none. `has_escapes`: a backslash makes the next character literal. `is_kept`: we wrote this file
    and left columns out, so a row of only delimiters is a record, and every record has all cells.
    """

    delimiter: int
    columns: int = 0
    named: int = 0
    least: int = 0
    has_escapes: bool = False
    is_kept: bool = False

    @functools.cached_property
    def most_cells(self) -> int:
        """Splitting a header stops at this many cells, because a header with more than the limit is refused."""
        return sys.maxsize if self.columns else FILE_LIMITS.columns + 1

    @functools.cached_property
    def most_bytes(self) -> int:
        """The bytes of a record whose cells are all at the limit. A file with a longer record is refused."""
        has_left_out = not self.columns or self.is_kept  # then the file may have more columns than these
        columns = FILE_LIMITS.columns if has_left_out else self.columns
        return max((FILE_LIMITS.cell_bytes + 1) * columns, _LONG_LINE_BYTES)

    def fitted(self, cells: tuple[bytes, ...]) -> tuple[bytes, ...] | None:
        """Return as many cells as the header has columns: empty ones at the end are added or left out.

        Return None if that would invent or lose a value.
        """
        if self.is_kept:
            return cells if len(cells) == self.columns else None
        missing = self.columns - len(cells)
        if missing < 0:
            return cells[:missing] if all(map(is_blank_cell, cells[missing:])) else None
        return (*cells, *[b""] * missing) if len(cells) >= min(self.least, self.columns) else None

    def is_blank_row(self, line: bytes) -> bool:
        """Return True if the line has only delimiters, blanks and quoted blanks."""
        return blank_row_pattern(self.delimiter).fullmatch(line) is not None


def is_blank_cell(cell: bytes) -> bool:
    """Return True if a cell is empty after it is trimmed."""
    return _BLANK_CELL.fullmatch(cell) is not None


@functools.lru_cache(maxsize=8)
def blank_row_pattern(delimiter: int) -> re.Pattern[bytes]:
    """Return the pattern of a line of delimiters, blanks and quoted blanks."""
    blank = BLANK if delimiter != ord("\t") else _BLANK + b")"
    cell = blank + rb'*+(?:"' + BLANK + rb'*+"' + blank + rb"*+)?+"
    return re.compile(cell + rb"(?:" + re.escape(bytes([delimiter])) + cell + rb")*+")


def header_shape(delimiter: str, options: ReadingOptions) -> Shape:
    """Return the shape of a header, whose number of columns is unknown."""
    return Shape(ord(delimiter), has_escapes=bool(options.escape))


def shape_of(delimiter: str, columns: Columns, mapping: Mapping, options: ReadingOptions) -> Shape:
    """Return the shape of the records below a header."""
    names = columns.header
    named = max((place + 1 for place, name in enumerate(names) if name.strip()), default=len(names))
    return Shape(ord(delimiter), len(names), named, least_cells(columns, mapping), bool(options.escape))
