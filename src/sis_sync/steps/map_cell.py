"""What one line of a mapping makes of one value, as SQL text: first, split, value, pad."""

from collections.abc import Iterable

from sis_sync.core.fields import CUSTOM_ID_PLACEHOLDERS
from sis_sync.engine.sql import literal
from sis_sync.formats.mapping import FieldRule


def first_item(cell: str, separator: str) -> str:
    """What stands before the first separator; all of the cell where there is none."""
    return f"clean(split_part({cell}, {literal(separator)}, 1))"


def part(cell: str, side: str, separator: str) -> str:
    """One side of the first separator; where there is none, all of the cell is before it."""
    found = f"strpos({cell}, {literal(separator)})"
    if side == "before":
        return f"clean(CASE WHEN {found} = 0 THEN {cell} ELSE substr({cell}, 1, {found} - 1) END)"
    return f"clean(CASE WHEN {found} = 0 THEN '' ELSE substr({cell}, {found} + {len(separator)}) END)"


def compared(source: str, keys: Iterable[str]) -> str:
    """The source without case. Engines disagree about capitals outside ASCII, so those of the keys are named."""
    letters = sorted({letter for key in keys for letter in key if not letter.isascii()})
    pairs = [(letter.upper(), letter) for letter in letters if len(letter.upper()) == 1 and letter.upper() != letter]
    if not pairs:
        return f"fold({source})"
    capitals, small = ("".join(each) for each in zip(*pairs, strict=True))
    return f"lower(translate({source}, {literal(capitals)}, {literal(small)}))"


def replaced(name: str, rule: FieldRule, source: str) -> str:
    """The values as their lines say. The rest does not take in what is nothing: only `value.FIELD.=` maps that."""
    rest = source
    if rule.rest not in ("keep", "error"):
        is_something = f"{source} <> ''"
        if name == "custom_id":
            is_something += f" AND NOT upper({source}) IN {literal(CUSTOM_ID_PLACEHOLDERS)}"
        rest = f"CASE WHEN {is_something} THEN {_cleaned(rule.rest)} ELSE {source} END"
    if not rule.values:
        return rest
    cases = " ".join(f"WHEN {literal(value)} THEN {_cleaned(to)}" for value, to in rule.values.items())
    return f"CASE {compared(source, rule.values)} {cases} ELSE {rest} END"


def _cleaned(value: str) -> str:
    """A value of a line, normalised as those of the file are. In ASCII nothing is left to do: lines are trimmed."""
    return literal(value) if value.isascii() else f"clean({literal(value)})"


def padded(rule: FieldRule, source: str) -> str:
    """Zeros on the left, where the value is nothing but digits and no placeholder."""
    width = rule.pad or 0
    is_short_number = f"matches({source}, '[0-9]+') AND length({source}) < {width}"
    return (
        f"CASE WHEN {is_short_number} AND NOT {source} IN {literal(CUSTOM_ID_PLACEHOLDERS)} "
        f"THEN lpad({source}, {width}, '0') ELSE {source} END"
    )
