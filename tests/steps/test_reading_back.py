"""Rows that Python's csv module writes are read back with their physical lines, wherever a part of the file ends."""

import csv
import io
import re
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kit.plans import examples

from sis_sync.core import whole_files
from sis_sync.core.fields import FIELD_NAMES
from sis_sync.core.reading_options import ReadingOptions
from sis_sync.engine import duckdb
from sis_sync.engine.duckdb import open_session
from sis_sync.steps.read import encoding
from sis_sync.steps.read.read import read
from sis_sync.steps.read.scan import CHUNK_BYTES, Layout, scan
from sis_sync.steps.read.shape import Shape

Row = tuple[str, ...]
Read = list[tuple[Any, ...]]


def without_swallowed_lines(row: Row) -> Row:
    """Where a line inside a record holds as many delimiters as a record, the file format calls its quote a stray one.

    So a row has line breaks or delimiters in its cells, not both.
    """
    has_line_break = any("\n" in cell for cell in row)
    return tuple(re.sub("[,;|\t]", "", cell) for cell in row) if has_line_break else row


cells = st.one_of(
    st.sampled_from(["Ana", "", "1001", "0", "José", "Cole, Jr.", 'A "Bo" B', "李", '"', "a\n\nb", ";|\t"]),
    st.text(alphabet="aé李 \"',;|\t\n", max_size=6),
)
# The outer cells are filled: a row of empty cells is a blank line, and one cell alone at the end is a footer.
rows_of_cells = st.lists(
    st.tuples(*[cells] * (len(FIELD_NAMES) - 2)).map(lambda row: without_swallowed_lines(("Ana", *row, "Active"))),
    min_size=1,
    max_size=8,
)


def written(rows: Iterable[Sequence[str]], *, delimiter: str = ",", end: str = "\n", quoting: Any = 0) -> str:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator=end, quoting=quoting).writerows(rows)
    return text.getvalue()


def with_lines(rows: Iterable[Row], first: int = 2) -> Read:
    """Each row behind the line that it starts on: it takes one line, and one more for each line break in a cell."""
    numbered, line = [], first
    for row in rows:
        numbered.append((line, *row))
        line += 1 + sum(cell.count("\n") for cell in row)
    return numbered


def read_rows(content: bytes) -> Read:
    with tempfile.TemporaryDirectory(prefix="sis-sync-test-") as name, open_session() as session:
        path = Path(name) / "roster.csv"
        path.write_bytes(content)
        records = read(session, path)
        columns = ", ".join(f"c{number}" for number in range(records.facts.columns))
        return [tuple(row) for row in session.rows(f"SELECT line, {columns} FROM cells ORDER BY line")]


@examples(50, night=150)
@given(
    rows=rows_of_cells,
    delimiter=st.sampled_from([",", ";", "\t", "|"]),
    end=st.sampled_from(["\n", "\r\n"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16-le", "utf-16-be"]),
    has_final_newline=st.booleans(),
)
def test_csv_rows_are_read_back(
    rows: list[Row], delimiter: str, end: str, quoting: int, encoding: str, has_final_newline: bool
) -> None:
    text = written([FIELD_NAMES, *rows], delimiter=delimiter, end=end, quoting=quoting)
    text = text if has_final_newline else text.removesuffix(end)
    mark = "\ufeff" if encoding.startswith("utf-16") else ""
    assert read_rows((mark + text).encode(encoding)) == with_lines(rows)


@pytest.mark.night
def test_over_100_000_rows_are_read_back() -> None:
    """One in four is odd, of any length: at dozens of places a part of the file ends inside of one."""
    random = Random(14)
    odd = ("a\nb", 'A "Bo"', "x\n" * 9, "Cole, Jr.", '"\n"\n')
    rows = [
        (f"Ana{'a' * (number % 23)}", random.choice(odd) if number % 4 == 0 else "", *[str(number)] * 8)
        for number in range(110_000)
    ]
    content = written([FIELD_NAMES, *rows]).encode()
    assert len(content) > 20 * CHUNK_BYTES
    assert read_rows(content) == with_lines(rows)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_rows_of_many_buffers_of_the_engine(end: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The numbers of lines are joined to the cells by their order, which a new buffer must not change."""
    monkeypatch.setattr(duckdb, "_CSV_BUFFER_BYTES", 3 << 20)  # the least that the engine takes with long lines
    rows = [("Ana", f"Cole, Jr. {number}", "é" * 40, *[str(number)] * 6, "Active") for number in range(70_000)]
    content = written([FIELD_NAMES, *rows], end=end).encode()
    assert len(content) > 3 * (3 << 20)
    assert read_rows(content) == with_lines(rows)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_odd_record_crosses_every_border(end: str) -> None:
    odd, plain = ('a\n"b"\n\nc', "é,\n"), ("Ana", "1001")
    tail = written([odd, plain, odd, plain], end=end).encode()
    filler = written([plain], end=end).encode()
    layout = Layout(start=0, line=1, shape=Shape(ord(","), 2, 2, 2), has_bad_bytes=False)
    for offset in range(len(tail) + 2):
        count, rest = divmod(CHUNK_BYTES - offset - len(filler), len(filler))
        longer = ("A" * (rest + 3), "1001")
        head = filler * count + written([longer], end=end).encode()
        parts = list(scan(head + tail, layout))
        found = [(record.line, *record.cells) for part in parts for record in part.odd]
        first = count + 2
        expected = with_lines([odd, plain, odd, plain], first)
        assert found == [expected[0], expected[2]], offset
        plain_lines = [int(line) for part in parts for line in part.plain_lines]
        assert plain_lines == [*range(1, first), expected[1][0], expected[3][0]], offset


@pytest.mark.parametrize("most_kept", [encoding.MOST_BAD_BYTES, 3])
def test_bad_bytes_are_the_same_wherever_a_part_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most_kept: int
) -> None:
    """The file is judged once, in parts that end anywhere. Its lines are then plain or not as if each was judged."""
    monkeypatch.setattr(encoding, "MOST_BAD_BYTES", most_kept)
    random, path = Random(15), tmp_path / "people.csv"
    pieces = (b"\n", b"a,b\n", b"a", b",", "é".encode(), "李".encode(), "😀".encode(), b"\xe9", b"\xf0\x9f", b"\x80")
    for size in range(1, 60):
        monkeypatch.setattr(whole_files, "CHUNK_BYTES", random.randrange(1, 9))
        content = b"a,b\n" + b"".join(random.choices(pieces, k=size)) + b"\n"
        path.write_bytes(content)
        found = encoding.detect_encoding(path, ReadingOptions(encoding="utf-8"))
        bad, _ = encoding.judge_utf8(np.frombuffer(content, dtype=np.uint8))
        assert found.has_bad_bytes == (len(bad) > 0)
        assert (found.bad_bytes is None) == (len(bad) > most_kept)
        start = 0
        for line in content.splitlines(keepends=True):
            of_line, _ = encoding.judge_utf8(np.frombuffer(line, dtype=np.uint8))
            assert encoding.bad_bytes_of(line, start, found.bad_bytes).tolist() == of_line.tolist()
            start += len(line)
