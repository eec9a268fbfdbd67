"""Footers: lines of a report that are not people.

A line of dashes may be directly under the header. The file may end with lines of dashes, records with one filled cell
and lines that count the records. A mapping may name other lines by patterns, anywhere in the file.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sis_sync.core.errors import FileRefused
from sis_sync.core.limits import FILE_LIMITS
from sis_sync.core.wording import counted
from sis_sync.engine.duckdb import Session
from sis_sync.engine.sql import literal
from sis_sync.steps.map.columns import Columns, source_positions
from sis_sync.steps.map.mapping import Mapping
from sis_sync.steps.map.value_sql import is_one_of
from sis_sync.steps.read.footer_text import FooterPattern, count_in, is_dashes, number_in, says_end
from sis_sync.steps.read.quotes import Buffer, end_of_line, split_record
from sis_sync.steps.read.scan import END_OF_FILE, Layout
from sis_sync.steps.read.shape import is_blank_cell

MOST_AT_THE_END = 5  # a file with more records of one filled cell is damaged, not a report
_MOST_CELLS = 3  # filled, in a line that counts the records: its thousands separator may be the delimiter
_LINES_SEARCHED = 1000  # at each end, blank lines included
_SEARCHED_BYTES = 1 << 20


@dataclass(frozen=True)
class Footer:
    """A line that is not a person: its offset and, if it counts the records, their number."""

    start: int
    count: int | None = None


def find_footers(
    session: Session, data: Buffer, layout: Layout, columns: Columns, mapping: Mapping, patterns: Sequence[str]
) -> dict[int, Footer]:
    """Return the footers of the file by their offsets, in order."""
    finder = _Finder(session, data, layout, columns, mapping, tuple(map(FooterPattern, patterns)))
    found = {footer.start: footer for footer in (*finder.under_the_header(), *finder.at_the_end(), *finder.named())}
    return dict(sorted(found.items()))


def compare_counts(footers: dict[int, Footer], lines: dict[int, int], records: int) -> bool:
    """Return True if a footer says the number of data records. Raise FileRefused if one says another number.

    `lines` has the physical line of each footer by its offset. A footer inside a quoted cell has none.
    """
    counts = {line: count for start, line in lines.items() if (count := footers[start].count) is not None}
    for line, count in counts.items():
        if count != records:
            raise FileRefused(
                "file.count_mismatch",
                f"Line {line} says that the file has {counted(count, 'record', 'records')}, but it has {records:,}.",
                line=line,
                fix="Export the file again: it may have lost people on its way. If the line counts something else, "
                "name it in a mapping, without {rows}: mapper.NAME.footer=Total records: *",
            )
    return bool(counts)


@dataclass(frozen=True)
class _Finder:
    session: Session
    data: Buffer
    layout: Layout
    columns: Columns
    mapping: Mapping
    patterns: tuple[FooterPattern, ...]

    def under_the_header(self) -> Iterator[Footer]:
        """Yield the line of dashes that is directly under the header."""
        start = self.layout.start
        for _ in range(_LINES_SEARCHED):
            end = end_of_line(self.data, start)
            line = self._line(start, end)
            if not self.layout.shape.is_blank_row(line):
                if is_dashes(self._shown(line)):
                    yield Footer(start)
                return
            start = end + 1

    def at_the_end(self) -> Iterator[Footer]:
        """Yield the footers at the end of the file, the last one first."""
        found = 0
        for start, end in self._lines_from_the_end():
            line = self._line(start, end)
            if self.layout.shape.is_blank_row(line) or line == END_OF_FILE or self._named(start, line):
                continue
            footer = self._last_line(start, line, is_open=end == len(self.data))
            found += 1
            if footer is None or found > MOST_AT_THE_END:
                return
            yield footer

    def named(self) -> Iterator[Footer]:
        """Yield the lines that a pattern of the mapping names."""
        start = self.layout.start
        while self.patterns and start < len(self.data):
            end = self.data.rfind(b"\n", start, start + _SEARCHED_BYTES) + 1 or end_of_line(self.data, start) + 1
            text = self.data[start:end].lower()
            for line_start in sorted({place for pattern in self.patterns for place in pattern.lines_in(text)}):
                begin = start + line_start
                footer = self._named(begin, self._line(begin, end_of_line(self.data, begin)))
                if footer:
                    yield footer
            start = end

    def _named(self, start: int, line: bytes) -> Footer | None:
        """Return the footer, if a pattern of the mapping names this line."""
        raw = line.decode("utf-8", "replace").strip()
        bare = raw.rstrip(chr(self.layout.shape.delimiter) + " \t")
        for pattern in self.patterns:
            match = next((each for text in (raw, bare, bare.strip('"')) if (each := pattern.matches(text))), None)
            if match:
                return Footer(start, number_in(match[1]) if match.groups() else None)
        return None

    def _last_line(self, start: int, line: bytes, *, is_open: bool) -> Footer | None:
        """Return the footer, if this line after all people is not a person.

        `is_open`: the file ends without a line end. This line may then be cut off, so it is a footer only if it cannot
        be part of a person.
        """
        record = split_record(line, 0, self.layout.shape)
        if record.fault or record.lines > 1 or len(line) > FILE_LIMITS.cell_bytes:
            return None
        if is_dashes(self._shown(line)):
            return Footer(start)
        filled = [place for place, cell in enumerate(record.cells) if not is_blank_cell(cell)]
        texts = [record.cells[place].decode("utf-8", "replace").strip() for place in filled]
        if not 0 < len(filled) <= _MOST_CELLS or self._is_skipped(record.cells):
            return None
        count = count_in(texts)
        id_positions = source_positions("custom_id", self.columns, self.mapping)
        # An ID next to a name such as Row or Count is a person, not a count.
        in_id = [place in id_positions for place in filled]
        is_whole = len(filled) == self.layout.shape.named > 1 and any(in_id)
        if is_whole and in_id == [re.search(r"\d", text) is not None for text in texts]:
            return None
        is_half_a_person = in_id[0] and not re.search(r"\s", texts[0])
        if len(filled) > 1 or is_half_a_person:
            return Footer(start, count) if len(filled) > 1 and count is not None else None
        is_cut = is_open and len(record.cells) < self.layout.shape.named
        return None if is_cut and count is None and not says_end(texts[0]) else Footer(start, count)

    def _is_skipped(self, cells: Sequence[bytes]) -> bool:
        """Return True if a skip line of the mapping names this record."""
        for header, values in self.mapping.skips:
            place = self.columns.place_of(header)
            if place is not None and place < len(cells):
                cell = f"clean({literal(cells[place].decode('utf-8', 'replace'))})"
                if self.session.value(f"SELECT {is_one_of(cell, values)}"):
                    return True
        return False

    def _lines_from_the_end(self) -> Iterator[tuple[int, int]]:
        """Yield the bounds of the last lines, without their line feeds, the last one first."""
        end = len(self.data)
        for _ in range(_LINES_SEARCHED):
            if end <= self.layout.start:
                return
            text_end = end - (self.data[end - 1] == ord("\n"))
            start = max(self.data.rfind(b"\n", 0, text_end) + 1, self.layout.start)
            yield start, text_end
            end = start

    def _line(self, start: int, end: int) -> bytes:
        """Return the line between these offsets. A longer one than a footer can be is cut."""
        return self.data[start : min(end, start + FILE_LIMITS.cell_bytes + 1)].removesuffix(b"\r")

    def _shown(self, line: bytes) -> str:
        return line.replace(self.layout.shape.delimiter.to_bytes(), b" ").decode("utf-8", "replace")
