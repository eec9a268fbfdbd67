"""The suggestion for a file: a preset and the lines that it lacks, or a line for every field."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from sis_sync.core.fields import FIELD_NAMES
from sis_sync.steps.map.columns import find_columns, missing_fields
from sis_sync.steps.map.mapper_lines import load_preset, parse_mapping
from sis_sync.steps.map.mapping import NO_MAPPING, Mapping
from sis_sync.steps.map.suggest.by_name import propose_by_name
from sis_sync.steps.map.suggest.presets import Fit, best_fits, prefixed_columns
from sis_sync.steps.map.suggest.proposal import Proposal, column, shape, shown
from sis_sync.steps.map.suggest.remainder import Remainder, with_logins
from sis_sync.steps.map.suggest.sample import Sample
from sis_sync.steps.map.suggest.values import propose_values

_NAME = "mapper.suggested."
_MANY_OF_OTHERS = 3
_MOST_SHOWN = 40
_SHAPES_SHOWN = 2


@dataclass(frozen=True)
class Suggestion:
    """`presets` are those that fit best, `columns` the proposals for the fields that they lack.

    `said` are the reading options that someone said: they go with the mapping.
    """

    remarks: tuple[str, ...]
    presets: tuple[Fit, ...]
    columns: tuple[Proposal, ...]
    values: tuple[Proposal, ...]
    said: tuple[tuple[str, str], ...] = ()

    def lines(self) -> Iterator[str]:
        """Yield the lines of a `.properties` text. Remarks, reasons and undecided lines are comments."""
        yield from (f"# {remark}" for remark in self.remarks)
        yield from (f"{_NAME}{key}={value}" for key, value in self.said)
        if len(self.presets) == 1:
            yield f"{_NAME}extends={self.presets[0].name}"
        for each in (*self.columns, *self.values):
            yield from each.lines(_NAME)


def suggest(sample: Sample) -> Suggestion:
    """Return the suggestion: no columns for a header with our names, else a preset that fits, else single lines."""
    if not missing_fields(find_columns(sample.header, NO_MAPPING), NO_MAPPING):
        values = tuple(propose_values(sample, NO_MAPPING))
        remarks = (*_remarks_on_header(sample), "The header has our names: no column needs a mapping.")
        return Suggestion(remarks, (), (), values, sample.said)
    fits = tuple(best_fits(sample))
    preset = load_preset(fits[0].name) if len(fits) == 1 else NO_MAPPING
    columns = (*_no_header(sample), *propose(sample, fits[0].missing if len(fits) == 1 else FIELD_NAMES, preset))
    made = Suggestion(tuple(_remarks(sample, fits, columns)), fits, columns, (), sample.said)
    return replace(made, values=tuple(_values(sample, made)))


def _no_header(sample: Sample) -> Iterator[Proposal]:
    """Propose to name the columns of a file whose first record is a person."""
    if not sample.has_header and not sample.said:
        reason = "the first record is a person. Export the file with a header, or name its columns here"
        columns = ("columns", " | ".join(sample.header))
        yield Proposal("header", None, reason, "header", "none", is_open=True, also=(columns,))


def propose(sample: Sample, fields: Sequence[str] = FIELD_NAMES, preset: Mapping = NO_MAPPING) -> list[Proposal]:
    """Return a proposal for each field. None is of a column with secrets or about another person."""
    used = find_columns(sample.header, preset).used if preset.rules else ()
    reads = {shown(sample.header[place]) for place in used}
    chosen = {
        field: column(field, [header], f"preset {preset.name}, after the name of a table")
        for field, header in prefixed_columns(sample, preset)
    }
    kept = [field for field, rule in preset.rules.items() if rule.keep and rule.columns]
    left = [field for field in (*fields, *kept) if field not in chosen]
    free = replace(sample, hidden=frozenset(reads) | {shown(each.header or "") for each in chosen.values()})
    chosen |= propose_by_name(free, left)
    if "email" in chosen and chosen["email"].is_open:
        chosen["email"] = with_logins(chosen["email"], free, preset)
    left = [field for field in fields if field not in chosen]
    chosen |= Remainder(free, chosen, preset).proposals(left)
    return [chosen[field] for field in FIELD_NAMES if field in chosen]


def _values(sample: Sample, made: Suggestion) -> Iterator[Proposal]:
    """Yield the lines for values, unless the proposal of the column has them. Those of an open column stay open."""
    is_column = [each for each in made.columns if each.key.startswith("column.") and not each.also]
    unsure = {each.field for each in is_column if each.is_open}
    named = (f"{_NAME}{each.key}={each.value}" for each in made.columns if each.field in unsure and each.value)
    text = "\n".join([*(line for line in made.lines() if not line.startswith("#")), *named])
    if text:
        yield from propose_values(sample, parse_mapping(text), unsure)


def _remarks(sample: Sample, fits: Sequence[Fit], columns: Sequence[Proposal]) -> Iterator[str]:
    yield from _remarks_on_header(sample)
    if len(fits) == 1:
        missing = ", ".join(fits[0].missing)
        yield f"The preset {fits[0].name} fits best." + (f" It does not find {missing}." if missing else "")
        return
    if fits:
        yield f"These presets fit equally, {_NAME}extends=NAME takes one: {', '.join(fit.name for fit in fits)}."
    read = [each.header for each in columns if each.header is not None]
    if not any(each.header is not None for each in columns if each.field in ("first_name", "last_name")):
        yield "No column was recognised as the name of a person. Name yours with column lines as those below."
    unread = [name for name in sample.header if name.strip() and name not in read]
    if unread:
        forms = {name: list(dict.fromkeys(map(shape, sample.values(name))))[:_SHAPES_SHOWN] for name in unread}
        listed = ", ".join(f'"{shown(name)}" ({", ".join(forms[name]) or "empty"})' for name in unread[:_MOST_SHOWN])
        more = f" and {len(unread) - _MOST_SHOWN:,} more" if len(unread) > _MOST_SHOWN else ""
        yield f"Columns that no line reads, with the form of their cells: {listed}{more}."
    others = [shown(name) for name in sample.of_others]
    if len(others) >= _MANY_OF_OTHERS:
        yield f"Columns such as {', '.join(others[:3])} are about other people: is each record about the person?"


def _remarks_on_header(sample: Sample) -> Iterator[str]:
    """Yield where the header was found, and which of its columns are there twice."""
    if sample.line > 1:
        above = "Line 1 is" if sample.line == 2 else f"Lines 1 to {sample.line - 1} are"
        yield f"Line {sample.line} looks most like the header. {above} above it."
    for name in sample.twice:
        yield f'"{shown(name)}" is the header of several columns with different cells. Leave one out to use it.'
