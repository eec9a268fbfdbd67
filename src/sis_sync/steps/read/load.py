"""Load the scanned records into the session: records that could be split into `cells`, all others into `broken`."""

import mmap
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

import numpy as np

from sis_sync.engine.duckdb import Session
from sis_sync.steps.read.lines import LINE_FEED, Flags, Positions
from sis_sync.steps.read.quotes import Buffer
from sis_sync.steps.read.scan import CHUNK_BYTES, MOST_ODD, Layout, OddRecord, Part

_BROKEN_BY_CELL = """
CREATE TEMP TABLE broken_by_cell (line BIGINT, codes VARCHAR, width BIGINT, place BIGINT, cell VARCHAR)
"""
_BUFFER_BYTES = 1 << 20  # ranges are short, so one system call writes many


@dataclass(frozen=True)
class PlainFile:
    """A file of plain lines, after `skip` other lines, and the physical line of each in the roster file."""

    path: Path
    skip: int
    lines: Positions


LeaveOut = Callable[[Session, PlainFile], PlainFile]


@dataclass(frozen=True)
class Loaded:
    """The number of rows in `cells` or left out (`split`), the number in `broken`, and the remarks of the scan.

    `footers` has the physical line of each footer by its offset, `remarks` the first line of each harmless
    irregularity by its code. `has_text_formula`: a cell may be a formula such as ="00123".
    """

    split: int
    broken: int
    footers: dict[int, int]
    remarks: dict[str, int]
    has_text_formula: bool

    @property
    def records(self) -> int:
        """The number of records."""
        return self.split + self.broken


def load_records(
    session: Session,
    source: Path,
    data: Buffer,
    layout: Layout,
    parts: Iterable[Part],
    leave_out: LeaveOut | None = None,
) -> Loaded:
    """Make `cells` (line, codes, c0 ...) and `broken` (line, codes, width, cells). Assert that none is lost.

    `leave_out` returns the plain lines to split. Without it, all are split.
    """
    columns = ", ".join(f"{name} VARCHAR" for name in _names(layout))
    session.run(f"CREATE TEMP TABLE cells (line BIGINT, codes VARCHAR, {columns})")
    odd = OddRecords(session)
    numbers, records, has_text_formula = [], 0, False
    footers: dict[int, int] = {}
    remarks: dict[str, int] = {}
    with PlainLines(session.folder / "plain.csv", data, layout) as plain:
        for part in parts:
            odd.take(part.odd)
            plain.take(part)
            numbers.append(part.plain_lines)
            records += part.records
            has_text_formula |= part.has_text_formula
            footers |= part.footers
            remarks = part.remarks | remarks  # the first line of each counts
    _free_memory(data)
    odd.store()
    path, skip = (source, 1) if plain.are_whole_file else (plain.path, 0)
    plain_file = PlainFile(path, skip, np.concatenate([*numbers, np.empty(0, dtype=np.int64)]))
    numbers.clear()  # else they would stay in memory twice
    chosen = leave_out(session, plain_file) if leave_out else plain_file
    split_lines(session, chosen, layout)
    left_out = len(plain_file.lines) - len(chosen.lines)
    split, broken = session.value("SELECT count(*) FROM cells") + left_out, session.value("SELECT count(*) FROM broken")
    loaded = Loaded(split, broken, footers, remarks, has_text_formula)
    if loaded.records != records:
        raise AssertionError(f"{records} records in the file, but {loaded.records} were read")
    return loaded


