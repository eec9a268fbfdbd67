"""Find the presets that fit a file; each file of a bundle counts as a preset."""

from collections.abc import Iterator
from dataclasses import dataclass

from sis_sync.steps.map.columns import Columns, comparable, find_columns, missing_fields
from sis_sync.steps.map.mapper_lines import load_preset, preset_names
from sis_sync.steps.map.mapping import Mapping
from sis_sync.steps.map.suggest.by_content import repeats
from sis_sync.steps.map.suggest.sample import Sample, bare
from sis_sync.steps.map.synonyms import SYNONYMS

# One more line can add these for all rows; a file without IDs or names is not a list of people.
_CAN_BE_ADDED = frozenset(("email", "school_district_external_id", "user_type", "grade"))
_MIN_HEADERS = 4


@dataclass(frozen=True)
class Fit:
    """A preset or one file of a bundle, and the fields that it lacks in this file."""

    name: str
    missing: tuple[str, ...]


def variants() -> Iterator[Mapping]:
    """Yield every preset, and each file of a bundle instead of the bundle."""
    for name in preset_names():
        preset = load_preset(name)
        yield from preset.variants or (preset,)


def best_fits(sample: Sample) -> list[Fit]:
    """Return the presets that read the most columns of this file; several if they tie.

    The fields that they lack do not count: a list of students without grades is not a list of staff.
    """
    there = {comparable(name) for name in sample.header}
    found = []
    for variant in variants():
        named = len({comparable(name) for name in variant.headers()} & there)
        columns = find_columns(sample.header, variant)
        missing = tuple(missing_fields(columns, variant))
        if named >= _MIN_HEADERS and _is_suitable(variant, columns, missing, sample):
            found.append((named, Fit(variant.name, missing)))
    most = max((named for named, _ in found), default=0)
    return [fit for named, fit in found if named == most]


def _is_suitable(variant: Mapping, columns: Columns, missing: tuple[str, ...], sample: Sample) -> bool:
    if set(missing) - _CAN_BE_ADDED or _overlooks(variant, columns, sample):
        return False
    usable = sample.usable()
    supplying = {field: sample.header[position] for field, position in columns.of_field.items()}
    is_sound = all(supplying[field] in usable for field in ("custom_id", "email") if field in supplying)
    return is_sound and not repeats(sample.values(supplying["custom_id"]))


def _overlooks(variant: Mapping, columns: Columns, sample: Sample) -> bool:
    """Return True if the preset sets a constant where this file has a column: leavers would become active."""
    for field in ("status", "user_type"):
        names = {comparable(name) for name in (field, *SYNONYMS[field])}
        if variant.rule(field).constant and field not in columns.of_field and names & set(map(bare, sample.header)):
            return True
    return False
