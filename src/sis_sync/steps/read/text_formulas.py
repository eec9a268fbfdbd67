"""Text formulas: how a spreadsheet keeps the zeros of 00123. It writes ="00123", or an apostrophe before the digits.

The first may be in any cell. The second counts only in the ID and the org, because names begin with apostrophes too.
"""

from sis_sync.engine.duckdb import Session
from sis_sync.engine.sql import literal
from sis_sync.steps.map.columns import Columns, source_positions
from sis_sync.steps.map.mapping import Mapping

_FORMULA = r'^="([^"]*)"$'
_APOSTROPHE = r"^'([0-9])"
_NEUTRALISED_FORMULA = r"^'+[\s\p{Z}\p{Cf}]*=\""  # our failed-rows file puts an apostrophe before a formula
_NUMBER_FIELDS = ("custom_id", "school_district_external_id")


def number_positions(columns: Columns, mapping: Mapping) -> frozenset[int]:
    """Return the columns from which the ID and the org are made."""
    return frozenset().union(*(source_positions(field, columns, mapping) for field in _NUMBER_FIELDS))


def find_text_formulas(session: Session, columns: Columns, mapping: Mapping, *, is_likely: bool) -> dict[int, int]:
    """Return the columns that have text formulas after their cells are trimmed, with the first line of each.

    `is_likely`: an equals sign is before a quote somewhere in the file. Otherwise only apostrophes are searched for.
    """
    patterns = {place: [_APOSTROPHE] for place in number_positions(columns, mapping)}
    for place in columns.used if is_likely else ():
        patterns.setdefault(place, []).append(_FORMULA)
        if columns.message_position is not None:
            patterns[place].append(_NEUTRALISED_FORMULA)
    found: dict[int, int] = {}
    for place, wanted in sorted(patterns.items()):
        cell = f"c{place}"
        # Most cells begin with a letter or a digit. The comparisons are cheaper than a pattern match.
        may_be = f"(({cell} < '(' AND {cell} <> '') OR ({cell} >= '=' AND {cell} < '>') OR {cell} >= '\x80')"
        tests = " OR ".join(f"has_match(clean({cell}), {literal(pattern)})" for pattern in wanted)
        line = session.value(f"SELECT min(line) FROM cells WHERE {may_be} AND ({tests})")
        if line is not None:
            found[place] = line
    return found


def without_formula(text: str) -> str:
    """Return the SQL for a clean text without the signs of a text formula."""
    return f"clean(replace_all({text}, {literal(_FORMULA)}, '\\1'))"


def without_apostrophe(text: str) -> str:
    """Return the SQL for a clean text, which is an ID, without the apostrophe before its digits."""
    return f"clean(replace_all({text}, {literal(_APOSTROPHE)}, '\\1'))"
