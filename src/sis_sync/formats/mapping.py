"""The column header mapper: declarative lines that turn another export into our fields. No code, no eval."""

import difflib
import functools
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from importlib import resources
from pathlib import Path

from sis_sync.core.errors import ConfigurationError
from sis_sync.core.fields import FIELD_NAMES, PASSWORD
from sis_sync.formats.properties import Property, read_properties

_SPLIT = re.compile(r'^(?P<header>.+),\s*(?P<side>before|after)\s+"(?P<separator>.+)"$')
_PLACEHOLDER = re.compile(r"\{([^{}:]+)(?::(lower|upper))?\}")
KINDS = ("extends", "column", "constant", "value", "template", "default", "pad", "split", "first", "skip")
JUDGED_BY_LIST = ("user_type", "grade", "status", "school_district_external_id")


@dataclass(frozen=True)
class Split:
    """One part of a column: what stands before or after the first separator."""

    header: str
    side: str
    separator: str


@dataclass(frozen=True)
class FieldRule:
    """How one field is made. Steps in order: column or constant, first, split, template or default, value, pad."""

    columns: tuple[str, ...] = ()
    constant: str | None = None
    first: str | None = None
    split: Split | None = None
    template: str | None = None
    default: str | None = None
    values: dict[str, str] = field(default_factory=dict)
    rest: str = "keep"
    pad: int | None = None

    @staticmethod
    def placeholders(template: str) -> list[tuple[str, str]]:
        """The names in braces with their case change ("", "lower" or "upper")."""
        return [(name, case or "") for name, case in _PLACEHOLDER.findall(template)]


@dataclass(frozen=True)
class Mapping:
    """A named set of rules. `skips` are (header, values): rows that are no part of the roster.

    A preset of a bundle has `variants`, one for each of its files; the header of a file tells which one fits.
    """

    name: str
    rules: dict[str, FieldRule] = field(default_factory=dict)
    skips: tuple[tuple[str, tuple[str, ...]], ...] = ()
    variants: tuple["Mapping", ...] = ()

    def rule(self, field_name: str) -> FieldRule:
        """The rule of a field; one that only matches the header if there is none."""
        return self.rules.get(field_name, FieldRule())

    def headers(self) -> Iterator[str]:
        """Every header that the mapping names."""
        for rule in self.rules.values():
            yield from rule.columns
        yield from self.other_headers()

    def other_headers(self) -> Iterator[str]:
        """Headers that the mapping reads beside the column of each field."""
        for rule in self.rules.values():
            if rule.split:
                yield rule.split.header
            for text in (rule.template, rule.default):
                yield from (name for name, _ in FieldRule.placeholders(text or ""))
        yield from (header for header, _ in self.skips)


NO_MAPPING = Mapping("")


def preset_names() -> list[str]:
    """The built-in presets, sorted."""
    folder = resources.files("sis_sync.formats") / "presets"
    return sorted(item.name.removesuffix(".properties") for item in folder.iterdir() if ".properties" in item.name)


def preset_text(name: str) -> str:
    """The lines of a built-in preset."""
    if name not in preset_names():
        raise _no_preset(name)
    return (resources.files("sis_sync.formats") / "presets" / f"{name}.properties").read_text(encoding="utf-8")


def _no_preset(name: str) -> ConfigurationError:
    close = difflib.get_close_matches(name, preset_names(), n=1)
    return ConfigurationError(
        f'There is no mapping preset "{name}".',
        fix=f"Did you mean {close[0]}?" if close else f"The presets are {', '.join(preset_names())}.",
    )


def load_mapping(name_or_path: str) -> Mapping:
    """A preset by its name, or the mapping of a .properties file. ConfigurationError if it cannot be followed."""
    path = Path(name_or_path)
    if not _is_file(path):
        if path.suffix == ".properties" or "/" in name_or_path:
            raise ConfigurationError(f"The mapping file {name_or_path} is not there.")
        return load_preset(name_or_path)
    try:
        return parse_mapping(path.read_text(encoding="utf-8-sig"))
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"The mapping file {name_or_path} is not UTF-8 text.") from error


@functools.cache
def load_preset(name: str) -> Mapping:
    """A built-in preset by its name, or one file of a bundle by its own (microsoft-sds-teacher)."""
    for preset in preset_names():
        text = preset_text(preset)
        names = list(dict.fromkeys(_name_of(line) for line in read_properties(text)))
        if name in names:
            return parse_mapping(text, name=name)
        if name == preset:
            return Mapping(name, variants=tuple(parse_mapping(text, name=each) for each in names))
    raise _no_preset(name)


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # longer than a path may be, or with a NUL: no file
        return False


