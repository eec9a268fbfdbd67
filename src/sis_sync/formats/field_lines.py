"""The mapper lines of one field: what each kind of line changes in the field's rule."""

import difflib
import re
import unicodedata
from collections.abc import Collection
from dataclasses import replace
from typing import Any

from sis_sync.core.errors import ConfigurationError
from sis_sync.core.fields import FIELD_NAMES, PASSWORD
from sis_sync.formats.mapping import JUDGED_BY_LIST, PLACEHOLDER, FieldRule, Split
from sis_sync.formats.properties import Property

_SPLIT = re.compile(r'^(?P<header>.+),\s*(?P<side>before|after)\s+"(?P<separator>.+)"$')


def check_field(name: str, line: Property) -> None:
    """Raise ConfigurationError unless the line's field is one of ours."""
    known = (*FIELD_NAMES, PASSWORD)
    if name not in known:
        close = difflib.get_close_matches(name, known, n=1)
        raise ConfigurationError(
            f'Line {line.line}: {line.key} names the field "{name}", which is not one of ours.',
            fix=f"Did you mean {close[0]}?" if close else f"The fields are {', '.join(FIELD_NAMES)}.",
        )


def check_rest(kind: str, has_rest: bool, line: Property) -> None:
    """Raise ConfigurationError unless the key goes on after the field where it must, and only there."""
    if kind == "value" and not has_rest:
        fix = f"Write {line.key}.FROM=TO, {line.key}.=TO for the empty cell or {line.key}.*=TO for all others."
        raise ConfigurationError(f"Line {line.line}: {line.key} does not say which value becomes another.", fix=fix)
    if kind != "value" and has_rest:
        fix = f"End the key after the field; what a {kind} line takes stands after the equals sign."
        raise ConfigurationError(f"Line {line.line}: {line.key} goes on after the field.", fix=fix)


def folded(value: str) -> str:
    """The form in which the values of a file and of a line are compared: NFC, without case and outer white space."""
    return unicodedata.normalize("NFC", value.strip().lower())


def _column(rule: FieldRule, line: Property, _detail: str, _field: str) -> FieldRule:
    names = tuple(name.strip() for name in line.value.split("|") if name.strip())
    if not names:
        raise ConfigurationError(f"Line {line.line}: {line.key} names no header.", fix="Write the header of the file.")
    return replace(rule, columns=names)


def _constant(rule: FieldRule, line: Property, _detail: str, _field: str) -> FieldRule:
    return replace(rule, constant=line.value)


def _value(rule: FieldRule, line: Property, detail: str, field_name: str) -> FieldRule:
    if detail != "*":
        return replace(rule, values={**rule.values, folded(detail): line.value})
    if line.value == "error" and field_name not in JUDGED_BY_LIST:
        raise ConfigurationError(
            f"Line {line.line}: {line.key}=error works for {', '.join(JUDGED_BY_LIST)} only.",
            fix="Use keep or a value.",
        )
    return replace(rule, rest=line.value)


def _template(rule: FieldRule, line: Property, _detail: str, _field: str) -> FieldRule:
    _check_braces(line)
    return replace(rule, template=line.value)


def _default(rule: FieldRule, line: Property, _detail: str, _field: str) -> FieldRule:
    _check_braces(line)
    return replace(rule, default=line.value)


def _check_braces(line: Property) -> None:
    if "{" in PLACEHOLDER.sub("", line.value) or "}" in PLACEHOLDER.sub("", line.value):
        raise ConfigurationError(
            f'Line {line.line}: {line.key}: "{line.value}" has a brace that is not part of a {{name}}.',
            fix="Write {field}, {HEADER}, {field:lower} or {field:upper}.",
        )


def _pad(rule: FieldRule, line: Property, _detail: str, field_name: str) -> FieldRule:
    if field_name != "custom_id" or not re.fullmatch(r"[1-9][0-9]?", line.value) or int(line.value) > 64:
        raise ConfigurationError(
            f"Line {line.line}: {line.key}={line.value} cannot be followed: only custom_id is padded, to 1 to 64.",
            fix="Write mapper.NAME.pad.custom_id=6 for six digits.",
        )
    return replace(rule, pad=int(line.value))


def _split(rule: FieldRule, line: Property, _detail: str, _field: str) -> FieldRule:
    found = _SPLIT.match(line.value)
    if not found:
        raise ConfigurationError(
            f'Line {line.line}: {line.key}: "{line.value}" does not say how to split.',
            fix='Write HEADER, before "," or HEADER, after ",".',
        )
    return replace(rule, split=Split(found["header"].strip(), found["side"], found["separator"]))


def _first(rule: FieldRule, line: Property, _detail: str, _field: str) -> FieldRule:
    if not line.value:
        raise ConfigurationError(f"Line {line.line}: {line.key} names no separator.", fix="Write first.FIELD=,")
    return replace(rule, first=line.value)


RULES = {
    "column": _column,
    "constant": _constant,
    "value": _value,
    "template": _template,
    "default": _default,
    "pad": _pad,
    "split": _split,
    "first": _first,
}

# What a line of a mapping replaces of what it inherits for the field. A new template replaces nothing: it comes before
# all of it, may be built from it, and is left out in a file that lacks its columns.
_REPLACED = {
    "column": ("constant", "split", "template"),
    "constant": ("columns", "first", "split", "template"),
    "split": ("columns", "constant", "template"),
}


def inherited(rule: FieldRule, kinds: Collection[str]) -> FieldRule:
    """What stays of an inherited rule where lines of these kinds say anew where the field comes from."""
    lost = {part for kind in kinds for part in _REPLACED.get(kind, ())}
    if rule.constant == "":
        lost.discard("constant")  # it says that a file may lack the column: the other files of a bundle do
    nothing: dict[str, Any] = {part: getattr(FieldRule(), part) for part in lost}
    return replace(rule, **nothing)
