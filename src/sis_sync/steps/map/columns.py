"""Header names: compare two, find the column of each field, and refuse a header that lacks one or has it twice."""

import difflib
import functools
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from sis_sync.core.errors import FileRefused
from sis_sync.core.fields import FIELD_NAMES, FIELDS, PASSWORD, Field
from sis_sync.core.findings import Finding, file_finding
from sis_sync.core.limits import MAPPING_LINE_CHARACTERS
from sis_sync.core.wording import counted
from sis_sync.steps.map.mapping import FieldRule, Mapping
from sis_sync.steps.map.synonyms import SYNONYMS

MESSAGE_HEADER = "sis_sync_message"  # the column that our failed-rows file adds
SUPPLIED_FIELDS = (*FIELDS, Field(PASSWORD, "Password", is_required=False))
# Spaces, hyphens, and characters without width, such as the marks that names in right-to-left languages bring along.
NOT_COMPARED = " \t\r\n\v\f\x85\u00a0_-\u00ad\u1680\u180e\u2010\u2011\u3000\ufeff" + "".join(
    map(chr, (0x61C, *range(0x2000, 0x2010), *range(0x2028, 0x2030), *range(0x205F, 0x2070)))
)
_NOT_COMPARED = dict.fromkeys(map(ord, NOT_COMPARED))
_MISSING_FIX = (
    "Add the columns to the export (they may be empty where no value is needed), or map other columns to them: "
    "sis-sync mapper suggest FILE proposes the lines."
)
_LINE_FIX = "If another line is the header, say so: --header-line N, or header=N in the mapping."
_WHOLE_LINE_FIX = (
    "Line {line} has all of them. If the lines above it are titles of a report, and no people, say so: "
    "--header-line {line}, or header={line} in the mapping."
)
_ROLES_FIX = (
    "In OneRoster 1.2 and School Data Sync v2.1 the roles are in roles.csv: export OneRoster 1.1, or join the main "
    "role and its org of roles.csv to users.csv by userSourcedId, as the columns role and orgSourcedIds."
)


def comparable(header: str) -> str:
    """Return a header for comparing: lower case, without the spaces, hyphens and the like of NOT_COMPARED.

    A text that is too long for a mapping to name is returned as it is.
    """
    return header if len(header) > MAPPING_LINE_CHARACTERS else _comparable(header)


@functools.lru_cache(maxsize=4096)  # each reading of a file compares its header with hundreds of names
def _comparable(header: str) -> str:
    return unicodedata.normalize("NFC", header).translate(_NOT_COMPARED).lower()


_KNOWN_NAMES = frozenset(comparable(name) for names in SYNONYMS.values() for name in names)


@dataclass(frozen=True)
class Columns:
    """The columns of a file. `of_field` maps fields to positions; `used` are all positions that the mapping reads."""

    header: tuple[str, ...]
    of_field: dict[str, int]
    used: frozenset[int]

    def position_of(self, header: str) -> int | None:
        """Return the position of the first column with this name, or None."""
        return self._positions.get(comparable(header))

    def place_of(self, name: str) -> int | None:
        """Return the position of the column with this name, or else of the one that supplies the field with it."""
        position = self.position_of(name)
        return self.of_field.get(name) if position is None else position

    @functools.cached_property
    def _positions(self) -> dict[str, int]:
        return {comparable(name): position for position, name in reversed(list(enumerate(self.header)))}

    @property
    def message_position(self) -> int | None:
        """The position of the column that our failed-rows file adds, or None in any other file."""
        return self.position_of(MESSAGE_HEADER)


def find_columns(header: Sequence[str], mapping: Mapping) -> Columns:
    """Return the columns of a header under this mapping. A field without a column is not in `of_field`."""
    plain = Columns(tuple(header), {}, frozenset())
    of_field = {}
    for field in SUPPLIED_FIELDS:
        position = _column_of(field, mapping.rule(field.name), plain)
        if position is not None:
            of_field[field.name] = position
    also_used = (plain.position_of(name) for name in mapping.other_headers())
    used = frozenset(of_field.values()) | {position for position in also_used if position is not None}
    return Columns(tuple(header), of_field, used)


def least_cells(columns: Columns, mapping: Mapping) -> int:
    """Return the fewest cells that a record may have: the columns after them feed optional fields or none."""
    optional = {field.name for field in SUPPLIED_FIELDS if not field.is_required}
    named = (columns.position_of(name) for name in mapping.other_headers())
    needed = [position for name, position in columns.of_field.items() if name not in optional]
    return max([*needed, *(position for position in named if position is not None)], default=0) + 1


