"""Read: turn the bytes of a file into records with their physical lines (section 2 of the file format)."""

import codecs
import mmap
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Protocol

import numpy as np

from sis_sync.core.errors import FileRefused
from sis_sync.core.findings import Finding, file_finding
from sis_sync.core.limits import FILE_LIMITS, FileLimits
from sis_sync.core.modes import Mode
from sis_sync.core.reading_options import DELIMITERS, NO_HEADER, NOTHING_SAID, ReadingOptions
from sis_sync.core.refusals import SPLIT_NO_LIST
from sis_sync.core.whole_files import sha256_of
from sis_sync.engine.duckdb import Session
from sis_sync.steps.map.columns import MESSAGE_HEADER, Columns, ignored_columns, kept_fields
from sis_sync.steps.map.mapping import NO_MAPPING, Mapping
from sis_sync.steps.read.encoding import Encoding, detect_encoding, rewrite_as_utf8
from sis_sync.steps.read.file_kind import head_of, refuse_unless_text
from sis_sync.steps.read.footers import compare_counts, find_footers
from sis_sync.steps.read.header import (
    Header,
    find_header,
    judge_header,
    refuse_different_columns,
    refuse_repeated_header,
)
from sis_sync.steps.read.header_line import SOMETHING, options_of_file
from sis_sync.steps.read.line_ends import as_usual_lines
from sis_sync.steps.read.load import PlainFile, load_records
from sis_sync.steps.read.person_row import refuse_mapping_of_a_person, refuse_person_as_header
from sis_sync.steps.read.quotes import TEXT_FORMULA, Buffer
from sis_sync.steps.read.scan import END_OF_FILE, Layout, Part, scan
from sis_sync.steps.read.shape import Shape
from sis_sync.steps.read.text_formulas import find_text_formulas

_TOO_LARGE = f"Leave columns out of the export, or raise the limit ({{setting}}). {SPLIT_NO_LIST}"


@dataclass(frozen=True)
class FileFacts:
    """The file as received (size in bytes, digest of its bytes) and how it was read.

    `kept_fields` are those that accounts keep, because the mapping has no value for them, separated by spaces.
    """

    name: str
    bytes: int
    sha256: str
    rows: int
    columns: int
    encoding: str
    delimiter: str
    mapping: str
    has_final_newline: bool
    kept_fields: str = ""

    def as_dict(self) -> dict[str, object]:
        """Return the facts for JSON, in the order of the fields."""
        return asdict(self)


@dataclass(frozen=True)
class Records:
    """The session has the tables `cells` (line, codes, c0, c1 ...) and `broken` (line, codes, width, cells).

    `columns` and `mapping` assign the columns to fields. `broken_rows` is the number of rows in `broken`.
    `header_line` is the physical line of the header, NO_HEADER if the file has none. `source` is the file that was
    read, or the copy of it in UTF-8 with usual line ends, None if the rows are from no file. `text_formulas` are the
    columns with cells such as ="00123". `is_read_again`: the file was kept without some columns (keep.py), and these
    are empty.
    """

    facts: FileFacts
    columns: Columns
    mapping: Mapping
    warnings: tuple[Finding, ...]
    broken_rows: int
    header_line: int
    source: Path | None = None
    layout: Layout | None = None
    text_formulas: frozenset[int] = frozenset()
    is_read_again: bool = False


@dataclass(frozen=True)
class ReadAs:
    """All but the bytes of a plain line that its meaning depends on: the header as written, and how it was read."""

    header: bytes
    encoding: str
    shape: Shape
    columns: Columns
    mapping: Mapping
    options: ReadingOptions


class LeavesOut(Protocol):
    """Leaves out the plain lines whose meaning is known."""

    def leave_out(self, session: Session, plain: PlainFile, read_as: ReadAs) -> PlainFile:
        """Return the lines that are to be split."""


