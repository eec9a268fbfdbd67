"""A sample of a file: its header and first records. Suggestions are made from it."""

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sis_sync.core.errors import FileRefused
from sis_sync.core.reading_options import DELIMITERS, NOTHING_SAID, ReadingOptions
from sis_sync.steps.map.columns import comparable, names_secret
from sis_sync.steps.map.synonyms import OTHER_PERSON_WORDS
from sis_sync.steps.read.encoding import detect_encoding
from sis_sync.steps.read.file_kind import head_of, refuse_unless_text

_BYTES = 256 * 1024
_NOTE = re.compile(r"\s*\[[^\]]*\]\s*$")  # Google writes "First Name [Required]"


@dataclass(frozen=True)
class Sample:
    """`rows` are the records after the header; a short one lacks its last cells."""

    header: Sequence[str]
    rows: Sequence[Sequence[str]]

    def cells(self, name: str) -> list[str]:
        """Return the cells of a column, trimmed; empty for a record that ends before it."""
        position = list(self.header).index(name)
        return [row[position].strip() if position < len(row) else "" for row in self.rows]

    def values(self, name: str) -> list[str]:
        """Return the cells of a column that are not empty."""
        return [cell for cell in self.cells(name) if cell]

    def usable(self) -> list[str]:
        """Return the headers that a line may name: they are unique, and not about a secret or another person."""
        forms = [comparable(name) for name in self.header]
        return [name for name in self.header if _is_writable(name) and forms.count(comparable(name)) == 1]

    def of_others(self) -> list[str]:
        """Return the headers about parents and other people, not the person of the row."""
        return [name for name in self.header if _speaks_of(name, OTHER_PERSON_WORDS)]


def read_sample(path: Path, options: ReadingOptions = NOTHING_SAID) -> Sample:
    """Return the header and the records of the first 256 KB. Raise FileRefused if there is no file, text or header."""
    head = head_of(path, _BYTES)
    refuse_unless_text(head)
    text = head.decode(detect_encoding(path, options).name, "replace").removeprefix("\ufeff").replace("\0", "")
    first = next((line for line in text.splitlines() if line.strip()), "")
    rows = _records_of(text, max(DELIMITERS, key=first.count)) if first else []
    if not rows:
        raise FileRefused("file.empty", "The file contains only white space.", fix="Check the export in the SIS.")
    is_cut = len(head) == _BYTES  # then the last record may be half of one
    return Sample(rows[0], rows[1:-1] if is_cut else rows[1:])


def _records_of(text: str, delimiter: str) -> list[list[str]]:
    """Return the records of a text, header first, up to one that cannot be read."""
    rows = []
    try:
        for row in csv.reader(text.splitlines(keepends=True), delimiter=delimiter):
            if row:
                rows.append(row)
    except csv.Error:  # a cell longer than the module reads
        return rows
    return rows


def bare(header: str) -> str:
    """Return a header for comparing with synonyms: without table name, note in brackets and punctuation."""
    return comparable(_NOTE.sub("", header).rpartition(".")[2])


def _is_writable(name: str) -> bool:
    is_one_line = bool(comparable(name)) and not set(name) & set("|\r\n")
    return is_one_line and not names_secret(name) and not _speaks_of(name, OTHER_PERSON_WORDS)


def _speaks_of(name: str, words: Sequence[str]) -> bool:
    return any(word in name.lower() for word in words)
