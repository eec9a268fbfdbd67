"""Write a file again without some of its columns. Every record that remains keeps its physical line."""

import codecs
import itertools
import mmap
import tempfile
from collections.abc import Collection, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sis_sync.core.errors import FileRefused
from sis_sync.core.limits import FILE_LIMITS
from sis_sync.core.reading_options import NOTHING_SAID, ReadingOptions
from sis_sync.core.whole_files import chunks_of
from sis_sync.steps.map.columns import find_columns, fitting_variants
from sis_sync.steps.map.mapping import Mapping
from sis_sync.steps.map.secret_columns import names_secret, secret_positions
from sis_sync.steps.read.encoding import detect_encoding
from sis_sync.steps.read.file_kind import head_of, refuse_unless_text
from sis_sync.steps.read.header_line import find_header_line, header_start, mark_bytes, options_of_file
from sis_sync.steps.read.lines import QUOTE, Positions, index_lines, lines_of
from sis_sync.steps.read.mend import mend
from sis_sync.steps.read.quotes import Buffer, Record, split_record
from sis_sync.steps.read.scan import NO_FOOTERS
from sis_sync.steps.read.shape import Shape, header_shape, shape_of

UTF8_MARK = codecs.BOM_UTF8
CHUNK_BYTES = 1 << 18
WORTH_ARRAYS = 8  # lines; below that, splitting them one by one is quicker
_HEAD_BYTES = 4096
_MOST_HEADER_BYTES = 1 << 20
_ODD, _PLAIN, _MENDED = range(3)  # the kinds of lines
_NO_RECORD = 0  # columns: no record has as many, so that all lose their cells
# With this many more columns than the header, a rewritten record still cannot be split.
EXCESS_COLUMNS = 3


@dataclass(frozen=True)
class Rewrite:
    """How to write a file again: the shape of its records, and the positions of the columns to leave out.

    `header` is the offset of the header row, None if there is none. The lines above it become blank. `footers` are the
    offsets of lines that are no people. They and the records that cannot be split lose all cells, because each could
    be one that is left out.
    """

    shape: Shape
    left_out: Collection[int]
    header: int | None
    footers: Positions = field(default_factory=lambda: NO_FOOTERS)

    @property
    def delimiter(self) -> bytes:
        """The delimiter as text of the file."""
        return self.shape.delimiter.to_bytes()


def rewritten(data: Buffer, rewrite: Rewrite) -> Iterator[bytes]:
    """Yield the bytes of a UTF-8 file without the columns that are left out, and with all its lines."""
    start = mark_bytes(data)
    yield data[:start]
    if rewrite.header is not None and rewrite.header < len(data):
        text, after = _one_record(data, rewrite.header, rewrite, replace(rewrite.shape, columns=0))
        yield b"\n" * data[start : rewrite.header].count(b"\n") + text
        start = after
    while start < len(data):
        end = data.rfind(b"\n", start, start + CHUNK_BYTES) + 1 or data.find(b"\n", start) + 1 or len(data)
        start = yield from _rewritten_part(data, start, end, rewrite)


def _rewritten_part(data: Buffer, start: int, end: int, rewrite: Rewrite) -> Generator[bytes, None, int]:
    """Yield the records that start in a part of whole lines. Return the offset after the last one."""
    chunk, shape = data[start:end], rewrite.shape
    lines = index_lines(chunk, shape)
    first_footer, after_footer = np.searchsorted(rewrite.footers, (start, end))
    may_be_plain = ~lines_of(rewrite.footers[first_footer:after_footer] - start, lines.starts)
    if end == len(data):
        may_be_plain[-1] = False
    mended = mend(chunk, lines, lines.is_mendable & may_be_plain, shape)
    kinds = np.where(lines.is_plain & may_be_plain, _PLAIN, _ODD)
    kinds[mended.numbers] = _MENDED
    at = start
    for first, after, kind in _runs_of(kinds):
        begins = start + int(lines.starts[first])
        ends = start + (int(lines.starts[after]) if after < len(lines) else len(chunk))
        # A record of several lines, or of the part before, may reach into these lines.
        is_whole = at == begins and after - first >= WORTH_ARRAYS
        if kind != _ODD and is_whole and shape.columns - len(rewrite.left_out) > 1:
            if kind == _PLAIN:
                bounds = lines.starts[first:after] - (begins - start), lines.ends[first:after] - (begins - start)
                yield _without_columns(data[begins:ends], *bounds, rewrite)
            else:
                yield _without_columns(*mended.slice(first, after), rewrite)
            at = ends
        while at < ends:
            text, at = _one_record(data, at, rewrite, shape)
            yield text
    return at


