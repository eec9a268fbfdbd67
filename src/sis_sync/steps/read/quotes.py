"""Split one record exactly and find stray quotation marks. This is slow, so plain lines are read without it.

The grammar is RFC 4180. A stray mark (`row.quote`) is inside an unquoted cell, or opens a cell that would swallow the
next record.
"""

import mmap
from dataclasses import dataclass

from sis_sync.core.limits import FILE_LIMITS

QUOTE, LINE_FEED = 0x22, 0x0A
_MIN_DELIMITERS = 2  # a correct header may have one delimiter in the text of a cell: "Name\n(Last, First)"
Buffer = bytes | mmap.mmap


@dataclass(frozen=True)
class Record:
    """One record. `end` is the offset after its line end, `lines` the number of its physical lines.

    `fault` is `row.quote`, `unclosed` (the file ends in a quoted cell), `too_large` (a cell over the limit) or empty.
    """

    cells: tuple[bytes, ...]
    end: int
    lines: int
    fault: str = ""


def split_record(data: Buffer, start: int, delimiter: int, columns: int | None) -> Record:
    """Return the record that starts at this offset. `columns` is None for the header."""
    line_end = data.find(b"\n", start)
    end = len(data) if line_end == -1 else line_end
    line = data[start:end]
    if QUOTE not in line:  # a fast path for most broken records
        return Record(tuple(line.removesuffix(b"\r").split(delimiter.to_bytes())), min(end + 1, len(data)), 1)
    return _Splitter(data, start, delimiter, columns).split()


class _Splitter:
    """The state while splitting one record."""

    def __init__(self, data: Buffer, start: int, delimiter: int, columns: int | None) -> None:
        self.data, self.start, self.delimiter, self.columns = data, start, delimiter, columns
        self.at = start
        self.cells: list[bytes] = []
        self.lines = 1
        self.is_stray = False
        self.stray_end = start

    def split(self) -> Record:
        while True:
            quoted = self.at < len(self.data) and self.data[self.at] == QUOTE
            fault = self._quoted_cell() if quoted else self._plain_cell(b"")
            if fault:
                return self._broken(fault)
            if self._ends_record():
                return Record(tuple(self.cells), self.at, self.lines, "row.quote" if self.is_stray else "")

    def _ends_record(self) -> bool:
        """Step over a delimiter and return False, or over the line end and return True."""
        if self.at >= len(self.data):
            return True
        is_delimiter = self.data[self.at] == self.delimiter
        self.at += 1
        return not is_delimiter

    def _plain_cell(self, begun: bytes) -> str:
        """Add a cell that ends at the next delimiter or line end. A quotation mark in it is stray."""
        line_end = self._line_end(self.at)
        end = self.data.find(self.delimiter.to_bytes(), self.at, line_end)
        if end == -1:
            end = line_end
        text = self.data[self.at : end]
        self.is_stray = self.is_stray or QUOTE in text
        if end == line_end:
            text = text.removesuffix(b"\r")
        self.cells.append(begun + text)
        self.at = end
        return ""

    def _quoted_cell(self) -> str:
        text = bytearray()
        position = self.at + 1
        opened_line_end = self._line_end(self.at)
        while True:
            line_end = self._line_end(position)
            quote = self.data.find(b'"', position, line_end)  # in this line: the next one may be megabytes away
            if quote == -1:
                if line_end == len(self.data):
                    return "too_large" if line_end - self.at > FILE_LIMITS.cell_bytes else "unclosed"
                if self._swallows(line_end + 1):
                    self.stray_end = opened_line_end + 1
                    return "row.quote"
                text += self.data[position : line_end + 1]
                position = line_end + 1
                self.lines += 1
                if len(text) > FILE_LIMITS.cell_bytes:
                    return "too_large"
                continue
            text += self.data[position:quote]
            if self.data[quote + 1 : quote + 2] == b'"':
                text.append(QUOTE)
                position = quote + 2
                continue
            self.at = quote + 1
            return self._after_quoted(bytes(text))

    def _after_quoted(self, text: bytes) -> str:
        follows = self.data[self.at : self.at + 2]
        if not follows or follows[0] in (self.delimiter, LINE_FEED):
            self.cells.append(text)
        elif follows == b"\r\n" or (follows == b"\r" and self.at + 1 == len(self.data)):
            self.cells.append(text)
            self.at += 1
        else:
            self.is_stray = True
            self._plain_cell(text)
        return ""

    def _swallows(self, next_line: int) -> bool:
        """Return True if the next line has as many delimiters as a record: then the quote of this cell is stray.

        While the header is split, its number of columns is unknown, so the delimiters found so far are compared.
        One exception: the cell closes on that line before any delimiter, and the rest completes the record. Then the
        first column has a line break.
        """
        line = self.data[next_line : self._line_end(next_line)]
        if self.columns is None:
            inside = line.replace(b'""', b"").partition(b'"')[0]
            return inside.count(self.delimiter) >= max(len(self.cells), _MIN_DELIMITERS)
        if line.count(self.delimiter) < self.columns - 1:
            return False
        inside, closing, rest = line.replace(b'""', b"").partition(b'"')
        completes = len(self.cells) + 1 + _count_outside_quotes(rest, self.delimiter) == self.columns
        return not (closing and self.delimiter not in inside and rest[:1] in _after(self.delimiter) and completes)

    def _line_end(self, position: int) -> int:
        found = self.data.find(b"\n", position)
        return len(self.data) if found == -1 else found

    def _broken(self, fault: str) -> Record:
        if fault != "row.quote":
            return Record(tuple(self.cells), len(self.data), self.lines, fault)
        text = self.data[self.start : self.stray_end]
        return Record(
            tuple(text.rstrip(b"\r\n").split(self.delimiter.to_bytes())), self.stray_end, text.count(b"\n"), fault
        )


def _after(delimiter: int) -> tuple[bytes, ...]:
    return (delimiter.to_bytes(), b"\r", b"")


def _count_outside_quotes(text: bytes, delimiter: int) -> int:
    return sum(part.count(delimiter) for part in text.split(b'"')[::2])