def _free_memory(data: Buffer) -> None:
    """Free the memory of the mapped file, which was read to its end, before the engine needs memory of its own."""
    if isinstance(data, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
        data.madvise(mmap.MADV_DONTNEED)


def _names(layout: Layout) -> list[str]:
    return [f"c{position}" for position in range(layout.shape.columns)]


def split_lines(session: Session, plain: PlainFile, layout: Layout) -> None:
    """Insert the plain lines into `cells`."""
    if not len(plain.lines):
        return
    names = _names(layout)
    source = session.csv_source(plain.path, names, delimiter=chr(layout.shape.delimiter), skip=plain.skip)
    session.connection.register("plain_lines", {"line": plain.lines})
    # Both are in file order: a join by position reads them side by side, without a copy of either.
    session.run(
        f"INSERT INTO cells SELECT l.line, '' AS codes, p.* FROM plain_lines AS l POSITIONAL JOIN {source} AS p"
    )
    session.connection.unregister("plain_lines")
    # If the engine finds another number of lines, the join fills the shorter side with NULL. With two queries, the
    # engine looks only at the parts of the table that have a NULL.
    lost = "SELECT (SELECT count(*) FROM cells WHERE line IS NULL) + "
    if session.value(f"{lost}(SELECT count(*) FROM cells WHERE {names[0]} IS NULL AND codes = '')"):
        raise AssertionError(f"The engine does not find the {len(plain.lines)} plain lines in the file")


def copy_lines(plain: PlainFile, is_taken: Flags, path: Path) -> PlainFile:
    """Copy some of the plain lines to a new file, each with LF at its end. `is_taken` has a flag for each line."""
    done = 0
    with plain.path.open("rb") as file, path.open("wb", buffering=_BUFFER_BYTES) as out:
        for _ in range(plain.skip):
            file.readline()
        while chunk := file.read(CHUNK_BYTES) + file.readline():
            text = chunk if chunk.endswith(b"\n") else chunk + b"\n"
            ends = np.flatnonzero(np.frombuffer(text, dtype=np.uint8) == LINE_FEED) + 1
            taken = is_taken[done : done + len(ends)]
            changes = np.flatnonzero(np.diff(taken, prepend=False, append=False))
            starts = np.concatenate(([0], ends))[changes].tolist()
            for start, end in zip(starts[::2], starts[1::2], strict=True):
                out.write(text[start:end].replace(b"\r\n", b"\n"))
            done += len(ends)
    if done != len(is_taken):
        raise AssertionError(f"{len(is_taken)} plain lines, but {done} were read")
    return PlainFile(path, 0, plain.lines[is_taken])


class PlainLines:
    """Collects the plain lines. If they are the whole file, the engine reads the file itself.

    As soon as a part has other records, or another kind of line end, all plain lines are copied to `path`.
    """

    def __init__(self, path: Path, data: Buffer, layout: Layout) -> None:
        self.path, self._data, self._layout = path, data, layout
        self._out: BinaryIO | None = None
        header = data[: layout.start]
        self._ends_with_return = header.endswith(b"\r\n")
        # The engine can skip the header only if it is one line without quotes or bad bytes.
        if layout.line != 2 or b'"' in header or layout.has_bad_bytes:
            self._out = path.open("wb", buffering=_BUFFER_BYTES)

    @property
    def are_whole_file(self) -> bool:
        """True if the file, after its first line, is all plain lines with one kind of line end."""
        return self._out is None

    def take(self, part: Part) -> None:
        """Add the plain lines of the next part."""
        if self._out is None and not self._is_like_the_header(part):
            self._out = self.path.open("wb", buffering=_BUFFER_BYTES)
            self._copy(self._layout.start, part.start)
        if self._out is not None:
            for text in part.texts:
                if isinstance(text, bytes):
                    self._out.write(text)
                else:
                    self._copy(*text)

    def _is_like_the_header(self, part: Part) -> bool:
        last_is_open = part.end == len(self._data) and self._data[part.end - 1 : part.end] != b"\n"
        ended = part.lines - last_is_open
        return part.is_as_written and part.lines_with_return == (ended if self._ends_with_return else 0)

    def _copy(self, start: int, end: int) -> None:
        """Copy the lines, each with LF at its end: the engine reads one kind of line end."""
        if self._out is not None and end > start:
            with memoryview(self._data)[start:end] as text:
                self._out.write(text if bytes(text[-2:]) != b"\r\n" else text.tobytes().replace(b"\r\n", b"\n"))
            if self._data[end - 1 : end] != b"\n":
                self._out.write(b"\n")

    def __enter__(self) -> "PlainLines":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._out is not None:
            self._out.close()


class OddRecords:
    """Collects the records that are not plain lines, and inserts those with the header's columns into `cells`.

    `cells` must exist. `store` makes the table `broken` from the others.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._split: list[OddRecord] = []
        self._broken: list[OddRecord] = []
        self._has_broken = False

    def take(self, records: list[OddRecord]) -> None:
        """Add the odd records of a part. At most MOST_ODD stay in memory: all records of a file may be odd."""
        for record in records:
            (self._split if record.is_split else self._broken).append(record)
        if len(self._split) + len(self._broken) >= MOST_ODD:
            self._insert()

    def store(self) -> None:
        """Make `broken` (line, codes, width, cells), in file order."""
        self._insert()
        self._session.run("CREATE TEMP TABLE broken (line BIGINT, codes VARCHAR, width BIGINT, cells VARCHAR[])")
        if self._has_broken:
            self._session.run(
                "INSERT INTO broken SELECT line, codes, width, list(cell ORDER BY place) "
                "FROM broken_by_cell GROUP BY line, codes, width ORDER BY line; DROP TABLE broken_by_cell"
            )

    def _insert(self) -> None:
        split, self._split = self._split, []
        if split:
            columns = zip(*[record.cells for record in split], strict=True)
            cells = {f"c{position}": np.array(column, dtype=object) for position, column in enumerate(columns)}
            self._append("cells", {"line": _lines(split), "codes": _codes(split), **cells})
        broken, self._broken = self._broken, []
        if broken and not self._has_broken:
            self._has_broken = True
            self._session.run(_BROKEN_BY_CELL)
        if broken:
            self._append("broken_by_cell", _one_row_per_cell(broken))

    def _append(self, table: str, batch: dict[str, Any]) -> None:
        self._session.connection.register("odd_batch", batch)
        self._session.run(f"INSERT INTO {table} SELECT * FROM odd_batch")
        self._session.connection.unregister("odd_batch")


def _one_row_per_cell(records: list[OddRecord]) -> dict[str, Any]:
    """Return columns with one row per cell: the engine reads arrays at once, but lists of lists cell by cell."""
    widths = np.array([len(record.cells) for record in records])
    return {
        "line": np.repeat(_lines(records), widths),
        "codes": np.repeat(_codes(records), widths),
        "width": np.repeat(np.array([record.width for record in records]), widths),
        "place": np.arange(widths.sum()),
        "cell": np.array([cell for record in records for cell in record.cells], dtype=object),
    }


def _lines(records: list[OddRecord]) -> Any:
    return np.array([record.line for record in records])


def _codes(records: list[OddRecord]) -> Any:
    return np.array([";".join(record.codes) for record in records], dtype=object)
