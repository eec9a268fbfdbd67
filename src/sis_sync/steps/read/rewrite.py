"""Write a file again without some of its columns. Every record that remains keeps its physical line."""

import codecs
import mmap
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from sis_sync.core.errors import FileRefused
from sis_sync.core.whole_files import chunks_of
from sis_sync.steps.map.columns import find_columns, fitting_variants, names_secret, secret_positions
from sis_sync.steps.map.mapping import Mapping
from sis_sync.steps.read.delimiter import split_by_best_delimiter
from sis_sync.steps.read.encoding import detect_encoding
from sis_sync.steps.read.file_kind import head_of, refuse_unless_text
from sis_sync.steps.read.header import header_start
from sis_sync.steps.read.quotes import Buffer, Record, split_record

UTF8_MARK = codecs.BOM_UTF8
_HEAD_BYTES = 4096
_NO_RECORD = 0  # columns: no record has as many, so that all lose their cells
# With this many more columns than the header, a rewritten record still cannot be split.
EXCESS_COLUMNS = 3


@dataclass(frozen=True)
class Rewrite:
    """How to write a file again: its delimiter, the number of its columns, and the positions of those to leave out.

    `known` are cells to keep of a record that cannot be split. Any other cell of it could be one that is left out.
    """

    delimiter: str
    columns: int
    left_out: Collection[int]
    known: Collection[bytes] = ()


def rewritten(data: Buffer, rewrite: Rewrite) -> Iterator[bytes]:
    """Yield the bytes of a UTF-8 file without the columns that are left out, and with all its lines."""
    delimiter = rewrite.delimiter.encode()
    start = len(UTF8_MARK) if data[: len(UTF8_MARK)] == UTF8_MARK else 0
    yield data[:start]
    is_header = True
    while start < len(data):
        line_end = data.find(b"\n", start)
        line_end = len(data) if line_end == -1 else line_end + 1
        if not data[start:line_end].strip():
            yield data[start:line_end]
            start = line_end
            continue
        record = split_record(data, start, delimiter[0], None if is_header else rewrite.columns)
        end = data[start : record.end]
        ending = b"\r\n" if end.endswith(b"\r\n") else b"\n" if end.endswith(b"\n") else b""
        text = _kept(record, rewrite, delimiter)
        # A cell that is left out may have had line breaks. Blank lines keep the lines of all later records.
        blank = b"\n" * (end.count(b"\n") - (text + ending).count(b"\n"))
        yield text + ending + blank if ending else blank + text
        start, is_header = record.end, False


def _kept(record: Record, rewrite: Rewrite, delimiter: bytes) -> bytes:
    if record.fault or len(record.cells) != rewrite.columns:
        kept = [cell for cell in record.cells if cell in rewrite.known]
        filler = [b""] * (rewrite.columns + EXCESS_COLUMNS - len(kept))
        return delimiter.join([*kept, *filler])
    cells = [cell for position, cell in enumerate(record.cells) if position not in rewrite.left_out]
    if cells == [b""]:
        return b'""'  # an empty line would be no record
    return delimiter.join(_quoted(cell, delimiter) for cell in cells)


def _quoted(cell: bytes, delimiter: bytes) -> bytes:
    if any(sign in cell for sign in (delimiter, b'"', b"\n", b"\r")):
        return b'"' + cell.replace(b'"', b'""') + b'"'
    return cell


def write_without_secrets(source: Path, target: Path, *, mapping: Mapping, fallback_encoding: str) -> None:
    """Copy a file, even one that other steps would refuse, without its columns of secrets.

    A file without such columns, or that is not text, is copied unchanged. Otherwise the copy is in UTF-8, and records
    that cannot be split lose their cells but keep their lines.
    """
    if not source.stat().st_size or not _is_text(source):
        _copy(source, target)
        return
    with _read_as_utf8(source, fallback_encoding) as data:
        rewrite = _without_secrets(data, mapping)
        if rewrite:
            with target.open("wb") as out:
                out.writelines(rewritten(data, rewrite))
    if not rewrite:
        _copy(source, target)


def _copy(source: Path, target: Path) -> None:
    with target.open("wb") as out:
        out.writelines(chunks_of(source))


def _is_text(path: Path) -> bool:
    try:
        refuse_unless_text(head_of(path, _HEAD_BYTES))
    except FileRefused:
        return False
    return True


def _without_secrets(data: Buffer, mapping: Mapping) -> Rewrite | None:
    """Return the rewrite that leaves out the columns of secrets, or None if the header names none."""
    start, _ = header_start(data)
    delimiter, names = split_by_best_delimiter(data, start, mapping)
    record = split_record(data, start, ord(delimiter), None)
    header = data[start : record.end]
    if record.fault or b"\r" in header.rstrip(b"\r\n").replace(b"\r\n", b""):  # it may contain records too
        has_secret = names_secret(header.decode(errors="replace"))
        return Rewrite(delimiter, _NO_RECORD, ()) if has_secret else None
    secret = secret_positions(find_columns(names, fitting_variants(mapping, names)[0]))
    return Rewrite(delimiter, len(names), secret) if secret else None


@contextmanager
def _read_as_utf8(path: Path, fallback_encoding: str) -> Iterator[Buffer]:
    """Yield the text of the file as UTF-8. Bytes that do not decode are replaced."""
    encoding = _encoding_of(path, fallback_encoding)
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


def _encoding_of(path: Path, fallback_encoding: str) -> str:
    """Return the name of the encoding, also of one in which a file is refused."""
    try:
        return detect_encoding(path, fallback_encoding).name
    except FileRefused:
        head = head_of(path, _HEAD_BYTES)
    if head.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return "utf-32"
    return "utf-16-be" if head[0::2].count(0) > head[1::2].count(0) else "utf-16-le"
