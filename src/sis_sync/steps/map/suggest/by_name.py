"""Propose a column for each field, with the reason: exact name, name of a preset, similar name, content."""

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sis_sync.core.fields import FIELDS, Field
from sis_sync.steps.map.columns import comparable
from sis_sync.steps.map.suggest import by_content
from sis_sync.steps.map.suggest.presets import variants
from sis_sync.steps.map.suggest.sample import Sample, bare
from sis_sync.steps.map.synonyms import SYNONYMS, WHO

_SIMILAR = 0.85
_MIN_LENGTH = 5  # shorter names resemble too many others


@dataclass(frozen=True)
class Proposal:
    """A mapper line for a field (`key` without `mapper.NAME.`), and the reason. `is_open`: a person has to decide.

    `header` is the column that the line reads, None if it reads none.
    """

    field: str
    header: str | None
    reason: str
    key: str
    value: str
    is_open: bool = False


def propose_by_name(sample: Sample, fields: Sequence[str]) -> dict[str, Proposal]:
    """Return proposals by the names of the columns. No column is proposed twice."""
    free = sample.usable()
    chosen: dict[str, Proposal] = {}
    for find in (_exact, _of_presets, _similar, _misspelt):
        for field in (field for field in FIELDS if field.name in fields and field.name not in chosen):
            found = [(name, why) for name, why in find(field, free) if _may_be(field.name, name, sample)]
            if found:
                chosen[field.name] = _column(field.name, found, sample)
                free.remove(found[0][0])
    return chosen


def propose_by_content(sample: Sample, fields: Sequence[str], chosen: dict[str, Proposal]) -> dict[str, Proposal]:
    """Return proposals by the cells, for fields not yet chosen. If several columns fit, the reason names them."""
    used = {each.header for each in chosen.values()}
    free = [name for name in sample.usable() if name not in used]
    found = {}
    for field in (field for field in ("email", "grade", "user_type", "status", "custom_id") if field in fields):
        reasons = {name: reason for name in free if (reason := _look(field, name, sample))}
        if field not in chosen and reasons:
            found[field] = _of_content(field, reasons)
            free = [name for name in free if name not in reasons]
    return found


def _exact(field: Field, free: Sequence[str]) -> Iterator[tuple[str, str]]:
    for name in _called(free, (field.name, *field.aliases)):
        yield name, "exact"


def _of_presets(field: Field, free: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield the first choices of all presets, then their second choices: a state's ID comes after the school's own."""
    ranked = [(rank, name, each.name) for each in variants() for rank, name in enumerate(each.rule(field.name).columns)]
    seen = set()
    for _, wanted, preset in sorted(ranked, key=lambda each: each[0]):
        for name in _called(free, (wanted,)):
            if name not in seen:
                yield name, f"preset {preset}"
            seen.add(name)


def _similar(field: Field, free: Sequence[str]) -> Iterator[tuple[str, str]]:
    by_form = {bare(name): name for name in reversed(free)}
    wanted = (comparable(f"{who} {name}") for name in (field.name, *SYNONYMS[field.name]) for who in WHO)
    for form in dict.fromkeys(wanted):
        if form in by_form:
            yield by_form[form], "similar name"


def _misspelt(field: Field, free: Sequence[str]) -> Iterator[tuple[str, str]]:
    by_form = {bare(name): name for name in free}
    for wanted in (field.name, *field.aliases, *SYNONYMS[field.name]):
        if len(wanted) >= _MIN_LENGTH:
            for close in difflib.get_close_matches(comparable(wanted), by_form, n=1, cutoff=_SIMILAR):
                yield by_form[close], "similar name"
                return


def _called(free: Sequence[str], names: Sequence[str]) -> list[str]:
    return [name for wanted in map(comparable, names) for name in free if comparable(name) == wanted]


def _may_be(field: str, name: str, sample: Sample) -> bool:
    """Return False for a column that is called like an email but has no addresses: it may contain user names."""
    values = sample.values(name)
    return field != "email" or not values or bool(by_content.addresses(values))


def _column(field: str, found: Sequence[tuple[str, str]], sample: Sample) -> Proposal:
    (name, reason), *others = found
    if others:
        reason += "; " + ", ".join(f'"{other.strip()}"' for other, _ in others[:3]) + " would fit as well"
    repeats = field == "custom_id" and by_content.repeats(sample.values(name))
    if repeats:
        reason += "; values repeat in many records, so these may not be the IDs of the people"
    return Proposal(field, name, reason, f"column.{field}", name.strip(), is_open=repeats)


def _look(field: str, name: str, sample: Sample) -> str:
    values = sample.values(name)
    if field == "email":
        return by_content.addresses(values)
    if field == "grade":
        return by_content.grade_codes(values)
    if field == "custom_id":
        return by_content.identifiers(values, len(sample.rows))
    return by_content.listed_words(field, values)


def _of_content(field: str, reasons: dict[str, str]) -> Proposal:
    name, reason = next(iter(reasons.items()))
    others = [f'"{other.strip()}"' for other in reasons if other != name]
    reason = f"content: {reason}" + (f"; {', '.join(others[:3])} would fit as well" if others else "")
    is_open = bool(others) or field == "custom_id"  # an ID from a wrong column would make everyone new
    return Proposal(field, name, reason, f"column.{field}", name.strip(), is_open=is_open)
