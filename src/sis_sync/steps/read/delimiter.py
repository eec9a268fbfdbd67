"""The delimiter: the character that splits the header of the file into the most known names."""

from sis_sync.steps.map.columns import find_columns, fitting_variants
from sis_sync.steps.map.mapping import Mapping
from sis_sync.steps.read.quotes import Buffer, split_record

DELIMITERS = {",": "comma", "\t": "tab", ";": "semicolon", "|": "bar"}


def delimiter_called(word: str) -> str:
    """Return the delimiter with this name: a comma for `comma`."""
    return next(character for character, name in DELIMITERS.items() if name == word)


def split_by_best_delimiter(data: Buffer, start: int, mapping: Mapping) -> tuple[str, list[str]]:
    """Return the delimiter of the header that starts at this offset, and the names in it. In a tie, the first wins."""
    candidates = []
    for delimiter in DELIMITERS:
        cells = split_record(data, start, ord(delimiter), None).cells
        names = [cell.decode("utf-8", "backslashreplace") for cell in cells]
        known = max(len(find_columns(names, variant).used) for variant in fitting_variants(mapping, names))
        candidates.append((known, delimiter, names))
    _, delimiter, names = max(candidates, key=lambda candidate: candidate[0])
    return delimiter, names
