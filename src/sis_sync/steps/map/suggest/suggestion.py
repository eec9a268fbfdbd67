"""The suggestion for a file: a preset and the lines that it lacks, or a line for every field."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from sis_sync.core.fields import ACTIVE, FIELD_NAMES, FIELDS, STUDENT
from sis_sync.steps.map.columns import comparable, find_columns, missing_fields
from sis_sync.steps.map.mapper_lines import parse_mapping
from sis_sync.steps.map.mapping import NO_MAPPING, FieldRule
from sis_sync.steps.map.suggest import by_content
from sis_sync.steps.map.suggest.by_name import Proposal, propose_by_content, propose_by_name
from sis_sync.steps.map.suggest.presets import Fit, best_fits
from sis_sync.steps.map.suggest.sample import Sample, bare
from sis_sync.steps.map.suggest.values import propose_values
from sis_sync.steps.map.synonyms import FULL_NAME, LOGIN_NAME, WHO

_NAME = "mapper.suggested."
_MANY_OF_OTHERS = 3
_OPTIONAL = frozenset(field.name for field in FIELDS if not field.is_required)
_DOMAIN = "district.example"
_ADVICE = {
    "first_name": "no column has this name: export it",
    "last_name": "no column has this name: export it",
    "custom_id": "no column looks like the Employee or Student ID: export it. Without it nothing is sent",
    "school_district_external_id": "nothing fits. If everyone is at one school: its external ID, as under Settings",
    "status": "nothing fits. If the file lists only active people",
}


@dataclass(frozen=True)
class Suggestion:
    """`presets` are those that fit best, `columns` the proposals for the fields that they lack."""

    remarks: tuple[str, ...]
    presets: tuple[Fit, ...]
    columns: tuple[Proposal, ...]
    values: tuple[Proposal, ...]

    def lines(self) -> Iterator[str]:
        """Yield the lines of a `.properties` text. Remarks, reasons and undecided lines are comments."""
        yield from (f"# {remark}" for remark in self.remarks)
        if len(self.presets) == 1:
            yield f"{_NAME}extends={self.presets[0].name}"
        for each in (*self.columns, *self.values):
            advice = " Check this, and remove the # from the next line:" if each.is_open else ""
            yield f"# {each.field}: {' '.join(each.reason.split())}.{advice}"
            yield f"{'#' if each.is_open else ''}{_NAME}{each.key}={each.value}"


def suggest(sample: Sample) -> Suggestion:
    """Return the suggestion: no columns for a header with our names, else a preset that fits, else single lines."""
    if not missing_fields(find_columns(sample.header, NO_MAPPING), NO_MAPPING):
        values = tuple(propose_values(sample, NO_MAPPING))
        return Suggestion(("The header has our names: no column needs a mapping.",), (), (), values)
    fits = tuple(best_fits(sample))
    fields = fits[0].missing if len(fits) == 1 else FIELD_NAMES
    columns = tuple(propose(sample, fields))
    made = Suggestion(tuple(_remarks(sample, fits, columns)), fits, columns, ())
    live = "\n".join(line for line in made.lines() if not line.startswith("#"))
    return replace(made, values=tuple(propose_values(sample, parse_mapping(live))) if live else ())


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
        yield "No column contains names of people. Is this the file of people?"
    others = [name.strip() for name in sample.of_others()]
    if len(others) >= _MANY_OF_OTHERS:
        yield f"Columns such as {', '.join(others[:3])} speak of other people: does each record stand for the person?"


def propose(sample: Sample, fields: Sequence[str] = FIELD_NAMES) -> list[Proposal]:
    """Return a proposal for each field. No column is proposed twice, and none with secrets or about another person."""
    chosen = propose_by_name(sample, fields)
    chosen |= _full_name(sample, fields, chosen)
    chosen |= propose_by_content(sample, fields, chosen)
    return [chosen[field] if field in chosen else _remainder(field, sample, chosen) for field in fields]


def _full_name(sample: Sample, fields: Sequence[str], chosen: dict[str, Proposal]) -> dict[str, Proposal]:
    """Propose to split one column into first and last name, if neither has a column of its own."""
    if {"first_name", "last_name"} & chosen.keys() or not {"first_name", "last_name"} <= set(fields):
        return {}
    for name in _named(sample, FULL_NAME):
        separator = by_content.full_names(sample.values(name))
        if separator and '"' not in name:
            return _split(name, separator)
    return {}


def _remainder(field: str, sample: Sample, chosen: dict[str, Proposal]) -> Proposal:
    """Propose a line for a field without a column. It is open, unless the field may be empty for everyone."""
    if field in _OPTIONAL:
        return Proposal(field, None, "nothing fits: empty for everyone", f"constant.{field}", "")
    if field == "email":
        return _address(sample, chosen)
    if field == "user_type":
        value, reason = _type_of_everyone(sample, chosen)
        return Proposal(field, None, reason, f"constant.{field}", value, is_open=True)
    kind = "constant" if field in ("school_district_external_id", "status") else "column"
    return Proposal(field, None, _ADVICE[field], f"{kind}.{field}", ACTIVE if field == "status" else "", is_open=True)


def _named(sample: Sample, names: Sequence[str]) -> list[str]:
    wanted = {comparable(f"{who} {name}") for name in names for who in WHO}
    return [name for name in sample.usable() if bare(name) in wanted]


def _split(name: str, separator: str) -> dict[str, Proposal]:
    sides, reason = ("last_name", "first_name"), "content: last and first name with a comma between them"
    is_guess = separator == " "
    if is_guess:
        sides = ("first_name", "last_name")
        reason = "content: names with a space between them. Wrong for names of more than two words"
    values = (f'{name.strip()}, {side} "{separator}"' for side in ("before", "after"))
    return {
        field: Proposal(field, name, reason, f"split.{field}", value, is_open=is_guess)
        for field, value in zip(sides, values, strict=True)
    }


def _address(sample: Sample, chosen: dict[str, Proposal]) -> Proposal:
    reason = "no column contains addresses. Made from another column; correct the domain"
    names = _named(sample, LOGIN_NAME)
    of_id = chosen.get("custom_id")
    if of_id and of_id.header is not None:
        names.append(of_id.header)
    for name in names:
        template = f"{{{name.strip()}:lower}}@{_DOMAIN}"
        if FieldRule.placeholders(template) == [(name.strip(), ("lower",))]:
            return Proposal("email", name, reason, "template.email", template, is_open=True)
    return Proposal("email", None, reason, "template.email", f"{{custom_id}}@{_DOMAIN}", is_open=True)


def _type_of_everyone(sample: Sample, chosen: dict[str, Proposal]) -> tuple[str, str]:
    """Return the type of user that the names of the columns suggest, and the reason."""
    headers = [comparable(name) for name in sample.header]
    for word, user_type in (("student", STUDENT), ("pupil", STUDENT), ("teacher", "Teacher"), ("employee", "Staff")):
        if any(header.startswith(word) for header in headers) and chosen:
            return user_type, f"similar name: columns speak of {word}s. If the file lists no one else"
    return "", "nothing fits. If everyone is of one type: Student, Teacher, Staff or Administrator"