def parse_mapping(text: str, *, name: str | None = None) -> Mapping:
    """The mapping in these `mapper.NAME.*` lines: the one named, or the only one that no other extends."""
    lines: dict[str, list[Property]] = {}
    for line in read_properties(text):
        lines.setdefault(_name_of(line), []).append(line)
    chosen = name if name is not None else _only_name(lines)
    if chosen not in lines:
        raise ConfigurationError(f'There are no lines for the mapping "{chosen}".')
    return _build(chosen, lines, seen=())


def _name_of(line: Property) -> str:
    parts = line.key.split(".", 3)
    if parts[0] != "mapper" or len(parts) < 3 or parts[2] not in KINDS:
        known = f"The kinds are {', '.join(KINDS)}."
        raise ConfigurationError(f"Line {line.line}: {line.key} is no mapper line.", fix=f"mapper.NAME.KIND... {known}")
    return parts[1]


def _only_name(lines: dict[str, list[Property]]) -> str:
    extended = {line.value for each in lines.values() for line in each if line.key.endswith(".extends")}
    own = [name for name in lines if name not in extended]
    if len(own) != 1:
        raise ConfigurationError(f"One mapping is wanted, but the lines hold {len(own)}: {', '.join(own) or 'none'}.")
    return own[0]


def _build(name: str, lines: dict[str, list[Property]], seen: tuple[str, ...]) -> Mapping:
    if name in seen:
        raise ConfigurationError(f"The mappings {' and '.join(seen)} extend each other.")
    mapping = NO_MAPPING
    for line in lines[name]:
        if line.key.split(".", 3)[2] == "extends":
            base = line.value
            mapping = _build(base, lines, (*seen, name)) if base in lines else load_preset(base)
    for line in lines[name]:
        mapping = _with_line(mapping, line)
    return replace(mapping, name=name)


def _with_line(mapping: Mapping, line: Property) -> Mapping:
    if mapping.variants:
        return replace(mapping, variants=tuple(_with_line(variant, line) for variant in mapping.variants))
    _, _, kind, *rest = line.key.split(".", 3)
    target = rest[0] if rest else ""
    if kind == "extends":
        return mapping
    if kind == "skip":
        values = tuple(_folded(value) for value in line.value.split("|"))
        others = tuple(skip for skip in mapping.skips if skip[0] != target)
        return replace(mapping, skips=(*others, (target, values)))
    field_name, _, detail = target.partition(".")
    _check_field(field_name, line)
    rule = _RULES[kind](mapping.rule(field_name), line, detail, field_name)
    return replace(mapping, rules={**mapping.rules, field_name: rule})


def _check_field(name: str, line: Property) -> None:
    known = (*FIELD_NAMES, PASSWORD)
    if name not in known:
        close = difflib.get_close_matches(name, known, n=1)
        raise ConfigurationError(
            f'Line {line.line}: {line.key} names the field "{name}", which is not one of ours.',
            fix=f"Did you mean {close[0]}?" if close else f"The fields are {', '.join(FIELD_NAMES)}.",
        )


def _folded(value: str) -> str:
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
        return replace(rule, values={**rule.values, _folded(detail): line.value})
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
    if "{" in _PLACEHOLDER.sub("", line.value) or "}" in _PLACEHOLDER.sub("", line.value):
        raise ConfigurationError(
            f'Line {line.line}: "{line.value}" has a brace that is not part of a {{name}}.',
            fix="Write {field}, {HEADER}, {field:lower} or {field:upper}.",
        )


def _pad(rule: FieldRule, line: Property, _detail: str, field_name: str) -> FieldRule:
    if field_name != "custom_id" or not re.fullmatch(r"[1-9][0-9]?", line.value) or int(line.value) > 64:
        raise ConfigurationError(
            f"Line {line.line}: {line.key}={line.value}.", fix="Write pad.custom_id=N, N from 1 to 64."
        )
    return replace(rule, pad=int(line.value))


def _split(rule: FieldRule, line: Property, _detail: str, _field: str) -> FieldRule:
    found = _SPLIT.match(line.value)
    if not found:
        raise ConfigurationError(
            f'Line {line.line}: "{line.value}" does not say how to split.',
            fix='Write HEADER, before "," or HEADER, after ",".',
        )
    return replace(rule, split=Split(found["header"].strip(), found["side"], found["separator"]))


def _first(rule: FieldRule, line: Property, _detail: str, _field: str) -> FieldRule:
    if not line.value:
        raise ConfigurationError(f"Line {line.line}: {line.key} names no separator.", fix="Write first.FIELD=,")
    return replace(rule, first=line.value)


_RULES = {
    "column": _column,
    "constant": _constant,
    "value": _value,
    "template": _template,
    "default": _default,
    "pad": _pad,
    "split": _split,
    "first": _first,
}
