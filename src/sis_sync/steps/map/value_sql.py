"""SQL expressions for single values: parts, compared, replaced and padded values, days."""

import re
from collections.abc import Iterable

from sis_sync.core.placeholder_ids import CUSTOM_ID_PLACEHOLDERS
from sis_sync.engine.sql import literal
from sis_sync.steps.map.mapping import FieldRule
from sis_sync.steps.map.row_lines import DATE_PART

# What DuckDB calls the parts of a date format.
_STRPTIME = {"YYYY": "%Y", "YY": "%y", "MM": "%m", "M": "%m", "DD": "%d", "D": "%d"}
_DIGITS = {"YYYY": 4, "YY": 2}
# Many systems write a day as a point in time. The time of day is not read.
_TIME_OF_DAY = r"[ T][0-9]{1,2}:[0-9]{2}.*$"


def first_item(cell: str, separator: str) -> str:
    """Return the SQL for the text before the first separator, or the whole cell if there is none."""
    return f"clean(split_part({cell}, {literal(separator)}, 1))"


def part(cell: str, side: str, separator: str) -> str:
    """Return the SQL for one side of the first separator. Without one, the whole cell is before it."""
    found = f"strpos({cell}, {literal(separator)})"
    if side == "before":
        return f"clean(CASE WHEN {found} = 0 THEN {cell} ELSE substr({cell}, 1, {found} - 1) END)"
    return f"clean(CASE WHEN {found} = 0 THEN '' ELSE substr({cell}, {found} + {len(separator)}) END)"


def compared(source: str, keys: Iterable[str]) -> str:
    """Return the SQL for the source in lower case. Engines treat non-ASCII capitals differently, so it lists them."""
    letters = sorted({letter for key in keys for letter in key if not letter.isascii()})
    pairs = [(letter.upper(), letter) for letter in letters if len(letter.upper()) == 1 and letter.upper() != letter]
    if not pairs:
        return f"fold({source})"
    capitals, small = ("".join(each) for each in zip(*pairs, strict=True))
    return f"lower(translate({source}, {literal(capitals)}, {literal(small)}))"


def is_one_of(source: str, values: Iterable[str], *, text: str = "") -> str:
    """Return the SQL that is TRUE if the source is one of the values of a line, in which `*` matches any text.

    Inside a value it matches an empty text too, but `*` alone does not match an empty cell. `text` is the source as
    `compared` with these values and perhaps others.
    """
    values = tuple(values)
    text = text or compared(source, values)
    plain = tuple(value for value in values if "*" not in value)
    tests = [f"{text} IN {literal(plain)}"] if plain else []
    patterns = (re.sub(r"([\\%_])", r"\\\1", value).replace("*", "%") for value in values if "*" in value)
    tests += [f"({source} <> '' AND {text} LIKE {literal(pattern)} ESCAPE '\\')" for pattern in patterns]
    return f"({' OR '.join(tests)})"


def replaced(name: str, rule: FieldRule, source: str) -> str:
    """Return the SQL that applies the value lines. `value.FIELD.*` does not apply to an empty cell or a placeholder."""
    rest = source
    if rule.rest not in ("keep", "error"):
        is_something = f"{source} <> ''"
        if name == "custom_id":
            is_something += f" AND NOT {is_placeholder(source)}"
        rest = f"CASE WHEN {is_something} THEN {_cleaned(rule.rest)} ELSE {source} END"
    if not rule.values:
        return rest
    cases = " ".join(f"WHEN {literal(value)} THEN {_cleaned(to)}" for value, to in rule.values.items())
    return f"CASE {compared(source, rule.values)} {cases} ELSE {rest} END"


def is_placeholder(value: str) -> str:
    """Return the SQL of `is_placeholder_id`. It is TRUE for an empty value too."""
    words = literal(tuple(word.lower() for word in CUSTOM_ID_PLACEHOLDERS))
    signs = f"{value} LIKE '=%' OR ({value} LIKE '##%' AND replace({value}, '#', '') = '')"
    return f"(fold({value}) IN {words} OR replace({value}, '0', '') = '' OR {signs})"


def _cleaned(value: str) -> str:
    """Return the value of a mapping line as SQL, in NFC like the file. Lines are trimmed, so ASCII needs nothing."""
    return literal(value) if value.isascii() else f"clean({literal(value)})"


def padded(rule: FieldRule, source: str) -> str:
    """Return the SQL that pads a value with zeros if it is only digits and not a placeholder."""
    if not rule.pad:
        return source
    width = rule.pad
    is_short_number = f"matches({source}, '[0-9]+') AND length({source}) < {width}"
    return (
        f"CASE WHEN {is_short_number} AND NOT {is_placeholder(source)} "
        f"THEN lpad({source}, {width}, '0') ELSE {source} END"
    )


def day_of(cell: str, date_format: str) -> str:
    """Return the SQL for the day in a cell, NULL if it is empty or not a day in this format."""
    text = f"regexp_replace({cell}, {literal(_TIME_OF_DAY)}, '')"
    written = f"CASE WHEN matches({text}, {literal(_shape_of(date_format))}) THEN {text} END"
    strptime_format = DATE_PART.sub(lambda found: _STRPTIME[found[0]], date_format.replace("%", "%%"))
    return f"CAST(try_strptime({written}, {literal(strptime_format)}) AS DATE)"


def _shape_of(date_format: str) -> str:
    """Return a pattern with the digits of each part. Next to a separator, a day or month may lack its zero."""
    shape, end = "", 0
    parts = list(DATE_PART.finditer(date_format))
    is_apart = len({border for part in parts for border in part.span()}) == 2 * len(parts)
    for part in parts:
        digits = _DIGITS.get(part[0])
        shape += re.escape(date_format[end : part.start()])
        shape += f"[0-9]{{{digits}}}" if digits else "[0-9]{1,2}" if is_apart else "[0-9]{2}"
        end = part.end()
    return shape + re.escape(date_format[end:])
