"""Split one record exactly and find stray quotation marks. This is slow, so plain lines are read without it.

The grammar is RFC 4180. A stray mark (`row.quote`) is inside an unquoted cell, or opens a cell that would swallow the
next record. Two habits of programs are harmless: blanks around a quoted cell, and ="00123" for a text of digits.
"""

import mmap
import re
from dataclasses import dataclass

from sis_sync.core.limits import FILE_LIMITS
from sis_sync.steps.read.shape import ESCAPE, Shape

QUOTE, LINE_FEED = 0x22, 0x0A
QUOTE_BLANKS, TEXT_FORMULA = "file.quote_blanks", "cell.text_formula"
_MIN_DELIMITERS = 2  # a correct header may have one delimiter in the text of a cell: "Name\n(Last, First)"
_ESCAPED = re.compile(rb"\\(.)", re.DOTALL)
_NO_VALUE = rb"\N"  # programs that write escapes write this for NULL
Buffer = bytes | mmap.mmap


@dataclass(frozen=True)
class Record:
    """One record. `end` is the offset after its line end, `lines` the number of its physical lines.

    `fault` is `row.quote`, `unclosed` (the file ends in a quoted cell), `too_large` (over a limit) or empty.
    `remarks` are the codes of its harmless irregularities.
    """

    cells: tuple[bytes, ...]
    end: int
    lines: int
    fault: str = ""
    remarks: frozenset[str] = frozenset()


def end_of_line(data: Buffer, start: int) -> int:
    """Return the offset of the line feed that ends this line, or of the end of the data."""
    found = data.find(b"\n", start)
    return len(data) if found == -1 else found


def split_record(data: Buffer, start: int, shape: Shape) -> Record:
    """Return the record that starts at this offset."""
    end = end_of_line(data, start)
    if end - start > shape.most_bytes:
        return Record((), min(end + 1, len(data)), 1, "too_large")
    line = data[start:end]
    if QUOTE not in line and not (shape.has_escapes and ESCAPE in line):  # a fast path for most broken records
        cells = line.removesuffix(b"\r").split(shape.delimiter.to_bytes(), shape.most_cells)
        return Record(tuple(cells[: shape.most_cells]), min(end + 1, len(data)), 1)
    return _Splitter(data, start, shape).split()


