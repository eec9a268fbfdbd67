"""The header and the first records of a file, as far as a suggestion looks."""

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass

from sis_sync.core.fields import SECRET_HEADER_WORDS
from sis_sync.formats.header import comparable
from sis_sync.formats.synonyms import OTHER_PERSON_WORDS

_NOTE = re.compile(r"\s*\[[^\]]*\]\s*$")  # Google writes "First Name [Required]"


@dataclass(frozen=True)
class Sample:
    """`rows` are records below the header; a short one lacks its last cells."""

    header: Sequence[str]
    rows: Sequence[Sequence[str]]

    def cells(self, name: str) -> list[str]:
        """The cells of a column, trimmed; empty where a record ends before it."""
        position = list(self.header).index(name)
        return [row[position].strip() if position < len(row) else "" for row in self.rows]

    def values(self, name: str) -> list[str]:
        """The cells of a column that are not empty."""
        return [cell for cell in self.cells(name) if cell]

    def usable(self) -> list[str]:
        """The headers that a line may name: they stand once, hold no secret and are not of another person."""
        forms = [comparable(name) for name in self.header]
        return [name for name in self.header if _is_writable(name) and forms.count(comparable(name)) == 1]

    def of_others(self) -> list[str]:
        """The headers that speak of parents and other people than the one of the row."""
        return [name for name in self.header if _speaks_of(name, OTHER_PERSON_WORDS)]


def records_of(text: str, delimiter: str) -> list[list[str]]:
    """The records of a piece of text, header first; what stands after one that cannot be read is left out."""
    rows = []
    try:
        for row in csv.reader(text.splitlines(keepends=True), delimiter=delimiter):
            if row:
                rows.append(row)
    except csv.Error:  # a cell longer than the module reads
        return rows
    return rows


def bare(header: str) -> str:
    """A header as synonyms are compared: without the name of its table, a note in brackets and punctuation."""
    return comparable(_NOTE.sub("", header).rpartition(".")[2])


def _is_writable(name: str) -> bool:
    is_one_line = bool(comparable(name)) and not set(name) & set("|\r\n")
    return is_one_line and not _speaks_of(name, (*SECRET_HEADER_WORDS, *OTHER_PERSON_WORDS))


def _speaks_of(name: str, words: Sequence[str]) -> bool:
    return any(word in name.lower() for word in words)
