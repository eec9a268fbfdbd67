"""The mapper lines of one field, and their faults: column, constant, template and so on."""

import difflib
import re
import unicodedata
from collections.abc import Callable
from dataclasses import replace

from sis_sync.core.errors import ConfigurationError
from sis_sync.core.fields import FIELD_NAMES, PASSWORD
from sis_sync.core.limits import TEMPLATE_NAMES
from sis_sync.steps.map.mapping import JUDGED_BY_LIST, PLACEHOLDER, FieldRule, Split
from sis_sync.steps.map.properties import Property

_SPLIT = re.compile(r'^(?P<header>.+),\s*(?P<side>before|after)\s+"(?P<separator>.+)"$')
_PADDED = ("custom_id", "school_district_external_id")
MOST_DIGITS = 64  # of a padded ID
# The words of a template, each after a colon. `first` and `last` are followed by a number of letters.
PLAIN_WORDS = ("ascii", "letters", "lower", "upper")
COUNTING_WORDS = ("first", "last")
_COUNTING_WORD = re.compile(rf"({'|'.join(COUNTING_WORDS)}) ([1-9][0-9]{{0,2}})")


def with_field_line(rule: FieldRule, kind: str, target: str, line: Property) -> FieldRule:
    """Return the rule of a field with this line. Raise ConfigurationError for a wrong line."""
    field_name, dot, detail = target.partition(".")
    _check_rest(kind, bool(dot), line)
    return FIELD_KINDS[kind](rule, line, detail, field_name)


def check_field(name: str, line: Property) -> None:
    """Raise ConfigurationError unless the line names one of our fields."""
    known = (*FIELD_NAMES, PASSWORD)
    if name not in known:
        close = difflib.get_close_matches(name, known, n=1)
        raise ConfigurationError(
            f'Line {line.line}: {line.key} names the field "{name}", which is not one of ours.',
            fix=f"Did you mean {close[0]}?" if close else f"The fields are {', '.join(FIELD_NAMES)}.",
        )


def _check_rest(kind: str, has_rest: bool, line: Property) -> None:
    """Raise ConfigurationError if the key of a value line ends with the field, or the key of another line does not."""
    if kind == "value" and not has_rest:
        fix = f"Write {line.key}.FROM=TO, {line.key}.=TO for the empty cell or {line.key}.*=TO for all others."
        raise ConfigurationError(f"Line {line.line}: {line.key} does not say which value becomes another.", fix=fix)
    if kind != "value" and has_rest:
        fix = f"End the key after the field; the text of a {kind} line is after the equals sign."
        raise ConfigurationError(f"Line {line.line}: {line.key} continues after the field.", fix=fix)


def _column(rule: FieldRule, line: Property, _detail: str, _field: str) -> FieldRule:
    names = tuple(name.strip() for name in line.value.split("|") if name.strip())
    if not names:
        raise ConfigurationError(f"Line {line.line}: {line.key} names no header.", fix="Write the header of the file.")
    return replace(rule, columns=names)


def _value(rule: FieldRule, line: Property, detail: str, field_name: str) -> FieldRule:
    if detail != "*":
        return replace(rule, values={**rule.values, folded(detail): line.value})
    if line.value == "error" and field_name not in JUDGED_BY_LIST:
        raise ConfigurationError(
            f"Line {line.line}: {line.key}=error works for {', '.join(JUDGED_BY_LIST)} only.",
            fix="Use keep or a value.",
        )
    return replace(rule, rest=line.value)


def _create(rule: FieldRule, line: Property, _detail: str, field_name: str) -> FieldRule:
    _refuse_always_read(line, field_name)
    return replace(rule, create=_template_in(line))


def _keep(rule: FieldRule, line: Property, _detail: str, field_name: str) -> FieldRule:
    _refuse_always_read(line, field_name)
    if line.value:
        raise ConfigurationError(
            f"Line {line.line}: {line.key}={line.value}: a keep line has no value, because accounts keep theirs.",
            fix=f"Write {line.key}= and, for the value of newcomers, {line.key.replace('.keep.', '.create.')}=VALUE.",
        )
    return replace(rule, keep=True)


