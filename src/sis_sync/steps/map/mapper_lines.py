"""Turn mapper lines, of a preset or of a file, into a mapping. Raise ConfigurationError for a wrong line."""

import difflib
import functools
from collections.abc import Collection
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Any

from sis_sync.core.errors import ConfigurationError
from sis_sync.core.limits import (
    EXTENDED_MAPPINGS,
    MAPPING_CHARACTERS,
    MAPPING_LINE_CHARACTERS,
    MAPPING_LINES,
    MAPPING_NAMES,
    MAPPING_PATTERNS,
    MAPPING_WORDS,
)
from sis_sync.core.reading_options import MAPPING_OPTIONS, options_of
from sis_sync.steps.map.field_lines import FIELD_KINDS, check_field, with_field_line
from sis_sync.steps.map.mapping import NO_MAPPING, FieldRule, Mapping
from sis_sync.steps.map.properties import Property, read_properties
from sis_sync.steps.map.row_lines import ROW_KINDS, with_row_line

# The parts of an inherited rule that a new line for the same field replaces. A new template replaces no source: it
# precedes them, can be built from them, and is skipped for a file that lacks its columns. A column does not replace
# `keep`, which supplies the field for a file that lacks this column.
_REPLACED = {
    "column": ("constant", "split", "template", "create"),
    "constant": ("columns", "first", "split", "template", "create", "keep"),
    "split": ("columns", "constant", "template", "create"),
    "template": ("create", "keep"),
    "keep": ("columns", "first", "split", "template", "create"),
    "dates": ("columns", "constant", "first", "split", "template", "default", "values", "rest", "create", "keep"),
}


def load_mapping(name_or_path: str, *, folder: Path = Path()) -> Mapping:
    """Return a preset by its name, or the mapping of a .properties file. Raise ConfigurationError.

    A relative path is relative to `folder`.
    """
    path = folder / name_or_path
    if not _is_file(path):
        if path.suffix == ".properties" or "/" in name_or_path:
            raise ConfigurationError(f"The mapping file {name_or_path} does not exist.")
        return load_preset(name_or_path)
    try:
        return parse_mapping(path.read_text(encoding="utf-8-sig"))
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"The mapping file {name_or_path} is not UTF-8 text.") from error


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # the path is too long or contains a NUL
        return False


@functools.cache
def load_preset(name: str) -> Mapping:
    """Return a built-in preset by its name, or one file of a bundle by its own name (microsoft-sds-teacher)."""
    for preset in preset_names():
        text = preset_text(preset)
        names = preset_files(preset)
        if name in names:
            return parse_mapping(text, name=name)
        if name == preset:
            extended = {line.value for line in read_properties(text) if line.key.endswith(".extends")}
            variants = tuple(parse_mapping(text, name=each) for each in names if each not in extended)
            return Mapping(name, variants=variants, reading=variants[0].reading)
    raise _no_preset(name)


def preset_files(preset: str) -> list[str]:
    """Return the names of the mappings in a preset: one for each file of a bundle, also those that others extend."""
    return list(dict.fromkeys(_name_of(line) for line in read_properties(preset_text(preset))))


def preset_names() -> list[str]:
    """Return the names of the built-in presets, sorted."""
    folder = resources.files(__package__) / "presets"
    return sorted(item.name.removesuffix(".properties") for item in folder.iterdir() if ".properties" in item.name)


def preset_text(name: str) -> str:
    """Return the lines of a built-in preset. Raise ConfigurationError for an unknown name."""
    if name not in preset_names():
        raise _no_preset(name)
    return (resources.files(__package__) / "presets" / f"{name}.properties").read_text(encoding="utf-8")


def _no_preset(name: str) -> ConfigurationError:
    close = difflib.get_close_matches(name, preset_names(), n=1)
    return ConfigurationError(
        f'There is no mapping preset "{name}".',
        fix=f"Did you mean {close[0]}?" if close else f"The presets are {', '.join(preset_names())}.",
    )


def parse_mapping(text: str, *, name: str | None = None) -> Mapping:
    """Return the mapping in these `mapper.NAME.*` lines: the one named, or the only one that no other extends."""
    _refuse_too_large(len(text), MAPPING_CHARACTERS, "characters")
    lines: dict[str, list[Property]] = {}
    found = read_properties(text)
    _refuse_too_large(len(found), MAPPING_LINES, "lines")
    for line in found:
        lines.setdefault(_name_of(line), []).append(line)
    chosen = name if name is not None else _only_name(lines)
    if chosen not in lines:
        raise ConfigurationError(f'There are no lines for the mapping "{chosen}".')
    mapping = _build(chosen, lines, seen=())
    _refuse_too_large(mapping.patterns, MAPPING_PATTERNS, "values with *")
    names, words = mapping.template_size
    _refuse_too_large(names, MAPPING_NAMES, "names in braces")
    _refuse_too_large(words, MAPPING_WORDS, "words after names in braces")
    mapping.reading.refuse_unnamed_columns()
    return mapping


def _refuse_too_large(number: int, limit: int, what: str) -> None:
    if number > limit:
        raise ConfigurationError(
            f"The mapping has {number:,} {what}; the limit is {limit:,}.",
            fix="Leave lines out that no row needs, or correct the values in the SIS.",
        )


def _name_of(line: Property) -> str:
    if len(line.key) + len(line.value) > MAPPING_LINE_CHARACTERS:
        raise ConfigurationError(
            f"Line {line.line}: {line.key[:100]} is longer than {MAPPING_LINE_CHARACTERS:,} characters.",
            fix="Write a shorter line.",
        )
    parts = line.key.split(".", 3)
    if parts[0] != "mapper" or len(parts) < 3 or not parts[1]:
        raise ConfigurationError(
            f"Line {line.line}: {line.key} is not a mapper line.",
            fix="Write mapper.NAME.KIND.FIELD=VALUE, as mapper.north.column.custom_id=Student ID.",
        )
    _check_kind(parts[2], has_target=len(parts) == 4, line=line)
    return parts[1]