def source_positions(field: str, columns: Columns, mapping: Mapping) -> frozenset[int]:
    """Return the columns from which a field is made."""
    rule = mapping.rule(field)
    names = [each[0] for text in (rule.template, rule.default) for each in FieldRule.placeholders(text or "")]
    names += [rule.split.header] if rule.split else []
    found = (columns.of_field.get(field), *map(columns.position_of, names))
    return frozenset(position for position in found if position is not None)


def fitting_variants(mapping: Mapping, header: Sequence[str]) -> tuple[Mapping, ...]:
    """Return the variants with the most names in this header; several if they tie."""
    there = {comparable(name) for name in header}
    variants = mapping.variants or (mapping,)
    scores = [len({comparable(name) for name in variant.headers()} & there) for variant in variants]
    return tuple(variant for variant, score in zip(variants, scores, strict=True) if score == max(scores))


def _column_of(field: Field, rule: FieldRule, columns: Columns) -> int | None:
    if (rule.constant is not None or rule.keep) and not rule.columns:
        return None  # a constant, or what accounts keep, takes precedence over the column with the field's name
    names = rule.columns if rule.columns else (field.name, *field.aliases)
    positions = (columns.position_of(name) for name in names)
    return next((position for position in positions if position is not None), None)


def missing_fields(columns: Columns, mapping: Mapping) -> list[str]:
    """Return the fields that neither the header nor the mapping supplies, in the order of the format."""
    creates = {field.name: mapping.rule(field.name).create for field in FIELDS}
    return [
        name
        for name, create in creates.items()
        if not (_is_mapped(name, columns, mapping) if create is None else can_create(create, columns, mapping))
    ]


def kept_fields(columns: Columns, mapping: Mapping) -> tuple[str, ...]:
    """Return the fields that existing accounts keep, because the mapping sets them for newcomers at most."""
    kept = []
    for field in FIELDS:
        rule = mapping.rule(field.name)
        is_split = rule.split is not None and columns.position_of(rule.split.header) is not None
        has_column = field.name in columns.of_field or is_split
        if rule.create is not None or (rule.keep and not has_column):
            kept.append(field.name)
    return tuple(kept)


def _is_mapped(name: str, columns: Columns, mapping: Mapping) -> bool:
    """Return True if lines other than create supply the field."""
    if name == "status" and mapping.dates.headers():
        return all(_is_found(header, columns) for header in mapping.dates.headers())
    template = mapping.rule(name).template
    return _has_source(name, columns, mapping) or (template is not None and can_fill(template, columns, mapping))


def _is_found(header: str, columns: Columns) -> bool:
    return columns.position_of(header) is not None or header in columns.of_field


def _has_source(name: str, columns: Columns, mapping: Mapping) -> bool:
    """Return True if a column, a constant or a part of a column supplies the field."""
    rule = mapping.rule(name)
    is_split = rule.split is not None and columns.position_of(rule.split.header) is not None
    return name in columns.of_field or rule.constant is not None or is_split or rule.keep


def can_fill(template: str, columns: Columns, mapping: Mapping) -> bool:
    """Return True if every `{name}` of the template is a column of the file or a field that has a source.

    Another template is not a source, so that templates cannot depend on each other.
    """
    return all(
        columns.position_of(name) is not None or _has_source(name, columns, mapping)
        for name, _ in FieldRule.placeholders(template)
    )


def can_create(template: str, columns: Columns, mapping: Mapping) -> bool:
    """Return True if every `{name}` of a create line is a column of the file or a field that other lines supply."""
    return all(
        columns.position_of(name) is not None or (name in FIELD_NAMES and _is_mapped(name, columns, mapping))
        for name, _ in FieldRule.placeholders(template)
    )


def ignored_columns(columns: Columns, mapping: Mapping) -> list[Finding]:
    """Return one warning for each column that is not used; empty columns at the end share one.

    A column that was exported twice has none: it is used.
    """
    used = columns.used.union(*(each.positions for each in repeated_columns(columns, mapping)))
    named = [name.strip() for name in columns.header]
    last_named = max((position for position, name in enumerate(named) if name), default=-1)
    findings = [
        file_finding("column.ignored", value=name or f"column {position + 1}, without a name")
        for position, name in enumerate(named[: last_named + 1])
        if position not in used and comparable(name) != comparable(MESSAGE_HEADER)
    ]
    if last_named + 1 < len(named):
        findings.append(file_finding("column.ignored", value="empty columns at the end"))
    return findings


def check_header(
    columns: Columns, mapping: Mapping, *, line: int, whole_line: int | None = None, hides_names: bool = False
) -> None:
    """Raise FileRefused for a header, on this line, that lacks a field. If it has another one twice, say that.

    `whole_line` is a line below that has all fields. With `hides_names`, the message repeats no name of the header,
    because it may be a person.
    """
    missing = missing_fields(columns, mapping)
    repeated = repeated_columns(columns, mapping)
    if missing and repeated and not hides_names:
        raise repeated[0].refusal(columns, "", line)
    if missing:
        raise FileRefused(
            "file.header_missing",
            _missing_message(missing, columns, mapping, line, hides_names=hides_names),
            line=line,
            fix=_fix(missing, columns, line) if whole_line is None else _WHOLE_LINE_FIX.format(line=whole_line),
        )


