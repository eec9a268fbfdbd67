"""Make plain lines of lines with harmless irregularities, with array operations instead of a loop over records.

Harmless are: empty cells too many at the end, cells too few if the columns after them need no value, blanks around a
quoted cell, and the equals sign of ="00123".
"""

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sis_sync.steps.read.lines import EQUALS, LINE_FEED, QUOTE, Flags, Lines, Positions, index_lines
from sis_sync.steps.read.quotes import QUOTE_BLANKS, TEXT_FORMULA
from sis_sync.steps.read.shape import Shape

COLUMNS_EMPTY = "row.columns_empty"
_SPACE, _TAB = 32, 9
_HAS_PREFIX = re.compile(rb'[= \t]"|"[ \t]')
Bytes = NDArray[np.uint8]


@dataclass(frozen=True)
class MendedLines:
    """The lines of a chunk that could be mended. `numbers` are their places among its lines.

    `text` has them and the lines that could not be mended, each with LF; `starts` and `ends` are the offsets of the
    mended ones in it. `remarks` has, by code, a flag for each.
    """

    numbers: Positions
    text: bytes
    starts: Positions
    ends: Positions
    remarks: dict[str, Flags]

    def slice(self, first: int, after: int) -> tuple[bytes, Positions, Positions]:
        """Return the text, starts and ends of these neighbouring lines of the chunk, all of which are mended."""
        begin, end = np.searchsorted(self.numbers, (first, after))
        start = self.starts[begin]
        text = self.text[start : self.ends[end - 1] + 1]
        return text, self.starts[begin:end] - start, self.ends[begin:end] - start


def mend(chunk: bytes, lines: Lines, are_candidates: Flags, shape: Shape) -> MendedLines:
    """Mend those of these lines whose irregularities are all harmless."""
    numbers = _worth_a_try(chunk, lines, np.flatnonzero(are_candidates), shape)
    if not len(numbers):
        return MendedLines(numbers, b"", numbers, numbers, {})
    bounds = zip(lines.starts[numbers].tolist(), lines.ends[numbers].tolist(), strict=True)
    text = b"".join([chunk[start:end] + b"\n" for start, end in bounds])
    begun = index_lines(text, shape)
    text, blanks, formulas = _without_prefixes(text, begun, shape)
    text, is_fitted = _fitted(text, index_lines(text, shape), shape)
    mended = index_lines(text, shape)
    done = np.flatnonzero(mended.is_plain)
    remarks = {QUOTE_BLANKS: blanks[done], TEXT_FORMULA: formulas[done], COLUMNS_EMPTY: is_fitted[done]}
    return MendedLines(numbers[done], text, mended.starts[done], mended.ends[done], remarks)


def _worth_a_try(chunk: bytes, lines: Lines, numbers: Positions, shape: Shape) -> Positions:
    """Leave out most of the lines that cannot be mended: in a chunk with a few broken records, all of them."""
    regular = lines.has_regular_quotes[numbers]
    widths, ends = lines.widths[numbers], lines.ends[numbers]
    ends_empty = np.frombuffer(chunk, dtype=np.uint8)[ends - 1] == shape.delimiter  # no candidate is blank
    may_fit = regular & np.where(widths > shape.columns, ends_empty, widths >= shape.least)
    bounds = zip(lines.starts[numbers[~regular]].tolist(), ends[~regular].tolist(), strict=True)
    has_prefix = any(_HAS_PREFIX.search(chunk, start, end) for start, end in bounds)
    return numbers[may_fit | (~regular & has_prefix)]


def _without_prefixes(text: bytes, lines: Lines, shape: Shape) -> tuple[bytes, Flags, Flags]:
    """Return the text without blanks around quoted cells and without equals signs before them.

    Also return for each line whether it had blanks, and whether it had an equals sign. Lines whose quotes cannot be
    paired stay as they are.
    """
    data = np.frombuffer(text, dtype=np.uint8)
    blanks, formulas = np.zeros(len(lines), dtype=bool), np.zeros(len(lines), dtype=bool)
    quotes = np.flatnonzero(data == QUOTE)
    line = np.searchsorted(lines.starts, quotes, side="right") - 1
    count = np.bincount(line, minlength=len(lines))
    quotes = quotes[(~lines.has_regular_quotes & (count % 2 == 0))[line]]
    if not len(quotes):
        return text, blanks, formulas
    opening, closing = quotes[0::2], quotes[1::2]  # each line has an even number
    formula = opening[data[opening - 1] == EQUALS]
    formula = formula[(formula > 0) & _begins_cell(data, formula - 1, shape)]
    is_gone = np.zeros(len(data), dtype=bool)
    is_gone[formula - 1] = True
    formulas[np.searchsorted(lines.starts, formula, side="right") - 1] = True
    first = opening - is_gone[opening - 1]
    is_shown = (data != _SPACE) & ((data != _TAB) | (shape.delimiter == _TAB))
    shown = np.flatnonzero(is_shown)
    before = np.concatenate(([-1], shown))[np.searchsorted(shown, first)]  # the last one that is shown
    after = shown[np.searchsorted(shown, closing, side="right")]  # a line end at the latest
    has_gap = _begins_cell(data, before + 1, shape) & (before + 1 < first)
    ends_cell = ((data[after] == shape.delimiter) | (data[after] == LINE_FEED)) & (closing + 1 < after)
    gone_from = np.concatenate((before[has_gap] + 1, closing[ends_cell] + 1))
    gone_to = np.concatenate((first[has_gap], after[ends_cell]))
    change = np.zeros(len(data) + 1, dtype=np.int64)
    np.add.at(change, gone_from, 1)
    np.add.at(change, gone_to, -1)
    is_gone |= np.cumsum(change[:-1]) > 0
    blanks[np.searchsorted(lines.starts, gone_from, side="right") - 1] = True
    return data[~is_gone].tobytes(), blanks, formulas


def _begins_cell(data: Bytes, positions: Positions, shape: Shape) -> Flags:
    """Return for each position whether a delimiter, or blanks after one, or a line end is directly before it."""
    before = data[np.maximum(positions - 1, 0)]
    begins: Flags = (positions == 0) | (before == LINE_FEED) | (before == shape.delimiter) | (before == _SPACE)
    return begins


def _fitted(text: bytes, lines: Lines, shape: Shape) -> tuple[bytes, Flags]:
    """Return the text with as many cells in each line as the header has, where that neither invents nor loses a value.

    Also return for each line whether it was changed.
    """
    data = np.frombuffer(text, dtype=np.uint8)
    missing = np.where(lines.has_regular_quotes & ~lines.is_blank, shape.columns - lines.widths, 0)
    missing[(missing > 0) & (lines.widths < shape.least)] = 0
    delimiters = np.flatnonzero(data == shape.delimiter)
    superfluous = np.maximum(-missing, 0)
    at_the_end = np.searchsorted(delimiters, lines.ends) - np.searchsorted(delimiters, lines.ends - superfluous)
    missing[at_the_end < superfluous] = 0
    change = np.zeros(len(data) + 1, dtype=np.int64)
    superfluous = np.maximum(-missing, 0)
    np.add.at(change, lines.ends - superfluous, 1)
    np.add.at(change, lines.ends, -1)
    is_kept = np.cumsum(change[:-1]) == 0
    added = np.repeat(lines.ends, np.maximum(missing, 0))
    if len(added):
        delimiter = np.uint8(shape.delimiter)
        data, is_kept = np.insert(data, added, delimiter), np.insert(is_kept, added, np.True_)
    return data[is_kept].tobytes(), missing != 0
