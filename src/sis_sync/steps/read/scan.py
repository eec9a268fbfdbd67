"""Scan a UTF-8 file. Plain lines become ranges of bytes; every other record is split and judged on its own.

The scan yields one part at a time, so that only one part is in memory.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from sis_sync.core.errors import FileRefused
from sis_sync.core.limits import FILE_LIMITS
from sis_sync.steps.read.encoding import judge_utf8
from sis_sync.steps.read.lines import LINE_FEED, RETURN, Flags, Lines, Positions, index_lines, lines_of
from sis_sync.steps.read.quotes import Buffer, Record, split_record

CHUNK_BYTES = 1 << 18  # small enough for a processor's cache
MOST_ODD = 5000  # per part, because all records of a file may be odd
END_OF_FILE = b"\x1a"  # alone after the last line: DOS ended files with it, as some exports still do
_CONTROL = bytes({*range(32), 0x7F} - set(b"\t\n\r"))
_LATE_CONTROL = re.compile(rb"\xc2[\x80-\x9f]")  # U+0080 to 009F


@dataclass(frozen=True)
class Layout:
    """The start of the data records (offset and physical line), and how they are split."""

    start: int
    line: int
    delimiter: int
    columns: int
    has_bad_bytes: bool

    @property
    def most_bytes(self) -> int:
        """The bytes of a record whose cells are all at the limit."""
        return (FILE_LIMITS.cell_bytes + 1) * self.columns


@dataclass(frozen=True)
class OddRecord:
    """A record that is not a plain line. `is_split`: it has as many columns as the header.

    `width` is the number of columns found. A cell is None if its bytes do not decode.
    `codes` are the faults found so far.
    """

    line: int
    cells: tuple[str | None, ...]
    codes: tuple[str, ...]
    width: int
    is_split: bool


@dataclass(frozen=True)
class Part:
    """A part of the file, from a line start to a line end, and the records that start in it.

    `ranges` are the byte ranges of runs of plain records with one kind of line end, `plain_lines` the physical line of
    each of these records. `lines` counts the physical lines, `lines_with_return` those that end with CRLF.
    """

    start: int
    end: int
    ranges: list[tuple[int, int]]
    plain_lines: Positions
    odd: list[OddRecord]
    lines: int
    lines_with_return: int

    @property
    def records(self) -> int:
        """The number of records that start in the part."""
        return len(self.plain_lines) + len(self.odd)

    @property
    def is_plain(self) -> bool:
        """True if every line is a plain record."""
        return self.lines == len(self.plain_lines)


def scan(data: Buffer, layout: Layout) -> Iterator[Part]:
    """Yield every record after the header. Raise FileRefused if the file is cut off or a cell is over the limit."""
    offset, line = layout.start, layout.line
    while offset < len(data):
        part = _scan_part(data, layout, offset, line)
        yield part
        offset, line = part.end, line + part.lines


def _scan_part(data: Buffer, layout: Layout, offset: int, line: int) -> Part:
    chunk = _next_chunk(data, layout, offset, line)
    lines = index_lines(chunk, layout.delimiter, layout.columns)
    plain = lines.is_plain & (lines.ends - lines.starts <= FILE_LIMITS.cell_bytes)
    if layout.has_bad_bytes:
        plain &= ~lines_of(judge_utf8(np.frombuffer(chunk, dtype=np.uint8))[0], lines.starts)
    if offset + len(chunk) == len(data) and chunk.rpartition(b"\n")[2] == END_OF_FILE:
        lines.is_blank[-1] = True
    odd, end, count = _split_odd(data, layout, lines, plain, offset, line)
    end = end or offset + len(chunk)
    plain, with_return = plain[:count], _with_return(chunk, lines.ends)[:count]
    return Part(
        start=offset,
        end=end,
        ranges=_ranges(lines, plain, with_return, offset, end),
        plain_lines=np.flatnonzero(plain) + line,
        odd=odd,
        lines=count,
        lines_with_return=int(with_return.sum()),
    )


def _next_chunk(data: Buffer, layout: Layout, offset: int, line: int) -> bytes:
    """Return whole lines of about CHUNK_BYTES; a line that is longer is returned whole."""
    limit = offset + CHUNK_BYTES
    if limit >= len(data):
        return data[offset:]
    end = data.rfind(b"\n", offset, limit)
    if end == -1:
        end = data.find(b"\n", limit, offset + max(layout.most_bytes, CHUNK_BYTES) + 1)
    if end != -1:
        return data[offset : end + 1]
    if len(data) - offset > layout.most_bytes:
        raise too_large(f"Line {line} is longer than {layout.columns} cells can be", line)
    return data[offset:]


def _split_odd(
    data: Buffer, layout: Layout, lines: Lines, plain: Flags, offset: int, line: int
) -> tuple[list[OddRecord], int, int]:
    """Split the odd records of a chunk, and clear `plain` for the lines that they cover.

    Return the records, the offset at which to continue (0: after the chunk), and the number of lines processed.
    """
    odd: list[OddRecord] = []
    done = 0
    for index in np.flatnonzero(~plain & ~lines.is_blank).tolist():
        if index < done:
            continue
        start = offset + int(lines.starts[index])
        if len(odd) == MOST_ODD:
            return odd, start, index
        record = split_record(data, start, layout.delimiter, layout.columns)
        odd.append(_odd_record(data, start, record, layout, line + index))
        done = index + record.lines
        plain[index:done] = False
        if done > len(lines):
            return odd, record.end, done
    return odd, 0, len(lines)


def _odd_record(data: Buffer, start: int, record: Record, layout: Layout, line: int) -> OddRecord:
    refuse_if_unreadable(record, line)
    if record.end >= len(data) and data[-1] != LINE_FEED and len(record.cells) < layout.columns:
        raise _truncated("in the middle of the record", line)
    raw = data[start : record.end]
    is_split = not record.fault and len(record.cells) == layout.columns
    codes = [record.fault] if record.fault else [] if is_split else ["row.columns"]
    if len(raw.translate(None, _CONTROL)) < len(raw) or _LATE_CONTROL.search(raw):
        codes.append("row.control_character")
    cells = _decoded(record.cells if is_split else _every_cell(raw, record, layout.delimiter))
    if None in cells:
        codes.append("row.encoding")
    return OddRecord(line, cells, tuple(codes), len(record.cells), is_split)


def refuse_if_unreadable(record: Record, line: int) -> None:
    """Raise FileRefused if the file ends inside this record or header, or if a cell is over the limit."""
    if record.fault == "unclosed":
        raise _truncated("inside a quoted cell that starts", line)
    if record.fault == "too_large" or max(map(len, record.cells), default=0) > FILE_LIMITS.cell_bytes:
        raise too_large(f"A cell on line {line} is longer than {FILE_LIMITS.cell_bytes // 1024} KB", line)


def too_large(what: str, line: int) -> FileRefused:
    """Return the refusal of a file with a cell or a line over the limit."""
    return FileRefused(
        "file.too_large",
        f"{what}.",
        line=line,
        fix="Look for a quotation mark that is not closed, or leave the column out of the export.",
    )


def _truncated(where: str, line: int) -> FileRefused:
    message = f"The file ends {where} on line {line}: it was cut off."
    return FileRefused(
        "file.truncated", message, line=line, fix="Export the file again and send it once it is complete."
    )


def _every_cell(raw: bytes, record: Record, delimiter: int) -> list[bytes]:
    """Return the cells found, then every other text that could be a cell: the custom ID may be among them."""
    if b'"' not in raw and b"\r" not in raw.rstrip(b"\r\n"):
        return list(record.cells)
    lines = raw.replace(b"\r", b"\n").split(b"\n")
    plainly = dict.fromkeys(part.strip(b'" ') for line in lines for part in line.split(delimiter.to_bytes()))
    return [*record.cells, *plainly]


def _decoded(cells: Sequence[bytes]) -> tuple[str | None, ...]:
    try:
        return tuple([str(cell, "utf-8") for cell in cells])
    except UnicodeDecodeError:
        return tuple(map(_decoded_or_none, cells))


def _decoded_or_none(cell: bytes) -> str | None:
    try:
        return cell.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _with_return(chunk: bytes, ends: Positions) -> Flags:
    """Return for each line whether it ends with CRLF. `ends` are the offsets after the text of the lines."""
    data = np.frombuffer(chunk, dtype=np.uint8)
    flags: Flags = (ends < len(data)) & (data[np.minimum(ends, len(data) - 1)] == RETURN)
    return flags


def _ranges(lines: Lines, plain: Flags, with_return: Flags, offset: int, end: int) -> list[tuple[int, int]]:
    """Return the byte range of each run of plain lines with one kind of line end."""
    next_starts = np.append(lines.starts[1:], end - offset)
    kinds = plain * (1 + with_return[: len(plain)].astype(np.int8))
    firsts = np.flatnonzero(np.diff(kinds, prepend=0))
    lasts = np.append(firsts[1:], len(kinds)) - 1
    taken = kinds[firsts] > 0
    starts, ends = lines.starts[firsts[taken]] + offset, next_starts[lasts[taken]] + offset
    return list(zip(starts.tolist(), ends.tolist(), strict=True))
