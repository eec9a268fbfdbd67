"""Made values: which lines of a mapping made the values of a row, so that a message can say where to correct them.

The column `made` of a roster has one letter for each field of `makers_of`: the letter of the kind of line, or a blank
for a value of the file. Letters, because a text for each row of a large file would take too much memory.
"""

from dataclasses import dataclass
from typing import Literal

from sis_sync.core.fields import FIELD_NAMES
from sis_sync.core.findings import FINDING_CODES
from sis_sync.steps.map.columns import Columns, can_create, can_fill
from sis_sync.steps.map.mapping import Mapping

# In this order: of the lines for one field, the first one that applied made the value.
Kind = Literal["create", "value", "rest", "template", "default", "dates", "constant", "split"]
LETTERS: dict[Kind, str] = {
    "create": "n",
    "value": "v",
    "rest": "r",
    "template": "t",
    "default": "d",
    "dates": "y",
    "constant": "c",
    "split": "s",
}


@dataclass(frozen=True)
class MadeBy:
    """A line that may have made the value of a field whose faults have this code.

    `place` is that of the field's letter in `made`, from 1. If `says_value`, the value follows `line`.
    """

    code: str
    place: int
    letter: str
    line: str
    says_value: bool


def makers_of(columns: Columns, mapping: Mapping) -> dict[str, tuple[Kind, ...]]:
    """Return the kinds of lines that may make a value of each field. Fields of the file alone are left out."""
    found = {name: tuple(_kinds(name, columns, mapping)) for name in FIELD_NAMES}
    return {name: kinds for name, kinds in found.items() if kinds}


def made_by_lines(columns: Columns, mapping: Mapping) -> tuple[MadeBy, ...]:
    """Return the lines that may have made a wrong value, for each code of the fields that they make."""
    # A value line is named by its value, since several lines may say the same.
    lines = {"value": "value.FIELD...=", "rest": "value.FIELD.*"}
    return tuple(
        MadeBy(
            code.code,
            place,
            LETTERS[kind],
            f"mapper.{mapping.name}.{lines.get(kind, f'{kind}.FIELD').replace('FIELD', field)}",
            says_value=kind == "value",
        )
        for place, (field, kinds) in enumerate(makers_of(columns, mapping).items(), start=1)
        for kind in kinds
        for code in FINDING_CODES.values()
        if code.column == field
    )


def _kinds(name: str, columns: Columns, mapping: Mapping) -> list[Kind]:
    rule = mapping.rule(name)
    if rule.create is not None and can_create(rule.create, columns, mapping):
        return ["create"]
    kinds: list[Kind] = []
    if rule.values:
        kinds.append("value")
    if rule.rest not in ("keep", "error"):
        kinds.append("rest")
    if rule.template is not None and can_fill(rule.template, columns, mapping):
        kinds.append("template")
    elif rule.default is not None and name != "custom_id" and can_fill(rule.default, columns, mapping):
        kinds.append("default")
    if name == "status" and mapping.dates.headers():
        kinds.append("dates")
    elif rule.constant is not None and name not in columns.of_field:
        kinds.append("constant")
    elif rule.split and columns.position_of(rule.split.header) is not None:
        kinds.append("split")
    return kinds