def _fix(missing: list[str], columns: Columns, line: int) -> str:
    if "user_type" in missing and columns.position_of("sourcedId") is not None:
        return _ROLES_FIX
    return _MISSING_FIX if columns.used and line == 1 else f"{_MISSING_FIX} {_LINE_FIX}"


def _missing_message(missing: list[str], columns: Columns, mapping: Mapping, line: int, *, hides_names: bool) -> str:
    found = [name.strip() for name in columns.header if name.strip()]
    guesses = []
    for field in missing:
        kind, asked = _asked(field, columns, mapping)
        close = None if hides_names else _closest(asked or (field,), found)
        wanted = f", which the mapping's line {kind}.{field} reads from {' or '.join(asked)}" if asked else ""
        guesses.append(f"{field}{wanted}" + (f' (is it "{close}"?)' if close else ""))
    has = f"It has: {', '.join(name[:40] for name in found[:30]) or 'nothing'}."
    is_known = columns.used or not _KNOWN_NAMES.isdisjoint(map(comparable, found))
    if hides_names:
        names = counted(len(found), "name is", "names are")
        has = f"Its {names} not repeated here, because a person's values look so."
    elif not is_known and any(character.isdigit() for name in found for character in name):
        unknown = f"None of its {len(found):,} names is known. They are"
        unknown = unknown if len(found) > 1 else "Its only name is not known. It is"
        has = f"{unknown} not repeated here, because a person's values may look so."
    place = f" on line {line}" if line > 1 else ""
    return f"The header{place} lacks {', '.join(guesses)}. {has}"


def _asked(field: str, columns: Columns, mapping: Mapping) -> tuple[str, tuple[str, ...]]:
    """Return the kind of line that should supply the field, and the names in it that the file lacks."""
    rule = mapping.rule(field)
    if rule.create is not None:
        names = (name for name, _ in FieldRule.placeholders(rule.create))
        return "create", tuple(name for name in names if not can_create(f"{{{name}}}", columns, mapping))
    if field == "status" and mapping.dates.headers():
        return "dates", tuple(header for header in mapping.dates.headers() if not _is_found(header, columns))
    if rule.template is not None:
        names = (name for name, _ in FieldRule.placeholders(rule.template))
        return "template", tuple(name for name in names if not can_fill(f"{{{name}}}", columns, mapping))
    if rule.split is not None:
        return "split", (rule.split.header,)
    return "column", rule.columns


def _closest(names: Sequence[str], found: list[str]) -> str | None:
    """Return the column with a name that another system uses for the field, else with the most similar name."""
    by_form = {comparable(name): name for name in found}
    for synonym in (comparable(synonym) for name in names for synonym in SYNONYMS.get(name, ())):
        if synonym in by_form:
            return by_form[synonym]
    matches = (difflib.get_close_matches(comparable(name), by_form, n=1, cutoff=0.8) for name in names)
    return next((by_form[match[0]] for match in matches if match), None)


@dataclass(frozen=True)
class Repeated:
    """Columns of which only one is read: their positions, and what they all say."""

    positions: tuple[int, ...]
    what: str

    def refusal(self, columns: Columns, differ: str, line: int) -> FileRefused:
        """Return the refusal of a file whose header, on this line, has these columns. `differ` says how they differ."""
        named = " and ".join(f'"{columns.header[place].strip()}" (column {place + 1})' for place in self.positions)
        fix = "Leave one of them out of the export."
        return FileRefused("file.header_duplicate", f"{named} {self.what}{differ}.", line=line, fix=fix)


def repeated_columns(columns: Columns, mapping: Mapping) -> list[Repeated]:
    """Return the groups of columns that supply the same field or the same line of the mapping."""
    names = [comparable(name) for name in columns.header]
    wanted: list[tuple[set[str], str]] = []
    for field in SUPPLIED_FIELDS:
        if field.name in columns.of_field:
            own = {names[columns.of_field[field.name]]}
            aliases = () if mapping.rule(field.name).columns else (field.name, *field.aliases)
            wanted.append((own | {comparable(name) for name in aliases}, f"both say {field.name}"))
    for header in dict.fromkeys(mapping.other_headers()):
        wanted.append(({comparable(header)}, f'are both called "{header}", which a line of the mapping reads'))
    places = [(tuple(place for place, name in enumerate(names) if name in each), what) for each, what in wanted]
    return [Repeated(positions, what) for positions, what in places if len(positions) > 1]
