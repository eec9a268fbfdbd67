"""Walks a UTF-8 file record by record: plain lines as ranges of bytes, every other record split and judged alone."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from sis_sync.core.errors import FileRefused
from sis_sync.formats.lines import LINE_FEED, RETURN, Flags, Lines, Positions, index_lines
from sis_sync.formats.records import MAX_CELL_BYTES, Buffer, Record, split_record

CHUNK_BYTES = 8 << 20
_CONTROL = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|\xc2[\x80-\x9f]")


@dataclass(frozen=True)
class Layout:
    """Where the data records start (offset and physical line), and how they are split."""

    start: int
    line: int
    delimiter: int
    columns: int
    has_bad_bytes: bool


@dataclass(frozen=True)
class OddRecord:
    """A record that is no plain line. `is_split`: it has the header's columns, so its cells mean something.

    `width` is the number of columns found. A cell is None where its bytes do not decode.
    `codes` are the faults found so far.
    """

    line: int
    cells: tuple[str | None, ...]
    codes: tuple[str, ...]
    width: int
    is_split: bool


@dataclass
class Scan:
    """What a walk through the file found. `ranges` are byte ranges of runs of plain records, in file order."""

    ranges: list[tuple[int, int]] = field(default_factory=list)
    plain_lines: list[Positions] = field(default_factory=list)
    odd: list[OddRecord] = field(default_factory=list)
    blank_lines: int = 0
    lines_with_return: int = 0
    lines: int = 0

    @property
    def plain_count(self) -> int:
        """How many records are plain lines."""
        return sum(len(lines) for lines in self.plain_lines)


def scan(data: Buffer, layout: Layout) -> Scan:
    """Find every record behind the header. FileRefused for `file.truncated` and a cell over the limit."""
    result = Scan()
    offset, line = layout.start, layout.line
    while offset < len(data):
        chunk = _next_chunk(data, offset)
        lines = index_lines(chunk, layout.delimiter, layout.columns)
        plain = lines.is_plain & (lines.ends - lines.starts <= MAX_CELL_BYTES)
        if layout.has_bad_bytes:
            plain &= ~_undecodable(chunk, lines)
        end, next_line = _take_odd(data, layout, lines, plain, offset, line, result)
        _take_plain(chunk, lines, plain, offset, line, result)
        offset, line = end, next_line
    return result


def _next_chunk(data: Buffer, offset: int) -> bytes:
    limit = offset + CHUNK_BYTES
    if limit >= len(data):
        return data[offset:]
    end = data.rfind(b"\n", offset, limit)
    if end == -1:
        end = data.find(b"\n", limit)
    return data[offset:] if end == -1 else data[offset : end + 1]


def _undecodable(chunk: bytes, lines: Lines) -> Flags:
    flags = np.zeros(len(lines), dtype=bool)
    for index, (start, end) in enumerate(zip(lines.starts, lines.ends, strict=True)):
        text = chunk[start:end]
        flags[index] = not text.isascii() and not _is_utf8(text)
    return flags


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _take_odd(
    data: Buffer, layout: Layout, lines: Lines, plain: Flags, offset: int, line: int, result: Scan
) -> tuple[int, int]:
    """Split the odd records of a chunk; lines that they take in are no longer plain. Gives the next offset and line."""
    resume = 0
    end, next_line = offset + _chunk_size(lines, data, offset), line + len(lines)
    for index in np.flatnonzero(~plain & ~lines.is_blank):
        if index < resume:
            continue
        record = split_record(data, offset + int(lines.starts[index]), layout.delimiter, layout.columns)
        start = offset + int(lines.starts[index])
        result.odd.append(_odd_record(data, start, record, layout, line + int(index)))
        resume = int(index) + record.lines
        plain[index : min(resume, len(lines))] = False
        lines.is_blank[index : min(resume, len(lines))] = False
        if record.end > end:
            end, next_line = record.end, line + resume
    result.lines += next_line - line
    return end, next_line


def _chunk_size(lines: Lines, data: Buffer, offset: int) -> int:
    """Bytes up to and with the line end of the last line."""
    end = data.find(b"\n", offset + int(lines.ends[-1]))
    return (len(data) if end == -1 else end + 1) - offset


def _odd_record(data: Buffer, start: int, record: Record, layout: Layout, line: int) -> OddRecord:
    refuse_if_unreadable(record, line)
    if record.end >= len(data) and data[-1] != LINE_FEED and len(record.cells) < layout.columns:
        raise _truncated("in the middle of the record", line)
    raw = data[start : record.end]
    is_split = not record.fault and len(record.cells) == layout.columns
    codes = [record.fault] if record.fault else [] if is_split else ["row.columns"]
    if _CONTROL.search(raw):
        codes.append("row.control_character")
    if layout.has_bad_bytes and not _is_utf8(raw):
        codes.append("row.encoding")
    cells = record.cells if is_split else _every_cell(raw, record, layout.delimiter)
    return OddRecord(line, tuple(_decoded(cell) for cell in cells), tuple(codes), len(record.cells), is_split)


def refuse_if_unreadable(record: Record, line: int) -> None:
    """Raise FileRefused for a record, or a header, that the file ends inside, or with a cell over the limit."""
    if record.fault == "unclosed":
        raise _truncated("inside a quoted cell that starts", line)
    if record.fault == "too_large" or any(len(cell) > MAX_CELL_BYTES for cell in record.cells):
        raise FileRefused(
            "file.too_large",
            f"A cell on line {line} is longer than {MAX_CELL_BYTES // 1024} KB.",
            line=line,
            fix="Look for a quotation mark that is not closed, or leave the column out of the export.",
        )


def _truncated(where: str, line: int) -> FileRefused:
    message = f"The file ends {where} on line {line}: it was cut off."
    return FileRefused(
        "file.truncated", message, line=line, fix="Export the file again and send it once it is complete."
    )


def _every_cell(raw: bytes, record: Record, delimiter: int) -> list[bytes]:
    """The cells as far as they were found, then all else that could be one: the custom ID may be among them."""
    lines = raw.replace(b"\r", b"\n").split(b"\n")
    plainly = dict.fromkeys(part.strip(b'" ') for line in lines for part in line.split(delimiter.to_bytes()))
    return [*record.cells, *plainly]


def _decoded(cell: bytes) -> str | None:
    try:
        return cell.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _take_plain(chunk: bytes, lines: Lines, plain: Flags, offset: int, line: int, result: Scan) -> None:
    result.blank_lines += int(lines.is_blank.sum())
    result.plain_lines.append(np.flatnonzero(plain) + line)
    data = np.frombuffer(chunk, dtype=np.uint8)
    within = lines.ends[lines.ends < len(data)]
    result.lines_with_return += int((data[within] == RETURN).sum())
    next_starts = np.append(lines.starts[1:], len(chunk))
    for first, last in _runs(plain):
        _append_range(result.ranges, offset + int(lines.starts[first]), offset + int(next_starts[last]))


def _runs(flags: Flags) -> Iterator[tuple[int, int]]:
    """First and last index of each run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], flags, [False]))))
    for first, behind in edges.reshape(-1, 2):
        yield int(first), int(behind) - 1


def _append_range(ranges: list[tuple[int, int]], start: int, end: int) -> None:
    """Add a range, or lengthen the last one if it goes on there."""
    if ranges and ranges[-1][1] == start:
        start = ranges.pop()[0]
    ranges.append((start, end))