def _check_kind(kind: str, *, has_target: bool, line: Property) -> None:
    kinds = ("extends", *FIELD_KINDS, *ROW_KINDS, *MAPPING_OPTIONS)
    if kind not in kinds:
        close = difflib.get_close_matches(kind, kinds, n=1)
        raise ConfigurationError(
            f'Line {line.line}: {line.key}: there is no kind of line "{kind}".',
            fix=f"Did you mean {close[0]}?" if close else f"The kinds are {', '.join(kinds)}.",
        )
    if kind == "extends" and has_target:
        raise ConfigurationError(
            f"Line {line.line}: {line.key} continues after extends.", fix="Write mapper.NAME.extends=OTHER, once."
        )
    if kind in MAPPING_OPTIONS and has_target:
        raise ConfigurationError(
            f"Line {line.line}: {line.key} continues after {kind}.", fix=f"Write mapper.NAME.{kind}=..., once."
        )


def _only_name(lines: dict[str, list[Property]]) -> str:
    extended = {line.value for each in lines.values() for line in each if line.key.endswith(".extends")}
    own = [name for name in lines if name not in extended] or list(lines)[:1]  # if all are, _build refuses the cycle
    if len(own) != 1:
        raise ConfigurationError(
            f"One mapping is needed, but the lines contain {len(own)}: {', '.join(own) or 'none'}."
        )
    return own[0]


def _build(name: str, lines: dict[str, list[Property]], seen: tuple[str, ...]) -> Mapping:
    mapping = NO_MAPPING
    for line in lines[name]:
        if line.key.split(".", 3)[2] == "extends":
            mapping = _extended(line, lines, (*seen, name))
    mapping = _inherited(mapping, lines[name])
    for line in lines[name]:
        mapping = _with_line(mapping, line)
    said = {kind: line for line in lines[name] if (kind := line.key.split(".", 3)[2]) in MAPPING_OPTIONS}
    words = {kind: line.value for kind, line in said.items()}
    reading = options_of(words, called=lambda kind: f"Line {said[kind].line}: {said[kind].key}")
    return replace(mapping, name=name, reading=reading.over(mapping.reading))


def _extended(line: Property, lines: dict[str, list[Property]], seen: tuple[str, ...]) -> Mapping:
    """Return the mapping that an extends line names: one of these lines, or a preset."""
    base = line.value
    if base in seen:
        wrong = "a mapping cannot extend itself" if base == seen[-1] else f"{' and '.join(seen)} extend each other"
        raise ConfigurationError(
            f"Line {line.line}: {line.key}={base}: {wrong}.",
            fix=f"Extend another mapping or a preset, whose name is not this mapping's: {', '.join(preset_names())}.",
        )
    if len(seen) > EXTENDED_MAPPINGS:
        raise ConfigurationError(
            f"Line {line.line}: {line.key}={base}: more than {EXTENDED_MAPPINGS} mappings extend one another.",
            fix="Write the lines of some of them into one mapping.",
        )
    if base in lines:
        return _build(base, lines, seen)
    try:
        return load_preset(base)
    except ConfigurationError as error:
        raise ConfigurationError(f"Line {line.line}: {line.key}={base}: {error.message}", fix=error.fix) from None


def _inherited(mapping: Mapping, own: list[Property]) -> Mapping:
    """Return the extended mapping without the parts that the extending lines replace."""
    if mapping.variants:
        return replace(mapping, variants=tuple(_inherited(variant, own) for variant in mapping.variants))
    kinds: dict[str, set[str]] = {}
    for line in own:
        _, _, kind, *rest = line.key.split(".", 3)
        if (kind, line.value) != ("constant", ""):  # allows a file without the column, but replaces none
            kinds.setdefault(rest[0] if rest else "", set()).add(kind)
    rules = {name: _without_replaced(rule, kinds.get(name, ())) for name, rule in mapping.rules.items()}
    has_other_status = kinds.get("status", set()) & {"column", "constant", "split", "template", "keep"}
    dates = replace(mapping.dates, first_day="", last_day="") if has_other_status else mapping.dates
    return replace(mapping, rules=rules, dates=dates)


def _without_replaced(rule: FieldRule, kinds: Collection[str]) -> FieldRule:
    """Return an inherited rule without the parts that lines of these kinds replace."""
    lost = {part for kind in kinds for part in _REPLACED.get(kind, ())}
    if rule.constant == "":
        lost.discard("constant")  # an empty one allows a file without the column, as some files of a bundle do
    nothing: dict[str, Any] = {part: getattr(FieldRule(), part) for part in lost}
    return replace(rule, **nothing)


def _with_line(mapping: Mapping, line: Property) -> Mapping:
    if mapping.variants:
        return replace(mapping, variants=tuple(_with_line(variant, line) for variant in mapping.variants))
    _, _, kind, *rest = line.key.split(".", 3)
    target = rest[0] if rest else ""
    if kind == "extends" or kind in MAPPING_OPTIONS:
        return mapping
    if kind in ROW_KINDS:
        return with_row_line(mapping, kind, target, line)
    field_name = target.partition(".")[0]
    check_field(field_name, line)
    rule = with_field_line(mapping.rule(field_name), kind, target, line)
    return replace(mapping, rules={**mapping.rules, field_name: rule})
