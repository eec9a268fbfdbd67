"""Find the physical lines of a file, and the plain records among them, with array operations instead of a loop.

A plain record is one line whose quotes are regular, with the header's number of columns, and without bytes
that need a closer look. `mend.py` makes plain lines of those with harmless irregularities. `quotes.py` splits all other
records, one at a time.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sis_sync.steps.read.shape import ESCAPE, Shape, blank_row_pattern

Positions = NDArray[np.int64]
Flags = NDArray[np.bool_]

LINE_FEED, RETURN, QUOTE, EQUALS = 10, 13, 34, 61
FIRST_PRINTABLE = 32
_IS_CONTROL = np.ones(FIRST_PRINTABLE, dtype=bool)
_IS_CONTROL[[9, LINE_FEED, RETURN]] = False
_IS_WHITE = np.zeros(256, dtype=bool)
_IS_WHITE[[9, LINE_FEED, RETURN, 32]] = True
# A row of delimiters and blanks has no other bytes than these (and delimiters) at its ends.
_MAY_BE_BLANK = np.zeros(256, dtype=bool)
_MAY_BE_BLANK[[9, 11, 12, RETURN, 32, QUOTE, 0xC2, 0xE1, 0xE2, 0xE3, 0xEF, *range(0x80, 0xC0)]] = True
_LOOKS = 4  # few lines of people have blank cells at as many places


@dataclass(frozen=True)
class Lines:
    """The physical lines of a chunk: their offsets in it, line ends not included, and their kind.

    `is_mendable`: neither blank nor plain, but the number of cells and the quotes are all that may be wrong.
    `widths` are the numbers of cells, right where `has_regular_quotes`. `has_text_formula`: the chunk may have cells
    such as ="00123" in regular quotes.
    """

    starts: Positions
    ends: Positions
    widths: Positions
    is_blank: Flags
    is_plain: Flags
    is_mendable: Flags
    has_regular_quotes: Flags
    has_text_formula: bool

    def __len__(self) -> int:
        return len(self.starts)


def index_lines(chunk: bytes, shape: Shape) -> Lines:
    """Classify every line of a chunk that starts at a line start and ends after a line end, or with the file."""
    data = np.frombuffer(chunk, dtype=np.uint8)
    low = np.flatnonzero(data < FIRST_PRINTABLE)
    starts, ends, has_lone_return = _line_bounds(data, low)
    is_delimiter = data == shape.delimiter
    longest = int(np.diff(starts, append=len(data)).max(initial=0))
    counts = _sums(is_delimiter, starts, longest)
    quotes = np.flatnonzero(data == QUOTE)
    irregular, inside, has_text_formula = _judge_quotes(
        data, starts, ends, quotes, is_delimiter, shape.delimiter, longest
    )
    is_odd = lines_of(_control_positions(chunk, data, low), starts) | has_lone_return
    if shape.has_escapes:
        is_odd |= lines_of(np.flatnonzero(data == ESCAPE), starts)
    if shape.is_kept:
        is_blank = _blank_lines(data, starts, ends, counts)
    else:
        is_blank = _rows_of_delimiters(chunk, data, starts, ends, shape)
    widths = counts - inside + 1
    is_plain = ~(is_odd | is_blank | irregular) & (widths == shape.columns)
    is_mendable = ~(is_odd | is_blank | is_plain) & (not shape.is_kept)
    return Lines(starts, ends, widths, is_blank, is_plain, is_mendable, ~irregular, has_text_formula)


def _line_bounds(data: NDArray[np.uint8], low: Positions) -> tuple[Positions, Positions, Flags]:
    kinds = data[low]
    feeds = low[kinds == LINE_FEED]
    starts = np.concatenate(([0], feeds + 1))
    ends = np.concatenate((feeds, [len(data)]))
    if starts[-1] == len(data):
        starts, ends = starts[:-1], ends[:-1]
    returns = low[kinds == RETURN]
    if not len(returns):
        return starts, ends, np.zeros(len(starts), dtype=bool)
    is_end = np.zeros(len(returns), dtype=bool)
    followed = returns + 1 < len(data)
    is_end[followed] = data[returns[followed] + 1] == LINE_FEED
    with_return = (ends > starts) & (ends < len(data)) & (data[np.maximum(ends - 1, 0)] == RETURN)
    return starts, ends - with_return, lines_of(returns[~is_end], starts)


def lines_of(positions: Positions, starts: Positions) -> Flags:
    """Return for each line whether it contains one of these positions."""
    flags = np.zeros(len(starts), dtype=bool)
    if len(positions):
        flags[np.searchsorted(starts, positions, side="right") - 1] = True
    return flags


def _sums(flags: Flags, firsts: Positions, longest: int) -> Positions:
    """Count the flags from each of these positions to the next one. A longer range than `longest` may count wrong."""
    # Adding numbers of one byte takes a third of the time.
    number = np.min_scalar_type(longest)
    sums: Positions = np.add.reduceat(flags.view(np.uint8), firsts, dtype=number).astype(np.int64)
    return sums


def _counts(positions: Positions, starts: Positions) -> Positions:
    """Return for each line how many of these sorted positions it has."""
    return np.diff(np.searchsorted(positions, starts), append=len(positions))


def _control_positions(chunk: bytes, data: NDArray[np.uint8], low: Positions) -> Positions:
    """Return the positions of U+0000 to 001F except tab, CR and LF, and of U+007F to 009F (C2 80 to C2 9F in UTF-8)."""
    found = [low[_IS_CONTROL[data[low]]]]
    if b"\x7f" in chunk:
        found.append(np.flatnonzero(data == 0x7F))
    if b"\xc2" in chunk:
        leads = np.flatnonzero(data[:-1] == 0xC2)
        follows = data[leads + 1]
        found.append(leads[(follows >= 0x80) & (follows <= 0x9F)])
    return np.concatenate(found)


def _blank_lines(data: NDArray[np.uint8], starts: Positions, ends: Positions, counts: Positions) -> Flags:
    """Return for each line whether it is empty or only spaces and tabs, without a delimiter."""
    blank: Flags = np.equal(ends, starts)
    candidates = np.flatnonzero((counts == 0) & ~blank)
    if len(candidates):
        shown = np.flatnonzero(~_IS_WHITE[data])
        shown_in = np.searchsorted(shown, ends[candidates]) - np.searchsorted(shown, starts[candidates])
        blank[candidates] = shown_in == 0
    return blank


def _rows_of_delimiters(
    chunk: bytes, data: NDArray[np.uint8], starts: Positions, ends: Positions, shape: Shape
) -> Flags:
    """Return for each line whether it is empty or has only delimiters, blanks and quoted blanks."""
    may_be = _MAY_BE_BLANK.copy()
    may_be[shape.delimiter] = True
    is_blank: Flags = np.equal(ends, starts)
    candidates = np.flatnonzero(may_be[data[starts]] & ~is_blank)
    for look in range(_LOOKS):
        if not len(candidates):
            return is_blank
        candidates = candidates[may_be[data[np.minimum(starts[candidates] + look, ends[candidates] - 1)]]]
        candidates = candidates[may_be[data[np.maximum(ends[candidates] - 1 - look, starts[candidates])]]]
    is_row = blank_row_pattern(shape.delimiter).fullmatch
    bounds = zip(candidates.tolist(), starts[candidates].tolist(), ends[candidates].tolist(), strict=True)
    is_blank[[line for line, start, end in bounds if is_row(chunk, start, end)]] = True
    return is_blank


def _judge_quotes(
    data: NDArray[np.uint8],
    starts: Positions,
    ends: Positions,
    quotes: Positions,
    is_delimiter: Flags,
    delimiter: int,
    longest: int,
) -> tuple[Flags, Positions, bool]:
    """Return for each line whether its quotes are irregular, and how many delimiters are inside quotes.

    The third is True if an equals sign is before any quote.
    """
    irregular, inside = np.zeros(len(starts), dtype=bool), np.zeros(len(starts), dtype=np.int64)
    if not len(quotes):
        return irregular, inside, False
    counts = _counts(quotes, starts)
    line = np.repeat(np.arange(len(starts)), counts)
    opens = (np.arange(len(quotes)) - (np.cumsum(counts) - counts)[line]) % 2 == 0
    before, after = data[np.maximum(quotes - 1, 0)], data[np.minimum(quotes + 1, len(data) - 1)]
    may_open = (quotes == starts[line]) | (before == delimiter) | (before == QUOTE)
    may_close = (quotes + 1 == ends[line]) | (after == delimiter) | (after == QUOTE)
    irregular[line[np.where(opens, ~may_open, ~may_close)]] = True
    irregular |= counts % 2 == 1
    pairs = np.flatnonzero(opens[:-1] & (line[:-1] == line[1:]))
    bounds = np.column_stack((quotes[pairs], quotes[pairs + 1])).ravel()
    between = _sums(is_delimiter, bounds, longest)[::2]  # every other range is between two pairs
    np.add.at(inside, line[pairs], between)
    return irregular, inside, bool((before == EQUALS).any())
