"""Read a CSV file strictly, record by record. Errors name the line and the fault, which the engine does not."""

import csv
from collections.abc import Iterator
from pathlib import Path

from sis_sync.core.errors import ConfigurationError
from sis_sync.core.wording import counted, shown


def tidied(path: Path, target: Path) -> Path:
    """Write the same records, with one kind of line end, to `target`, and return `target`. Raise ConfigurationError.

    This is slow: use it only for a file that the engine refused.
    """
    with target.open("w", encoding="utf-8", newline="") as out:
        csv.writer(out, lineterminator="\n").writerows(cells for _, cells in records_of(path))
    return target


def records_of(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield each record of a CSV file with its first line number, header first. All are as wide as the header.

    Raise ConfigurationError with file, line, fault and fix, and OSError if the file cannot be opened.
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
                f"{shown(path.name)} line {line}: a quotation mark is not closed, or text follows a closing one.",
                fix='Put the whole value between two marks, and double those inside it: "the ""new"" wing".',
            ) from error
        except UnicodeDecodeError as error:
            raise ConfigurationError(
                f"{shown(path.name)}, after line {line}: bytes that are not UTF-8.", fix="Save the file as CSV UTF-8."
            ) from error


def _refuse_ragged(path: Path, line: int, record: list[str], width: int) -> None:
    if len(record) != width:
        raise ConfigurationError(
            f"{shown(path.name)} line {line} has {counted(len(record), 'column', 'columns')}, its header has {width}.",
            fix="Correct the number of columns; put a value with a comma between quotation marks.",
        )
