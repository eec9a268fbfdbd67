"""A header that is refused: one that stands twice, or that lacks a field, with the closest guess."""

import difflib
from collections.abc import Sequence

from sis_sync.core.errors import FileRefused
from sis_sync.formats.header import SUPPLIED_FIELDS, Columns, can_fill, comparable, missing_fields
from sis_sync.formats.mapping import FieldRule, Mapping
from sis_sync.formats.synonyms import SYNONYMS


def check_header(columns: Columns, mapping: Mapping) -> None:
    """Raise FileRefused for a header that stands twice, or that lacks a field."""
    _refuse_duplicates(columns, mapping)
    missing = missing_fields(columns, mapping)
    if missing:
        raise FileRefused(
            "file.header_missing", _missing_message(missing, columns, mapping), line=1, fix=_fix(missing, columns)
        )


_MISSING_FIX = (
    "Add the columns to the export (they may be empty where no value is needed), or map other columns to them: "
    "sis-sync mapper suggest FILE proposes the lines."
)


def _fix(missing: list[str], columns: Columns) -> str:
    if "user_type" in missing and columns.position_of("sourcedId") is not None:
        return _ROLES_FIX
    return _MISSING_FIX


_ROLES_FIX = (
    "In OneRoster 1.2 and School Data Sync v2.1 the roles stand in roles.csv: export OneRoster 1.1, or join the main "
    "role and its org of roles.csv to users.csv by userSourcedId, as the columns role and orgSourcedIds."
)


def _missing_message(missing: list[str], columns: Columns, mapping: Mapping) -> str:
    found = [name.strip() for name in columns.header if name.strip()]
    guesses = []
    for field in missing:
        kind, asked = _asked(field, columns, mapping)
        close = _closest(asked or (field,), found)
        wanted = f", which the mapping's line {kind}.{field} reads from {' or '.join(asked)}" if asked else ""
        guesses.append(f"{field}{wanted}" + (f' (is it "{close}"?)' if close else ""))
    shown = ", ".join(name[:40] for name in found[:30])
    return f"The header lacks {', '.join(guesses)}. It has: {shown or 'nothing'}."


def _asked(field: str, columns: Columns, mapping: Mapping) -> tuple[str, tuple[str, ...]]:
    """The kind of line that should supply the field, and the names in it that the file lacks."""
    rule = mapping.rule(field)
    if rule.template is not None:
        names = (name for name, _ in FieldRule.placeholders(rule.template))
        return "template", tuple(name for name in names if not can_fill(f"{{{name}}}", columns, mapping))
    if rule.split is not None:
        return "split", (rule.split.header,)
    return "column", rule.columns


def _closest(names: Sequence[str], found: list[str]) -> str | None:
    """The column that another system calls so, else the one that is spelt most alike."""
    by_form = {comparable(name): name for name in found}
    for synonym in (comparable(synonym) for name in names for synonym in SYNONYMS.get(name, ())):
        if synonym in by_form:
            return by_form[synonym]
    matches = (difflib.get_close_matches(comparable(name), by_form, n=1, cutoff=0.8) for name in names)
    return next((by_form[match[0]] for match in matches if match), None)


def _refuse_duplicates(columns: Columns, mapping: Mapping) -> None:
    names = [comparable(name) for name in columns.header]
    for field in SUPPLIED_FIELDS:
        if field.name not in columns.of_field:
            continue
        wanted = {names[columns.of_field[field.name]]}
        if not mapping.rule(field.name).columns:
            wanted |= {comparable(name) for name in (field.name, *field.aliases)}
        _refuse_several(names, wanted, f"both say {field.name}")
    for header in mapping.other_headers():
        wanted = {comparable(header)}
        _refuse_several(names, wanted, f'are both called "{header}", which a line of the mapping reads')


def _refuse_several(names: list[str], wanted: set[str], what: str) -> None:
    places = [str(position + 1) for position, name in enumerate(names) if name in wanted]
    if len(places) > 1:
        message = f"The columns {' and '.join(places)} {what}."
        raise FileRefused("file.header_duplicate", message, line=1, fix="Leave one of them out of the export.")
