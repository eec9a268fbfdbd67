"""Text formulas: how a spreadsheet keeps the zeros of 00123. It writes ="00123", or an apostrophe before the digits.

The first may be in any cell. The second counts only in the ID and the org, because names begin with apostrophes too.
"""

from sis_sync.engine.duckdb import Session
from sis_sync.engine.sql import literal
from sis_sync.steps.map.columns import Columns, source_positions
from sis_sync.steps.map.mapping import Mapping

_FORMULA = r'^\s*=\s*"([^"]*)"\s*$'
_APOSTROPHE = r"^\s*'([0-9])"
_NEUTRALISED_FORMULA = r"^'*\s*="  # our failed-rows file puts an apostrophe before a formula
_NUMBER_FIELDS = ("custom_id", "school_district_external_id")


def number_positions(columns: Columns, mapping: Mapping) -> frozenset[int]:
    """Return the columns from which the ID and the org are made."""
    return frozenset().union(*(source_positions(field, columns, mapping) for field in _NUMBER_FIELDS))


def find_text_formulas(session: Session, columns: Columns, mapping: Mapping, *, is_likely: bool) -> dict[int, int]:
    """Return the columns that have text formulas, with the first line of each.

    `is_likely`: an equals sign is before a quote somewhere in the file. Otherwise only apostrophes are searched for.
    """
    # The comparisons come first because they are cheaper than a pattern match: no usual ID begins so.
    tests = {
        place: [f"(c{place} < '(' AND c{place} <> '' AND has_match(c{place}, {literal(_APOSTROPHE)}))"]
        for place in number_positions(columns, mapping)
    }
    for place in columns.used if is_likely else ():
        is_formula = f"has_match(c{place}, {literal(_NEUTRALISED_FORMULA)})"
        tests.setdefault(place, []).append(f"(c{place} < '>' AND {is_formula} AND contains(c{place}, '\"'))")
    if not tests:
        return {}
    firsts = ", ".join(f"min(line) FILTER ({' OR '.join(each)})" for each in tests.values())
    found = session.rows(f"SELECT {firsts} FROM cells")[0]
    return {place: line for place, line in zip(tests, found, strict=True) if line is not None}


def without_formula(text: str, *, is_number: bool) -> str:
    """Return the SQL for a text without the signs of a text formula. `is_number`: it is an ID."""
    bare = f"replace_all({text}, {literal(_FORMULA)}, '\\1')"
    return f"replace_all({bare}, {literal(_APOSTROPHE)}, '\\1')" if is_number else bare