def _one_record(data: Buffer, start: int, rewrite: Rewrite, shape: Shape) -> tuple[bytes, int]:
    """Return a record, or a blank line, without the columns that are left out, and the offset after it."""
    line_end = data.find(b"\n", start) + 1 or len(data)
    line = data[start:line_end]
    if not line.strip():
        return line, line_end
    record = split_record(data, start, shape)
    if start in rewrite.footers:
        record = Record((), line_end, 1)
    end = data[start : record.end]
    ending = b"\r\n" if end.endswith(b"\r\n") else b"\n" if end.endswith(b"\n") else b""
    if not shape.is_kept and shape.is_blank_row(line.rstrip(b"\r\n")):
        return ending, line_end
    text = _kept(record, rewrite)
    # A cell that is left out may have had line breaks. Blank lines keep the lines of all later records.
    blank = b"\n" * (end.count(b"\n") - (text + ending).count(b"\n"))
    return text + ending + blank if ending else blank + text, record.end


def _without_columns(chunk: bytes, starts: Positions, ends: Positions, rewrite: Rewrite) -> bytes:
    """Return the chunk without some columns. All of its lines are plain, and at least one column remains.

    `starts` and `ends` are the offsets of the lines, without their line ends.
    """
    columns = rewrite.shape.columns
    data = np.frombuffer(chunk, dtype=np.uint8)
    is_delimiter = data == rewrite.shape.delimiter
    if QUOTE in chunk:
        is_delimiter &= np.bitwise_and(np.cumsum(data == QUOTE), 1) == 0  # not between two quotes
    delimiters = np.flatnonzero(is_delimiter).reshape(len(starts), columns - 1)
    change = np.zeros(len(data) + 1, dtype=np.int8)
    for first, after in _neighbours(columns, rewrite.left_out):
        if after == columns:  # the last columns go with the delimiter before them
            change[delimiters[:, first - 1]] += 1
            change[ends] -= 1
        else:
            change[delimiters[:, first - 1] + 1 if first else starts] += 1
            change[delimiters[:, after - 1] + 1] -= 1
    kept: bytes = data[np.cumsum(change[:-1], dtype=np.int8) == 0].tobytes()
    return kept


def _neighbours(columns: int, left_out: Collection[int]) -> Iterator[tuple[int, int]]:
    """Yield the ranges of neighbouring columns that are left out: the first, and the one after the last."""
    is_out = np.isin(np.arange(columns), list(left_out))
    for first, after, are_out in _runs_of(is_out):
        if are_out:
            yield first, after


def _runs_of(kinds: NDArray[Any]) -> Iterator[tuple[int, int, int]]:
    """Yield each run of neighbours of the same kind: the first, the one after the last, and the kind."""
    bounds = [0, *(np.flatnonzero(np.diff(kinds)) + 1).tolist(), len(kinds)]
    for first, after in itertools.pairwise(bounds):
        if first < after:
            yield first, after, int(kinds[first])


def _kept(record: Record, rewrite: Rewrite) -> bytes:
    delimiter = rewrite.delimiter
    fitted = None if record.fault else rewrite.shape.fitted(record.cells)
    if fitted is None:
        return delimiter * (rewrite.shape.columns + EXCESS_COLUMNS - 1)
    cells = [cell for position, cell in enumerate(fitted) if position not in rewrite.left_out]
    if cells == [b""]:
        return b'""'  # an empty line would be no record
    return delimiter.join(_quoted(cell, delimiter) for cell in cells)


def _quoted(cell: bytes, delimiter: bytes) -> bytes:
    if any(sign in cell for sign in (delimiter, b'"', b"\n", b"\r")):
        return b'"' + cell.replace(b'"', b'""') + b'"'
    return cell


