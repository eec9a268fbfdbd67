"""A sample of a file: its header and first records. Suggestions are made from it."""

import csv
import functools
import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sis_sync.core.errors import FileRefused
from sis_sync.core.reading_options import DELIMITERS, MAPPING_OPTIONS, NOTHING_SAID, ReadingOptions
from sis_sync.steps.map.columns import comparable
from sis_sync.steps.map.secret_columns import names_secret
from sis_sync.steps.map.suggest.by_content import is_address, is_date
from sis_sync.steps.map.suggest.header_words import STAFF_WORDS, STUDENT_WORDS, words_of
from sis_sync.steps.map.suggest.known_names import called, is_known
from sis_sync.steps.map.suggest.proposal import shown
from sis_sync.steps.map.synonyms import CLASS_NAMES, SYNONYMS
from sis_sync.steps.read.encoding import detect_encoding
from sis_sync.steps.read.file_kind import head_of, refuse_unless_text

_BYTES = 256 * 1024
_MAX_LINES_ABOVE = 20  # a report has few title lines
_MIN_REPEATED = 2  # cells of a first row that are also below it: it is then a person
_PUPIL_SIGNS = (*SYNONYMS["grade"], *CLASS_NAMES)


@dataclass(frozen=True)
class Sample:
    """`rows` are the records after the header, which is on `line`; a short one lacks its last cells.

    Without a header, the columns are called "column 1" and so on. `hidden` are headers that other lines read,
    `said` the reading options that someone said, as the keys and values of lines.
    """

    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    line: int = 1
    has_header: bool = True
    hidden: frozenset[str] = frozenset()
    said: tuple[tuple[str, str], ...] = ()

    def cells(self, name: str) -> list[str]:
        """Return the cells of a column, trimmed; empty for a record that ends before it."""
        position = list(self.header).index(name)
        return [row[position].strip() if position < len(row) else "" for row in self.rows]

    def values(self, name: str) -> list[str]:
        """Return the cells of a column that are not empty."""
        return [cell for cell in self.cells(name) if cell]

    @functools.cached_property
    def usable(self) -> list[str]:
        """The headers that a line may name: found once, and not about a secret or another person."""
        names = [name for name in self._names if shown(name) not in self.hidden]
        return [name for name in names if name not in self.twice and not self._is_of_another(name)]

    @functools.cached_property
    def twice(self) -> list[str]:
        """The headers of several columns with different cells: the file is refused if a line names one."""
        forms = [comparable(name) for name in self.header]
        return [name for name in self._names if forms.count(comparable(name)) > 1 and not self._are_equal(name)]

    @property
    def of_others(self) -> list[str]:
        """The headers about parents and other people, not the person of the row."""
        return [name for name in self.header if words_of(name).is_of_another]

    @functools.cached_property
    def is_of_students(self) -> bool:
        """True if the headers speak of pupils: with such words, or with grades, classes and parents."""
        words = {word for name in self.header for word in (*words_of(name).who, *words_of(name).words)}
        if words & STUDENT_WORDS:
            return True
        others = [name for name in self.of_others if name not in called(self.header, CLASS_NAMES)]
        return not words & STAFF_WORDS and bool(called(self.header, _PUPIL_SIGNS) or others)

    @functools.cached_property
    def _names(self) -> list[str]:
        first = {comparable(name): name for name in reversed(self.header) if comparable(name)}
        return [
            name for name in dict.fromkeys(self.header) if first.get(comparable(name)) == name and _is_writable(name)
        ]

    def _are_equal(self, name: str) -> bool:
        places = [place for place, each in enumerate(self.header) if comparable(each) == comparable(name)]
        return all(len({row[place].strip() for place in places if place < len(row)}) <= 1 for row in self.rows)

    def _is_of_another(self, name: str) -> bool:
        words = words_of(name)
        is_of_staff = self.is_of_students and bool(words.who & STAFF_WORDS) and not words.who & STUDENT_WORDS
        return words.is_of_another or is_of_staff


def read_sample(path: Path, options: ReadingOptions = NOTHING_SAID) -> Sample:
    """Return the header and the records of the first 256 KB. Raise FileRefused if there is no file, text or header."""
    head = head_of(path, _BYTES)
    refuse_unless_text(head)
    text = head.decode(detect_encoding(path, options).name, "replace").removeprefix("\ufeff").replace("\0", "")
    sample = _best_sample(text, options)
    if sample is None:
        raise FileRefused("file.empty", "The file contains only white space.", fix="Check the export in the SIS.")
    is_cut = len(head) == _BYTES  # then the last record may be half of one
    said = tuple((key, word) for key, word in options.as_words().items() if key in MAPPING_OPTIONS)
    rows = sample.rows[:-1] if is_cut else sample.rows
    people = [row for row in rows if sum(map(bool, map(str.strip, row))) > 1 or len(sample.header) == 1]  # no footer
    return replace(sample, rows=people, said=said)


def _best_sample(text: str, options: ReadingOptions) -> Sample | None:
    """Return the sample whose header has the most known names, or the most cells if none is known."""
    best, most = None, (-1, 0)
    for delimiter in (mark for mark, word in DELIMITERS.items() if options.delimiter in ("", word)):
        lines, records = _records_of(text, delimiter)
        if options.has_no_header and records:
            return _of_people(records, lines[0], options.columns)
        for place, record in enumerate(records[:_MAX_LINES_ABOVE]):
            if options.header_line not in (None, lines[place]):
                continue
            known = len({comparable(cell) for cell in record if is_known(cell)})
            if (known, len(record) if known or not place else 0) > most:
                most = (known, len(record))
                best = Sample(record, records[place + 1 :], lines[place])
    is_person = best is not None and _is_person(best, known=most[0])
    return _of_people([best.header, *best.rows], best.line, ()) if best is not None and is_person else best


def _is_person(sample: Sample, *, known: int) -> bool:
    """Return True if the line taken for the header is a person: no proposal may print its cells.

    A header has more known names than cells that could be a person's.
    """
    below: list[set[str]] = [set() for _ in sample.header]
    for row in sample.rows:
        if list(row) != list(sample.header):
            for values, cell in zip(below, row, strict=False):
                values.add(cell.strip())
    repeated = sum(
        bool(cell.strip()) and cell.strip() in values for cell, values in zip(sample.header, below, strict=True)
    )
    personal = sum(is_address(cell) or is_date(cell) or cell.strip().isdigit() for cell in sample.header)
    return personal + (repeated if repeated >= _MIN_REPEATED else 0) > known


def _of_people(records: Sequence[Sequence[str]], line: int, columns: Sequence[str]) -> Sample:
    """Return the sample of a file without a header."""
    names = columns or [f"column {number}" for number in range(1, len(records[0]) + 1)]
    return Sample(list(names), list(records), line, has_header=False)


def _records_of(text: str, delimiter: str) -> tuple[list[int], list[list[str]]]:
    """Return the line on which each record starts, and the records, up to one that cannot be read."""
    lines: list[int] = []
    rows: list[list[str]] = []
    reader = csv.reader(io.StringIO(text, newline=None), delimiter=delimiter)
    start = 1
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                lines.append(start)
                rows.append(row)
            start = reader.line_num + 1
    except csv.Error:  # a cell longer than the module reads
        return lines, rows
    return lines, rows


def _is_writable(name: str) -> bool:
    return bool(comparable(name)) and "|" not in name and not names_secret(name)
