"""Mapper lines, of a preset or of one's own: how they make a mapping, and what is refused."""

import difflib
import functools
from dataclasses import replace
from importlib import resources
from pathlib import Path

from sis_sync.core.errors import ConfigurationError
from sis_sync.formats.field_lines import RULES, check_field, check_rest, folded, inherited
from sis_sync.formats.mapping import NO_MAPPING, Mapping
from sis_sync.formats.properties import Property, read_properties

KINDS = ("extends", *RULES, "skip")


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


def load_mapping(name_or_path: str, *, folder: Path = Path()) -> Mapping:
    """A preset by its name, or the mapping of a .properties file. ConfigurationError if it cannot be followed.

    A relative path begins in `folder`.
    """
    path = folder / name_or_path
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
    if parts[0] != "mapper" or len(parts) < 3 or not parts[1]:
        raise ConfigurationError(
            f"Line {line.line}: {line.key} is no mapper line.",
            fix="Write mapper.NAME.KIND.FIELD=VALUE, as mapper.north.column.custom_id=Student ID.",
        )
    _check_kind(parts[2], has_target=len(parts) == 4 and bool(parts[3]), line=line)
    return parts[1]


def _check_kind(kind: str, *, has_target: bool, line: Property) -> None:
    if kind not in KINDS:
        close = difflib.get_close_matches(kind, KINDS, n=1)
        raise ConfigurationError(
            f'Line {line.line}: {line.key}: there is no kind of line "{kind}".',
            fix=f"Did you mean {close[0]}?" if close else f"The kinds are {', '.join(KINDS)}.",
        )
    if kind == "skip" and not has_target:
        raise ConfigurationError(
            f"Line {line.line}: {line.key} names no header.", fix="Write mapper.NAME.skip.HEADER=VALUE | VALUE."
        )


def _only_name(lines: dict[str, list[Property]]) -> str:
    extended = {line.value for each in lines.values() for line in each if line.key.endswith(".extends")}
    own = [name for name in lines if name not in extended] or list(lines)[:1]  # where all are, building says so
    if len(own) != 1:
        raise ConfigurationError(f"One mapping is wanted, but the lines hold {len(own)}: {', '.join(own) or 'none'}.")
    return own[0]


def _build(name: str, lines: dict[str, list[Property]], seen: tuple[str, ...]) -> Mapping:
    mapping = NO_MAPPING
    for line in lines[name]:
        if line.key.split(".", 3)[2] == "extends":
            mapping = _extended(line, lines, (*seen, name))
    mapping = _inherited(mapping, lines[name])
    for line in lines[name]:
        mapping = _with_line(mapping, line)
    return replace(mapping, name=name)


def _extended(line: Property, lines: dict[str, list[Property]], seen: tuple[str, ...]) -> Mapping:
    """What an extends line starts from."""
    base = line.value
    if base in seen:
        wrong = "a mapping cannot extend itself" if base == seen[-1] else f"{' and '.join(seen)} extend each other"
        raise ConfigurationError(
            f"Line {line.line}: {line.key}={base}: {wrong}.",
            fix=f"Extend another mapping or a preset, whose name is not this mapping's: {', '.join(preset_names())}.",
        )
    if base in lines:
        return _build(base, lines, seen)
    try:
        return load_preset(base)
    except ConfigurationError as error:
        raise ConfigurationError(f"Line {line.line}: {line.key}={base}: {error.message}", fix=error.fix) from None


def _inherited(mapping: Mapping, own: list[Property]) -> Mapping:
    """The mapping that is extended, without what the lines of the one that extends it replace."""
    if mapping.variants:
        return replace(mapping, variants=tuple(_inherited(variant, own) for variant in mapping.variants))
    kinds: dict[str, set[str]] = {}
    for line in own:
        _, _, kind, *rest = line.key.split(".", 3)
        if (kind, line.value) != ("constant", ""):  # it says that a file may lack the column, not that none counts
            kinds.setdefault(rest[0] if rest else "", set()).add(kind)
    rules = {name: inherited(rule, kinds.get(name, ())) for name, rule in mapping.rules.items()}
    return replace(mapping, rules=rules)


def _with_line(mapping: Mapping, line: Property) -> Mapping:
    if mapping.variants:
        return replace(mapping, variants=tuple(_with_line(variant, line) for variant in mapping.variants))
    _, _, kind, *rest = line.key.split(".", 3)
    target = rest[0] if rest else ""
    if kind == "extends":
        return mapping
    if kind == "skip":
        values = tuple(folded(value) for value in line.value.split("|"))
        others = tuple(skip for skip in mapping.skips if skip[0] != target)
        return replace(mapping, skips=(*others, (target, values)))
    field_name, dot, detail = target.partition(".")
    check_field(field_name, line)
    check_rest(kind, bool(dot), line)
    rule = RULES[kind](mapping.rule(field_name), line, detail, field_name)
    return replace(mapping, rules={**mapping.rules, field_name: rule})