def write_without_secrets(
    source: Path, target: Path, *, mapping: Mapping, options: ReadingOptions = NOTHING_SAID
) -> None:
    """Copy a file, even one that other steps would refuse, without its columns of secrets.

    A file without such columns, or that is not text, is copied unchanged. Otherwise the copy is in UTF-8, and records
    that cannot be split lose their cells but keep their lines.
    """
    if not source.stat().st_size or not is_text(source):
        _copy(source, target)
        return
    options = options_of_file(head_of(source, _HEAD_BYTES), mapping, options)
    with _read_as_utf8(source, options) as data:
        rewrite = _without_secrets(data, mapping, options)
        if rewrite:
            with target.open("wb") as out:
                out.writelines(rewritten(data, rewrite))
    if not rewrite:
        _copy(source, target)


def _copy(source: Path, target: Path) -> None:
    with target.open("wb") as out:
        out.writelines(chunks_of(source))


def is_text(path: Path) -> bool:
    """Return False for a file of another kind, such as a workbook: its columns are unknown."""
    try:
        refuse_unless_text(head_of(path, _HEAD_BYTES))
    except FileRefused:
        return False
    return True


def _without_secrets(data: Buffer, mapping: Mapping, options: ReadingOptions) -> Rewrite | None:
    """Return the rewrite that leaves out the columns of secrets, or None if the header names none."""
    try:
        found = find_header_line(data, mapping, options)
    except FileRefused:  # what was said about the header is wrong, or it is too long
        if options != NOTHING_SAID:
            return _without_secrets(data, mapping, NOTHING_SAID)
        start, _ = header_start(data)
        has_secret = names_secret(data[start : start + _MOST_HEADER_BYTES].decode(errors="replace"))
        return Rewrite(Shape(ord(","), _NO_RECORD), (), start) if has_secret else None
    delimiter, names = found.delimiter, found.names
    variant = fitting_variants(mapping, names)[0]
    columns = find_columns(names, variant)
    if not options.has_no_header:
        record = split_record(data, found.start, header_shape(delimiter, options))
        # If it has more names than were split, others may be on the lines after it.
        is_too_wide = len(record.cells) > FILE_LIMITS.columns
        end = max(record.end, found.start + _MOST_HEADER_BYTES) if is_too_wide else record.end
        header = data[found.start : min(end, found.start + Shape(0).most_bytes)]
        may_hold_records = record.fault or b"\r" in header.rstrip(b"\r\n").replace(b"\r\n", b"")
        if may_hold_records or is_too_wide:
            has_secret = names_secret(header.decode(errors="replace"))
            return Rewrite(Shape(ord(delimiter), _NO_RECORD), (), found.start) if has_secret else None
    secret = secret_positions(columns)
    shape = shape_of(delimiter, columns, variant, options)
    return Rewrite(shape, secret, None if options.has_no_header else found.start) if secret else None


@contextmanager
def _read_as_utf8(path: Path, options: ReadingOptions) -> Iterator[Buffer]:
    """Yield the text of the file as UTF-8. Bytes that do not decode are replaced."""
    encoding = _encoding_of(path, options)
    if encoding == "utf-8":
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            yield data
        return
    # Next to the file, because a temporary folder may be readable by others. It contains the secrets.
    with tempfile.TemporaryFile(dir=path.parent) as converted:
        decoder = codecs.getincrementaldecoder(encoding)("replace")
        converted.write(UTF8_MARK)
        for chunk in chain(chunks_of(path), [b""]):
            converted.write(decoder.decode(chunk, final=not chunk).replace("\ufeff", "").encode("utf-8", "replace"))
        converted.flush()
        with mmap.mmap(converted.fileno(), 0, access=mmap.ACCESS_READ) as data:
            yield data


def _encoding_of(path: Path, options: ReadingOptions) -> str:
    """Return the name of the encoding, also of one in which a file is refused."""
    try:
        return detect_encoding(path, options).name
    except FileRefused:
        head = head_of(path, _HEAD_BYTES)
    if head.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return "utf-32"
    return "utf-16-be" if head[0::2].count(0) > head[1::2].count(0) else "utf-16-le"
