"""Scan a UTF-8 file. Plain lines become ranges of bytes; every other record is split and judged on its own.

Lines whose irregularities are harmless are mended first, and count as plain.

The scan yields one part at a time, so that only one part is in memory.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from sis_sync.core.errors import FileRefused
from sis_sync.core.limits import FILE_LIMITS
from sis_sync.steps.read.encoding import bad_bytes_of
from sis_sync.steps.read.lines import LINE_FEED, RETURN, Flags, Lines, Positions, index_lines, lines_of
from sis_sync.steps.read.mend import COLUMNS_EMPTY, MendedLines, mend
from sis_sync.steps.read.quotes import Buffer, Record, split_record
from sis_sync.steps.read.shape import Shape

CHUNK_BYTES = 1 << 18  # small enough for a processor's cache
MOST_ODD = 5000  # per part, because all records of a file may be odd
END_OF_FILE = b"\x1a"  # alone after the last line: DOS ended files with it, as some exports still do
FOOTER = ("row.footer",)
NO_FOOTERS = np.empty(0, dtype=np.int64)
_MENDED = 3  # the kind of a run of lines; 1 is LF, 2 is CRLF
_CONTROL = bytes({*range(32), 0x7F} - set(b"\t\n\r"))
_LATE_CONTROL = re.compile(rb"\xc2[\x80-\x9f]")  # U+0080 to 009F


@dataclass(frozen=True)
class Layout:
    """The start of the data records (offset and physical line), and how they are split.

    `footers` are the offsets of lines that are not people, in order. `bad_bytes` are the offsets of bytes that do not
    decode, or None if they are not known.
    """

    start: int
    line: int
    shape: Shape
    has_bad_bytes: bool
    footers: Positions = field(default_factory=lambda: NO_FOOTERS)
    bad_bytes: Positions | None = None


@dataclass(frozen=True)
class OddRecord:
    """A record that is not a plain line. `is_split`: it has as many columns as the header.

    `start` is its offset, `width` the number of columns found. A cell is None if its bytes do not decode.
    `codes` are the faults found so far, `remarks` the codes of harmless irregularities.
    """

    start: int
    line: int
    cells: tuple[str | None, ...]
    codes: tuple[str, ...]
    width: int
    is_split: bool
    remarks: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Part:
    """A part of the file, from a line start to a line end, and the records that start in it.

    `texts` are the runs of plain records with one kind of line end: a byte range of the file, or the mended text.
    `plain_lines` has the physical line of each of these records. `lines` counts the physical lines, `lines_with_return`
    those that end with CRLF. `remarks` has the first line of each harmless irregularity, by its code, `footers` the
    line of each footer, by its offset. `has_text_formula`: a cell may be a formula such as ="00123" in regular quotes.
    """

    start: int
    end: int
    texts: list[tuple[int, int] | bytes]
    plain_lines: Positions
    odd: list[OddRecord]
    lines: int
    lines_with_return: int
    has_text_formula: bool
    remarks: dict[str, int] = field(default_factory=dict)
    footers: dict[int, int] = field(default_factory=dict)

    @property
    def records(self) -> int:
        """The number of records that start in the part."""
        return len(self.plain_lines) + len(self.odd)

    @property
    def is_as_written(self) -> bool:
        """True if every line is a plain record that was not mended."""
        return self.lines == len(self.plain_lines) and not any(isinstance(text, bytes) for text in self.texts)


def scan(data: Buffer, layout: Layout) -> Iterator[Part]:
    """Yield every record after the header. Raise FileRefused if the file is cut off or a cell is over the limit."""
    offset, line = layout.start, layout.line
    while offset < len(data):
        part = _scan_part(data, layout, offset, line)
        yield part
        offset, line = part.end, line + part.lines


def _scan_part(data: Buffer, layout: Layout, offset: int, line: int) -> Part:
    chunk = _next_chunk(data, layout, offset, line)
    lines = index_lines(chunk, layout.shape)
    if offset + len(chunk) == len(data):
        lines.is_blank[-1] |= chunk.rpartition(b"\n")[2] == END_OF_FILE
        lines.is_mendable[-1] &= chunk.endswith(b"\n")  # else the file may end in the middle of this record
    first, after = np.searchsorted(layout.footers, (offset, offset + len(chunk)))
    is_footer = lines_of(layout.footers[first:after] - offset, lines.starts)
    may_be_plain = ~is_footer & (lines.ends - lines.starts <= FILE_LIMITS.cell_bytes)
    if layout.has_bad_bytes:
        may_be_plain &= ~lines_of(bad_bytes_of(chunk, offset, layout.bad_bytes), lines.starts)
    plain, are_candidates = lines.is_plain & may_be_plain, lines.is_mendable & may_be_plain
    mended = mend(chunk, lines, are_candidates, layout.shape) if are_candidates.any() else None
    if mended:
        plain[mended.numbers] = True
    odd, end, count = _split_odd(data, layout, lines, plain, is_footer, offset, line)
    end = end or offset + len(chunk)
    plain, with_return = plain[:count], _with_return(chunk, lines.ends)[:count]
    return Part(
        start=offset,
        end=end,
        texts=_texts(lines, plain, with_return, mended, offset, end),
        plain_lines=np.flatnonzero(plain) + line,
        odd=odd,
        lines=count,
        lines_with_return=int(with_return.sum()),
        has_text_formula=lines.has_text_formula,
        remarks=_first_remarks(plain, mended, odd, line),
        footers={record.start: record.line for record in odd if record.codes == FOOTER},
    )


def _first_remarks(plain: Flags, mended: MendedLines | None, odd: Sequence[OddRecord], line: int) -> dict[str, int]:
    """Return the first physical line of each harmless irregularity."""
    found: dict[str, int] = {}
    if mended:
        is_taken = mended.numbers < len(plain)
        is_taken[is_taken] = plain[mended.numbers[is_taken]]
        for code, flags in mended.remarks.items():
            places = mended.numbers[flags & is_taken]
            if len(places):
                found[code] = int(places[0]) + line
    for record in odd:
        for code in record.remarks:
            found[code] = min(found.get(code, record.line), record.line)
    return found


def _next_chunk(data: Buffer, layout: Layout, offset: int, line: int) -> bytes:
    """Return whole lines of about CHUNK_BYTES; a line that is longer is returned whole."""
    limit = offset + CHUNK_BYTES
    if limit >= len(data):
        return data[offset:]
    end = data.rfind(b"\n", offset, limit)
    if end == -1:
        end = data.find(b"\n", limit, offset + layout.shape.most_bytes + 1)
    if end != -1:
        return data[offset : end + 1]
    if len(data) - offset > layout.shape.most_bytes:
        raise too_large(f"Line {line} is longer than {layout.shape.columns} cells can be", line)
    return data[offset:]


def _split_odd(
    data: Buffer, layout: Layout, lines: Lines, plain: Flags, is_footer: Flags, offset: int, line: int
) -> tuple[list[OddRecord], int, int]:
    """Split the odd records of a chunk, and clear `plain` for the lines that they cover.

    Return the records, the offset at which to continue (0: after the chunk), and the number of lines processed.
    """
    odd: list[OddRecord] = []
    done = 0
    numbers = np.flatnonzero(~plain & ~lines.is_blank)
    for index, start in zip(numbers.tolist(), (lines.starts[numbers] + offset).tolist(), strict=True):
        if index < done:
            continue
        if len(odd) == MOST_ODD:
            return odd, start, index
        if is_footer[index]:
            end = data.find(b"\n", start) + 1 or len(data)
            cells = tuple(data[start:end].rstrip(b"\r\n").split(layout.shape.delimiter.to_bytes()))
            record = Record(cells, end, 1)
            found = _every_cell(data[start:end], record, layout.shape.delimiter)
            odd.append(OddRecord(start, line + index, _decoded(found), FOOTER, 0, is_split=False))
        else:
            record = split_record(data, start, layout.shape)
            odd.append(_odd_record(data, start, record, layout, line + index))
        done = index + record.lines
        plain[index:done] = False
        if done > len(lines):
            return odd, record.end, done
    return odd, 0, len(lines)


def _odd_record(data: Buffer, start: int, record: Record, layout: Layout, line: int) -> OddRecord:
    refuse_if_unreadable(record, line)
    shape, width = layout.shape, len(record.cells)
    if record.end >= len(data) and data[-1] != LINE_FEED and width < shape.named:
        raise _truncated("in the middle of the record", line)
    raw = data[start : record.end]
    fitted = None if record.fault else shape.fitted(record.cells)
    codes = [record.fault] if record.fault else [] if fitted else ["row.columns"]
    if len(raw.translate(None, _CONTROL)) < len(raw) or _LATE_CONTROL.search(raw):
        codes.append("row.control_character")
    cells = _decoded(fitted or _every_cell(raw, record, shape.delimiter))
    if None in cells:
        codes.append("row.encoding")
    remarks = record.remarks | ({COLUMNS_EMPTY} if fitted and width != shape.columns else set())
    return OddRecord(start, line, cells, tuple(codes), width, bool(fitted), remarks if fitted else frozenset())


def refuse_if_unreadable(record: Record, line: int) -> None:
    """Raise FileRefused if the file ends inside this record or header, or if a cell is over the limit."""
    if record.fault == "unclosed":
        raise _truncated("inside a quoted cell that starts", line)
    if record.fault == "too_large":
        most = f"{FILE_LIMITS.cell_bytes // 1024} KB"
        raise too_large(f"The record that starts on line {line} has a cell longer than {most}, or far too many", line)
    if max(map(len, record.cells), default=0) > FILE_LIMITS.cell_bytes:
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
    between = delimiter.to_bytes()
    parts = raw.replace(b"\r", between).replace(b"\n", between).split(between)
    plainly = dict.fromkeys([part.strip(b'" ') for part in parts])
    return [*record.cells, *plainly]


def _decoded(cells: Sequence[bytes]) -> tuple[str | None, ...]:
    try:
        return tuple([cell.decode() for cell in cells])
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


def _texts(
    lines: Lines, plain: Flags, with_return: Flags, mended: MendedLines | None, offset: int, end: int
) -> list[tuple[int, int] | bytes]:
    """Return each run of plain lines with one kind of line end: its byte range, or the text of mended lines."""
    kinds = plain * (1 + with_return.astype(np.int8))
    if mended:
        numbers = mended.numbers[mended.numbers < len(plain)]
        kinds[numbers] = np.where(plain[numbers], _MENDED, 0)
    next_starts = np.append(lines.starts[1:], end - offset)
    firsts = np.flatnonzero(np.diff(kinds, prepend=0))
    lasts = np.append(firsts[1:], len(kinds)) - 1
    taken = kinds[firsts] > 0
    starts, ends = lines.starts[firsts[taken]] + offset, next_starts[lasts[taken]] + offset
    texts: list[tuple[int, int] | bytes] = list(zip(starts.tolist(), ends.tolist(), strict=True))
    if mended:
        for place, run in enumerate(np.flatnonzero(taken).tolist()):
            if kinds[firsts[run]] == _MENDED:
                texts[place], *_ = mended.slice(firsts[run], lasts[run] + 1)
    return texts