def _refuse_always_read(line: Property, field_name: str) -> None:
    """Raise ConfigurationError for the ID, which identifies the account, and the password, which is never kept."""
    if field_name in ("custom_id", PASSWORD):
        why = "rows are matched by it" if field_name == "custom_id" else "it is used for newcomers anyway"
        raise ConfigurationError(
            f"Line {line.line}: {line.key}: accounts cannot keep their {field_name}: {why}.",
            fix=f"Use column.{field_name} for the column that has it.",
        )


def _template_in(line: Property) -> str:
    """Return the template of a line. Raise ConfigurationError for a brace or a word that is none."""
    if "{" in PLACEHOLDER.sub("", line.value) or "}" in PLACEHOLDER.sub("", line.value):
        raise ConfigurationError(
            f'Line {line.line}: {line.key}: "{line.value}" has a brace that is not part of a {{name}}.',
            fix="Write {field}, {HEADER}, {field:lower} or {field:upper}.",
        )
    placeholders = FieldRule.placeholders(line.value)
    if len(placeholders) > TEMPLATE_NAMES:
        raise ConfigurationError(
            f"Line {line.line}: {line.key} has more than {TEMPLATE_NAMES} names in braces.", fix="Leave some out."
        )
    for word in (word for placeholder in placeholders for word in placeholder.words):
        if word not in PLAIN_WORDS and not _COUNTING_WORD.fullmatch(word):
            close = difflib.get_close_matches(word.lower().split(" ")[0], (*PLAIN_WORDS, *COUNTING_WORDS), n=1)
            all_words = ", ".join((*PLAIN_WORDS, *(f"{name} 3" for name in COUNTING_WORDS)))
            example = f"{close[0]} 3" if close and close[0] in COUNTING_WORDS else "".join(close)
            raise ConfigurationError(
                f'Line {line.line}: {line.key}: "{word}" is not a word of a template.',
                fix=f"Did you mean {example}?" if close else f"The words are {all_words}.",
            )
    if any(len(placeholder.words) > TEMPLATE_NAMES for placeholder in placeholders):
        raise ConfigurationError(
            f"Line {line.line}: {line.key} has more than {TEMPLATE_NAMES} words after one name.", fix="Leave some out."
        )
    return line.value


def _pad(rule: FieldRule, line: Property, _detail: str, field_name: str) -> FieldRule:
    is_width = re.fullmatch(r"[1-9][0-9]?", line.value) and int(line.value) <= MOST_DIGITS
    if field_name not in _PADDED or not is_width:
        raise ConfigurationError(
            f"Line {line.line}: {line.key}={line.value} cannot be followed: only {' and '.join(_PADDED)} are padded, "
            f"to 1 to {MOST_DIGITS}.",
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


def _decode(rule: FieldRule, line: Property, _detail: str, field_name: str) -> FieldRule:
    if line.value.lower() != "html":
        raise ConfigurationError(
            f'Line {line.line}: {line.key}: there is no decoding "{line.value}".', fix=f"Write {line.key}=html."
        )
    if field_name in ("custom_id", PASSWORD):
        raise ConfigurationError(
            f"Line {line.line}: {line.key}: {field_name} is compared as it is and never decoded.",
            fix="Decode the names only; correct the export for other columns.",
        )
    return replace(rule, decodes_html=True)


# Each handler takes the rule so far, the line, the end of its key after the field, and the field.
FIELD_KINDS: dict[str, Callable[[FieldRule, Property, str, str], FieldRule]] = {
    "column": _column,
    "constant": lambda rule, line, *_: replace(rule, constant=line.value),
    "value": _value,
    "template": lambda rule, line, *_: replace(rule, template=_template_in(line)),
    "default": lambda rule, line, *_: replace(rule, default=_template_in(line)),
    "create": _create,
    "keep": _keep,
    "pad": _pad,
    "split": _split,
    "first": _first,
    "decode": _decode,
}


def folded(value: str) -> str:
    """Return the form in which values of a file and of a line are compared: NFC, lower case, trimmed."""
    return unicodedata.normalize("NFC", value.strip().lower())


def value_line(field: str, value: str, to: str) -> str:
    """Return `mapper.NAME.value.FIELD.FROM=TO`, or "" if FROM cannot be part of a key (`=`, `*`, not printable)."""
    if not value.strip() or value == "*" or "=" in value or not value.isprintable() or not to.isprintable():
        return ""
    return f"mapper.NAME.value.{field}.{value}={to}"
