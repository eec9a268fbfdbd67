"""The whole suggestion for a file: a preset with what it lacks, or a line for every field."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from sis_sync.core.fields import FIELD_NAMES
from sis_sync.formats.header import find_columns, missing_fields
from sis_sync.formats.mapping import NO_MAPPING
from sis_sync.formats.mapping_lines import parse_mapping
from sis_sync.formats.suggest.columns import Proposal, by_content, by_name
from sis_sync.formats.suggest.presets import Fit, best_fits
from sis_sync.formats.suggest.remainder import full_name, remainder
from sis_sync.formats.suggest.sample import Sample
from sis_sync.formats.suggest.values import propose_values

_NAME = "mapper.suggested."
_MANY_OF_OTHERS = 3


@dataclass(frozen=True)
class Suggestion:
    """`remarks` are for the reader; `presets` are those that fit best, `columns` the fields that they leave open."""

    remarks: tuple[str, ...]
    presets: tuple[Fit, ...]
    columns: tuple[Proposal, ...]
    values: tuple[Proposal, ...]

    def lines(self) -> Iterator[str]:
        """A `.properties` text: remarks and reasons as comments, what a person has to decide as comments too."""
        yield from (f"# {remark}" for remark in self.remarks)
        if len(self.presets) == 1:
            yield f"{_NAME}extends={self.presets[0].name}"
        for each in (*self.columns, *self.values):
            advice = " Look, and take off the # of the next line:" if each.is_open else ""
            yield f"# {each.field}: {' '.join(each.reason.split())}.{advice}"
            yield f"{'#' if each.is_open else ''}{_NAME}{each.key}={each.value}"


def suggest(sample: Sample) -> Suggestion:
    """What maps this file. A header in our own names comes first, then a preset that fits, then single lines."""
    if not missing_fields(find_columns(sample.header, NO_MAPPING), NO_MAPPING):
        values = tuple(propose_values(sample, NO_MAPPING))
        return Suggestion(("The header has our names: no column needs a mapping.",), (), (), values)
    fits = tuple(best_fits(sample))
    fields = fits[0].missing if len(fits) == 1 else FIELD_NAMES
    columns = tuple(propose(sample, fields))
    made = Suggestion(tuple(_remarks(sample, fits, columns)), fits, columns, ())
    live = "\n".join(line for line in made.lines() if not line.startswith("#"))
    return replace(made, values=tuple(propose_values(sample, parse_mapping(live))) if live else ())


def propose(sample: Sample, fields: Sequence[str] = FIELD_NAMES) -> list[Proposal]:
    """One proposal a field; no column is proposed twice, nor one of secrets or of another person."""
    chosen = by_name(sample, fields)
    chosen |= full_name(sample, fields, chosen)
    chosen |= by_content(sample, fields, chosen)
    return [chosen[field] if field in chosen else remainder(field, sample, chosen) for field in fields]


def _remarks(sample: Sample, fits: Sequence[Fit], columns: Sequence[Proposal]) -> Iterator[str]:
    if len(fits) == 1:
        missing = ", ".join(fits[0].missing)
        yield f"The preset {fits[0].name} fits best." + (f" It does not find {missing}." if missing else "")
        return
    if fits:
        yield f"These presets fit equally, {_NAME}extends=NAME takes one: {', '.join(fit.name for fit in fits)}."
    if not any(each.header is not None for each in columns):
        yield "No column was recognised. Is the first record the header?"
    elif not any(each.header is not None for each in columns if each.field in ("first_name", "last_name")):
        yield "No column holds names of people. Is this the file of people?"
    others = [name.strip() for name in sample.of_others()]
    if len(others) >= _MANY_OF_OTHERS:
        yield f"Columns such as {', '.join(others[:3])} speak of other people: does each record stand for the person?"