def read(
    session: Session,
    path: Path,
    *,
    mode: Mode | None = None,
    mapping: Mapping = NO_MAPPING,
    options: ReadingOptions = NOTHING_SAID,
    limits: FileLimits = FILE_LIMITS,
    memory: LeavesOut | None = None,
    sha256: str = "",
) -> Records:
    """Read every record of the file as the options say, and then the mapping. Raise FileRefused if it is unusable.

    A file without records is refused if absent people would leave in this mode. The lines that `memory` leaves out are
    not in `cells`. `sha256` is the digest of the file, if it is known.
    """
    _refuse_unfit(path, limits)
    refuse_mapping_of_a_person(mapping)
    options = options_of_file(head_of(path, 4096), mapping, options)
    options.refuse_unnamed_columns()
    encoding = detect_encoding(path, options)
    source, warnings = _as_lines_of_utf8(session, path, encoding)
    encoding = encoding if source == path else replace(encoding, bad_bytes=None)  # in a copy, they are elsewhere
    with _mapped(source) as data:
        header = find_header(data, mapping, options, most_columns=limits.columns)
        layout = header.layout(encoding, options)
        refuse_person_as_header(data, header.found, options)
        _refuse_without_records(data, header, mode)
        with _too_large_first(limits, data, layout):
            judge_header(data, header, mapping)
        _refuse_corrections(header.columns, mode)
        footers = find_footers(session, data, layout, header.columns, header.mapping, options.footers)
        layout = replace(layout, footers=np.array(list(footers), dtype=np.int64))
        read_as = _read_as(data, header, layout, encoding, options)
        leave_out = partial(memory.leave_out, read_as=read_as) if memory else None
        loaded = load_records(session, source, data, layout, _within(limits, scan(data, layout)), leave_out)
        has_final_newline = _has_final_newline(data)
    refuse_different_columns(session, header)
    if not (people := loaded.records - len(loaded.footers)):
        _refuse_empty_list(mode)  # the first check missed it, because the header has several lines
    has_final_newline |= compare_counts(footers, loaded.footers, people)  # with the right number, nothing is missing
    refuse_repeated_header(session, header.columns, has_broken=loaded.broken > 0)
    formulas = find_text_formulas(session, header.columns, header.mapping, is_likely=loaded.has_text_formula)
    facts = FileFacts(
        name=path.name.encode("utf-8", "replace").decode("utf-8"),
        bytes=path.stat().st_size,
        sha256=sha256 or sha256_of(path),
        rows=loaded.records,
        columns=layout.shape.columns,
        encoding=encoding.name,
        delimiter=DELIMITERS[header.delimiter],
        mapping=header.mapping.name,
        has_final_newline=has_final_newline,
        kept_fields=" ".join(kept_fields(header.columns, header.mapping)),
    )
    remarks = loaded.remarks | {TEXT_FORMULA: min(formulas.values())} if formulas else loaded.remarks
    warnings += _remarks(header, remarks, has_final_newline=has_final_newline)
    line = NO_HEADER if options.has_no_header else header.line
    found = header.columns, header.mapping, tuple(warnings), loaded.broken
    return Records(facts, *found, line, source, layout, frozenset(formulas))


def _read_as(data: Buffer, header: Header, layout: Layout, encoding: Encoding, options: ReadingOptions) -> ReadAs:
    return ReadAs(
        data[header.start : layout.start].rstrip(b"\r\n"),
        encoding.name,
        layout.shape,
        header.columns,
        header.mapping,
        options,
    )


def _remarks(header: Header, remarks: dict[str, int], *, has_final_newline: bool) -> list[Finding]:
    """Return the warnings about the file. `remarks` has the first line of each harmless irregularity, by its code."""
    warnings = []
    if not has_final_newline:
        warnings.append(file_finding("file.no_final_newline"))
    if header.found.skipped:
        warnings.append(file_finding("file.preamble", value=str(header.line), other=str(header.found.skipped)))
    warnings += [file_finding(code, value=str(line)) for code, line in sorted(remarks.items())]
    return [*warnings, *ignored_columns(header.columns, header.mapping)]


