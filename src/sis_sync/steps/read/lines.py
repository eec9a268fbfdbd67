"""Find the physical lines of a file, and the plain records among them, with array operations instead of a loop.

A plain record is one line whose quotes are regular, with the header's number of columns, and without bytes
that need a closer look. `quotes.py` splits all other records, one at a time.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Positions = NDArray[np.int64]
Flags = NDArray[np.bool_]

LINE_FEED, RETURN, QUOTE = 10, 13, 34
FIRST_PRINTABLE = 32
_IS_CONTROL = np.ones(FIRST_PRINTABLE, dtype=bool)
_IS_CONTROL[[9, LINE_FEED, RETURN]] = False
_IS_WHITE = np.zeros(256, dtype=bool)
_IS_WHITE[[9, LINE_FEED, RETURN, 32]] = True


@dataclass(frozen=True)
class Lines:
    """The physical lines of a chunk: their offsets in it, line ends not included, and their kind."""

    starts: Positions
    ends: Positions
    is_blank: Flags
    is_plain: Flags

    def __len__(self) -> int:
        return len(self.starts)


def index_lines(chunk: bytes, delimiter: int, columns: int) -> Lines:
    """Classify every line of a chunk that starts at a line start and ends after a line end, or with the file."""
    data = np.frombuffer(chunk, dtype=np.uint8)
    low = np.flatnonzero(data < FIRST_PRINTABLE)
    starts, ends, has_lone_return = _line_bounds(data, low)
    delimiters = np.flatnonzero(data == delimiter)
    counts = np.searchsorted(delimiters, ends) - np.searchsorted(delimiters, starts)
    irregular, inside = _judge_quotes(data, starts, ends, delimiters, delimiter)
    has_control = lines_of(_control_positions(chunk, data, low), starts)
    is_blank = _blank_lines(data, starts, ends, counts)
    odd = irregular | has_control | has_lone_return | (counts - inside != columns - 1)
    return Lines(starts, ends, is_blank, ~odd & ~is_blank)


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
    """Return for each line whether it is empty or only spaces and tabs. Delimiters make it a record of empty cells."""
    blank: Flags = np.equal(ends, starts)
    candidates = np.flatnonzero((counts == 0) & ~blank)
    if len(candidates):
        shown = np.flatnonzero(~_IS_WHITE[data])
        shown_in = np.searchsorted(shown, ends[candidates]) - np.searchsorted(shown, starts[candidates])
        blank[candidates] = shown_in == 0
    return blank


def _judge_quotes(
    data: NDArray[np.uint8], starts: Positions, ends: Positions, delimiters: Positions, delimiter: int
) -> tuple[Flags, Positions]:
    """Return for each line whether its quotes are irregular, and how many delimiters are inside quotes."""
    quotes = np.flatnonzero(data == QUOTE)
    irregular, inside = np.zeros(len(starts), dtype=bool), np.zeros(len(starts), dtype=np.int64)
    if not len(quotes):
        return irregular, inside
    line = np.searchsorted(starts, quotes, side="right") - 1
    first = np.searchsorted(quotes, starts)
    opens = (np.arange(len(quotes)) - first[line]) % 2 == 0
    before, after = data[np.maximum(quotes - 1, 0)], data[np.minimum(quotes + 1, len(data) - 1)]
    may_open = (quotes == starts[line]) | (before == delimiter) | (before == QUOTE)
    may_close = (quotes + 1 == ends[line]) | (after == delimiter) | (after == QUOTE)
    irregular[line[np.where(opens, ~may_open, ~may_close)]] = True
    irregular |= np.bincount(line, minlength=len(starts)) % 2 == 1
    return irregular, _delimiters_inside(quotes, line, opens, delimiters, len(starts))


def _delimiters_inside(
    quotes: Positions, line: Positions, opens: Flags, delimiters: Positions, lines: int
) -> Positions:
    """Count for each line the delimiters between an opening quote and the next quote of the line."""
    pairs = np.flatnonzero(opens[:-1] & (line[:-1] == line[1:]))
    between = np.searchsorted(delimiters, quotes[pairs + 1]) - np.searchsorted(delimiters, quotes[pairs])
    inside = np.zeros(lines, dtype=np.int64)
    np.add.at(inside, line[pairs], between)
    return inside
