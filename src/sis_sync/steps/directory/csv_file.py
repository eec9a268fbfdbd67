"""Tidy: an orgs or accounts file that the engine cannot read, with one kind of line end; or what is wrong with it."""

import csv
from collections.abc import Iterator
from pathlib import Path

from sis_sync.core.errors import ConfigurationError
from sis_sync.core.wording import shown


def tidied(path: Path, target: Path) -> Path:
    """The same records in `target`. ConfigurationError that names file, line, what is wrong and what would be right.

    The slow way: only for files that the engine refused.
    """
    with target.open("w", encoding="utf-8", newline="") as out:
        csv.writer(out, lineterminator="\n").writerows(cells for _, cells in records_of(path))
    return target


def records_of(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Each record of a CSV file with the line on which it starts, header first, all as wide as the header.

    ConfigurationError that names file, line, what is wrong and what would be right; OSError where it cannot be opened.
    """
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, strict=True)
        line, width = 1, 0
        try:
            for record in reader:
                if record:
                    width = width or len(record)
                    _refuse_ragged(path, line, record, width)
                    yield line, record
                line = reader.line_num + 1
        except csv.Error as error:
            raise ConfigurationError(
                f"{shown(path.name)} line {line}: a quotation mark is not closed, or more follows behind one.",
                fix='Put the whole value between two marks, and double those inside it: "the ""new"" wing".',
            ) from error
        except UnicodeDecodeError as error:
            raise ConfigurationError(
                f"{shown(path.name)}, after line {line}: bytes that are no UTF-8.", fix="Save the file as CSV UTF-8."
            ) from error


def _refuse_ragged(path: Path, line: int, record: list[str], width: int) -> None:
    if len(record) != width:
        raise ConfigurationError(
            f"{shown(path.name)} line {line} has {len(record)} columns, its header has {width}.",
            fix="Give the line as many columns; a value with a comma stands between quotation marks.",
        )