def _refuse_unfit(path: Path, limits: FileLimits) -> None:
    head = head_of(path, 4096)
    size = path.stat().st_size
    if size > limits.file_bytes:
        message = f"The file has {size:,} bytes; the limit is {limits.file_bytes:,}."
        raise FileRefused("file.too_large", message, fix=_TOO_LARGE.format(setting="SIS_SYNC_MAX_FILE_MB"))
    if not head.removeprefix(codecs.BOM_UTF8).removeprefix(codecs.BOM_UTF16_LE).removeprefix(codecs.BOM_UTF16_BE):
        raise _empty("The file is empty.")
    refuse_unless_text(head)


def _refuse_corrections(columns: Columns, mode: Mode | None) -> None:
    """Raise FileRefused for a file of corrected rows in a mode in which everyone else would leave."""
    if mode is not None and mode.judges_absence and columns.message_position is not None:
        raise FileRefused(
            "file.corrections",
            f"The file has our column {MESSAGE_HEADER}, so it holds failed rows of an earlier file, and no one else.",
            fix="Send it in the mode partial, best from the page of the run that it corrects.",
        )


def _empty(message: str) -> FileRefused:
    return FileRefused(
        "file.empty", message, fix="Check the export in the SIS. No one is deleted because of this file."
    )


def _as_lines_of_utf8(session: Session, path: Path, encoding: Encoding) -> tuple[Path, list[Finding]]:
    """Return the file, or a copy in UTF-8 with usual line ends, and what is unusual about the file."""
    source, warnings = path, []
    if encoding.name != "utf-8":
        source = session.folder / "utf8.csv"
        warnings = rewrite_as_utf8(path, encoding, source)
    source, more = as_usual_lines(session.folder, source)
    return source, warnings + more


@contextmanager
def _mapped(path: Path) -> Iterator[mmap.mmap]:
    """Yield the file mapped into memory. Only the parts that are read use memory."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        yield data


def _refuse_without_records(data: Buffer, header: Header, mode: Mode | None) -> None:
    if SOMETHING.search(data) is None:
        raise _empty("The file contains only white space.")
    header_end = data.find(b"\n", header.start) if header.record.lines else header.start
    has_records = header_end != -1 and SOMETHING.search(data, header_end) is not None
    if not has_records:
        _refuse_empty_list(mode)


def _refuse_empty_list(mode: Mode | None) -> None:
    if mode is not None and mode.judges_absence:
        raise _empty(f"The file has a header but no records, and in the mode {mode.name} everyone absent would leave.")


def _has_final_newline(data: Buffer) -> bool:
    """Return True if the last line that is not blank has a line end."""
    last = data.rfind(b"\n")
    return not data[last + 1 :].strip(b" \t\r" + END_OF_FILE)


def _within(limits: FileLimits, parts: Iterator[Part]) -> Iterator[Part]:
    """Yield the parts. Raise FileRefused (`file.too_large`) when the records exceed the limit."""
    count = 0
    for part in parts:
        count += part.records
        if count > limits.records:
            message = f"The file has more than {limits.records:,} records, which is the limit."
            raise FileRefused("file.too_large", message, fix=_TOO_LARGE.format(setting="SIS_SYNC_MAX_RECORDS"))
        yield part


@contextmanager
def _too_large_first(limits: FileLimits, data: Buffer, layout: Layout) -> Iterator[None]:
    """If the block refuses the header but the file is also too large, raise the refusal for the size instead."""
    try:
        yield
    except FileRefused:
        try:
            for _ in _within(limits, scan(data, layout)):
                pass
        except FileRefused as refusal:
            if refusal.code == "file.too_large":
                raise refusal from None
        raise