class _Splitter:
    """The state while splitting one record."""

    def __init__(self, data: Buffer, start: int, shape: Shape) -> None:
        self.data, self.start, self.shape = data, start, shape
        self.at = start
        self.cells: list[bytes] = []
        self.lines = 1
        self.is_stray = False
        self.stray_end = start
        self.remarks: set[str] = set()
        self._line_end = -1

    def split(self) -> Record:
        while True:
            fault = "" if self._take_plain_cells() else self._cell()
            if fault:
                return self._broken(fault)
            is_too_wide = len(self.cells) == self.shape.most_cells
            if is_too_wide:
                self.at = end_of_line(self.data, self.at)
            if self._ends_record() or is_too_wide:
                fault = "row.quote" if self.is_stray else ""
                return Record(tuple(self.cells), self.at, self.lines, fault, frozenset(self.remarks))

    def _ends_record(self) -> bool:
        """Step over a delimiter and return False, or over the line end and return True."""
        if self.at >= len(self.data):
            return True
        is_delimiter = self.data[self.at] == self.shape.delimiter
        self.at += 1
        return not is_delimiter

    def _end_of_line(self) -> int:
        """Return the end of this line. A line may have many cells, so it is found only once."""
        if self._line_end < self.at:
            self._line_end = end_of_line(self.data, self.at)
        return self._line_end

    def _take_plain_cells(self) -> bool:
        """Add the next cells up to the first with a quotation mark. Return True if the line has no more cells."""
        # With escapes, a delimiter may be part of a cell. A header ends at the last cell that it may have.
        if self.shape.has_escapes or not self.shape.columns:
            return False
        delimiter = self.shape.delimiter.to_bytes()
        line_end = self._end_of_line()
        quote = self.data.find(b'"', self.at, line_end)
        if quote == -1:
            self.cells += self.data[self.at : line_end].removesuffix(b"\r").split(delimiter)
            self.at = line_end
            return True
        end = self.data.rfind(delimiter, self.at, quote)
        if end != -1:
            self.cells += self.data[self.at : end].split(delimiter)
            self.at = end + 1
        return False

    def _cell(self) -> str:
        """Add the next cell. Return the fault of the record, if there is one."""
        opening = self._opening_quote()
        if opening == self.at:
            return self._quoted_cell(opening)
        if opening != -1 and self._take_after_prefix(opening):
            return ""
        self._plain_cell(b"")
        return ""

    def _opening_quote(self) -> int:
        """Return the offset of the quote that opens this cell, after blanks or an equals sign, or -1."""
        position = self._after_blanks(self.at)
        position += self.data[position : position + 1] == b"="
        return position if self.data[position : position + 1] == b'"' else -1

    def _take_after_prefix(self, opening: int) -> bool:
        """Add a quoted cell with blanks or an equals sign before its quote. Return False if it is not regular."""
        before = self.at, self.lines, self.is_stray, self._line_end
        prefix = self.data[self.at : opening]
        if not self._quoted_cell(opening) and self.is_stray == before[2]:
            self.remarks |= {TEXT_FORMULA} if prefix.endswith(b"=") else set()
            self.remarks |= {QUOTE_BLANKS} if prefix.rstrip(b"=") else set()
            return True
        if self.is_stray != before[2]:
            self.cells.pop()
        self.at, self.lines, self.is_stray, self._line_end = before
        return False

    def _plain_cell(self, begun: bytes) -> None:
        """Add a cell that ends at the next delimiter or line end. A quotation mark in it is stray."""
        line_end = self._end_of_line()
        end = self._end_of_plain_cell(line_end)
        text = self.data[self.at : end]
        marks = _ESCAPED.sub(b"", text) if self.shape.has_escapes else text
        self.is_stray = self.is_stray or QUOTE in marks
        if end == line_end:
            text = text.removesuffix(b"\r")
        if self.shape.has_escapes:
            text = b"" if text == _NO_VALUE else _ESCAPED.sub(rb"\1", text)
        self.cells.append(begun + text)
        self.at = end

    def _end_of_plain_cell(self, line_end: int) -> int:
        delimiter = self.shape.delimiter.to_bytes()
        end = self.data.find(delimiter, self.at, line_end)
        while end != -1 and self.shape.has_escapes and self._is_escaped(end):
            end = self.data.find(delimiter, end + 1, line_end)
        return line_end if end == -1 else end

    def _is_escaped(self, position: int) -> bool:
        """Return True if an odd number of backslashes is before this offset, in the same cell."""
        text = self.data[self.at : position]
        return (len(text) - len(text.rstrip(b"\\"))) % 2 == 1

    def _quoted_cell(self, opening: int) -> str:
        text = bytearray()
        position = opening + 1
        opened_line_end = end_of_line(self.data, opening)
        while True:
            line_end = end_of_line(self.data, position)
            if line_end - self.start > self.shape.most_bytes or len(text) > FILE_LIMITS.cell_bytes:
                return "too_large"
            mark = self._next_mark(position, line_end)
            if mark == -1:
                if line_end == len(self.data):
                    return "too_large" if line_end - opening > FILE_LIMITS.cell_bytes else "unclosed"
                next_line = self._after_quiet_lines(line_end + 1)
                if self._swallows(next_line):
                    self.stray_end = opened_line_end + 1
                    return "row.quote"
                passed = self.data[position:next_line]
                text += passed
                position = next_line
                self.lines += passed.count(b"\n")
                continue
            text += self.data[position:mark]
            if self.data[mark] == ESCAPE or self.data[mark + 1 : mark + 2] == b'"':
                text += self.data[mark + 1 : mark + 2]
                position = mark + 2
                continue
            self.at = mark + 1
            return self._after_quoted(bytes(text))

    def _after_quiet_lines(self, position: int) -> int:
        """Return the offset after the lines that have no mark and, even together, too few delimiters for a record.

        None of them can be swallowed, and a cell may have tens of thousands.
        """
        if self.shape.has_escapes:
            return position
        most = position + FILE_LIMITS.cell_bytes
        quote = self.data.find(b'"', position, most)
        after = self.data.rfind(b"\n", position, most if quote == -1 else quote) + 1
        quiet = self.data[position:after].count(self.shape.delimiter) < self._swallowed_delimiters()
        return after if after and quiet else position

    def _next_mark(self, position: int, line_end: int) -> int:
        """Return the offset of the next quote or escape in this line (the next line may be megabytes away), or -1."""
        quote = self.data.find(b'"', position, line_end)
        if not self.shape.has_escapes:
            return quote
        # A backslash at the end of a line is text, because a line end needs no escape in quotes.
        escape = self.data.find(b"\\", position, min(line_end - 1, len(self.data)) if quote == -1 else quote)
        return quote if escape == -1 else escape

    def _after_quoted(self, text: bytes) -> str:
        after = self._after_blanks(self.at)
        follows = self.data[after : after + 2]
        ends_with_return = follows == b"\r\n" or (follows == b"\r" and after + 1 == len(self.data))
        if not follows or follows[0] in (self.shape.delimiter, LINE_FEED) or ends_with_return:
            if after != self.at:
                self.remarks.add(QUOTE_BLANKS)
            self.cells.append(text)
            self.at = after + ends_with_return
        else:
            self.is_stray = True
            self._plain_cell(text)
        return ""

    def _after_blanks(self, position: int) -> int:
        """Return the offset of the first character that is not a space or a tab, unless the tab is the delimiter."""
        while self.data[position : position + 1] in (b" ", b"\t") and self.data[position] != self.shape.delimiter:
            position += 1
        return position

    def _swallows(self, next_line: int) -> bool:
        """Return True if the next line has as many delimiters as a record: then the quote of this cell is stray.

        One exception: the cell closes on that line before any delimiter, and the rest completes the record. Then the
        first column has a line break.
        """
        delimiter = self.shape.delimiter
        line = self.data[next_line : min(end_of_line(self.data, next_line), next_line + self.shape.most_bytes)]
        if self.shape.has_escapes:
            line = _ESCAPED.sub(b"", line)
        if not self.shape.columns:
            inside = line.replace(b'""', b"").partition(b'"')[0]
            return inside.count(delimiter) >= self._swallowed_delimiters()
        if line.count(delimiter) < self._swallowed_delimiters():
            return False
        inside, closing, rest = line.replace(b'""', b"").partition(b'"')
        after_quote = rest.lstrip(b" ")[:1]
        closes = closing and delimiter not in inside and after_quote in (delimiter.to_bytes(), b"\r", b"")
        return not (closes and self._is_completed_by(rest))

    def _swallowed_delimiters(self) -> int:
        """Return how many delimiters the next line has at least if it is a record.

        While the header is split, its number of columns is unknown, so the delimiters found so far are compared.
        """
        return self.shape.named - 1 if self.shape.columns else max(len(self.cells), _MIN_DELIMITERS)

    def _is_completed_by(self, rest: bytes) -> bool:
        """Return True if the record has as many cells as the header after the rest of a line."""
        delimiter = self.shape.delimiter
        cells = len(self.cells) + 1 + _count_outside_quotes(rest, delimiter)
        ending = rest.rstrip(b"\r")
        superfluous = len(ending) - len(ending.rstrip(delimiter.to_bytes()))
        return cells >= self.shape.named and cells - superfluous <= self.shape.columns

    def _broken(self, fault: str) -> Record:
        if fault != "row.quote":
            return Record(tuple(self.cells), len(self.data), self.lines, fault)
        text = self.data[self.start : self.stray_end]
        cells = tuple(text.rstrip(b"\r\n").split(self.shape.delimiter.to_bytes()))
        return Record(cells, self.stray_end, text.count(b"\n"), fault)


def _count_outside_quotes(text: bytes, delimiter: int) -> int:
    return sum(part.count(delimiter) for part in text.split(b'"')[::2])
