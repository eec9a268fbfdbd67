"""Text formulas: how a spreadsheet keeps the zeros of 00123. It writes ="00123", or an apostrophe before the digits.

The first may be in any cell. The second counts only in the ID and the org, because names begin with apostrophes too.
"""

from sis_sync.engine.duckdb import Session
from sis_sync.engine.sql import literal
from sis_sync.steps.map.columns import Columns, source_positions
from sis_sync.steps.map.mapping import Mapping

_FORMULA = r'^\s*=\s*"([^"]*)"\s*$'
_APOSTROPHE = r"^\s*'([0-9])"
_NEUTRALISED_FORMULA = r"^'+\s*="  # our failed-rows file puts an apostrophe before a formula
# What the cells begin with and the character after it: the engine skips whole blocks of cells that do not.
_FIRST = {_FORMULA: ("=", ">"), _APOSTROPHE: ("'", "("), _NEUTRALISED_FORMULA: ("'", "(")}
_NUMBER_FIELDS = ("custom_id", "school_district_external_id")


def number_positions(columns: Columns, mapping: Mapping) -> frozenset[int]:
    """Return the columns from which the ID and the org are made."""
    return frozenset().union(*(source_positions(field, columns, mapping) for field in _NUMBER_FIELDS))


def find_text_formulas(session: Session, columns: Columns, mapping: Mapping, *, is_likely: bool) -> dict[int, int]:
    """Return the columns that have text formulas, with the first line of each.

    `is_likely`: an equals sign is before a quote somewhere in the file. Otherwise only apostrophes are searched for.
    """
    patterns = {place: [_APOSTROPHE] for place in number_positions(columns, mapping)}
    for place in columns.used if is_likely else ():
        patterns.setdefault(place, []).append(_FORMULA)
        if columns.message_position is not None:
            patterns[place].append(_NEUTRALISED_FORMULA)
    found = {place: [_first_line(session, place, each) for each in wanted] for place, wanted in patterns.items()}
    lines = {place: [line for line in each if line is not None] for place, each in found.items()}
    return {place: min(each) for place, each in sorted(lines.items()) if each}


def _first_line(session: Session, place: int, pattern: str) -> int | None:
    """Return the first line whose cell in this column has the pattern, or None."""
    first, after = _FIRST[pattern]
    line: int | None = session.value(
        f"SELECT min(line) FROM cells WHERE c{place} >= :first AND c{place} < :after AND has_match(c{place}, :pattern)",
        first=first,
        after=after,
        pattern=pattern,
    )
    return line


def without_formula(text: str, *, is_number: bool) -> str:
    """Return the SQL for a text without the signs of a text formula. `is_number`: it is an ID."""
    bare = f"replace_all({text}, {literal(_FORMULA)}, '\\1')"
    return f"replace_all({bare}, {literal(_APOSTROPHE)}, '\\1')" if is_number else bare
