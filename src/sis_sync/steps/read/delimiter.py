"""The delimiter: the one that someone named, or the one that splits the header into the most known names."""

from collections.abc import Iterator

from sis_sync.core.errors import FileRefused
from sis_sync.core.reading_options import DELIMITERS, ReadingOptions
from sis_sync.steps.map.columns import find_columns, fitting_variants
from sis_sync.steps.map.mapping import Mapping
from sis_sync.steps.read.quotes import Buffer, split_record
from sis_sync.steps.read.shape import Shape, header_shape

_LINES_TRIED = 20


def best_split(data: Buffer, start: int, mapping: Mapping, options: ReadingOptions) -> tuple[str, list[str]]:
    """Return the delimiter of the header that starts at this offset, and the names in it.

    If no name is known under any delimiter, the one with the most names wins. In a tie, the first wins.
    """
    candidates = []
    for delimiter in _possible(options):
        cells = split_record(data, start, header_shape(delimiter, options)).cells
        names = [cell.decode("utf-8", "backslashreplace") for cell in cells]
        known = max(len(find_columns(names, variant).used) for variant in fitting_variants(mapping, names))
        candidates.append((known, 0 if known else len(names), delimiter, names))
    *_, delimiter, names = max(candidates, key=lambda candidate: candidate[:2])
    return delimiter, names


def delimiter_for_columns(data: Buffer, start: int, options: ReadingOptions) -> str:
    """Return the delimiter under which most of the first lines have as many cells as there are named columns.

    Raise FileRefused (`file.header_missing`) if no line has as many under any delimiter.
    """
    wanted = len(options.columns)
    shapes = {each: header_shape(each, options) for each in _possible(options)}
    widths = {
        each: [_width(record, wanted) for record in first_records(data, start, shape)] for each, shape in shapes.items()
    }
    delimiter = max(widths, key=lambda each: widths[each].count(wanted))
    if wanted in widths[delimiter]:
        return delimiter
    if any(widths.values()):
        most = max(width for counts in widths.values() for width in counts)
        message = f"{wanted} columns were named, but the first lines of the file have at most {most}"
        raise FileRefused(
            "file.header_missing", f"{message}.", line=1, fix="Name every column of the file in order: A | B | C."
        )
    return delimiter  # an empty file, which another step refuses


def _width(cells: tuple[bytes, ...], wanted: int) -> int:
    """Return the number of cells. Empty ones at the end, beyond the columns, do not count."""
    return len(cells) if any(map(bytes.strip, cells[wanted:])) else min(len(cells), wanted)


def _possible(options: ReadingOptions) -> tuple[str, ...]:
    return tuple(each for each, word in DELIMITERS.items() if options.delimiter in ("", word))


def first_records(data: Buffer, start: int, shape: Shape) -> Iterator[tuple[bytes, ...]]:
    """Yield the cells of the first records, without blank lines and records that cannot be split."""
    for _ in range(_LINES_TRIED):
        if start >= len(data):
            return
        record = split_record(data, start, shape)
        start = record.end
        if not record.fault and any(map(bytes.strip, record.cells)):
            yield record.cells
