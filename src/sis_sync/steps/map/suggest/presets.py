"""Find the preset of the system that made a file; each file of a bundle counts as a preset."""

from collections.abc import Iterator
from dataclasses import dataclass

from sis_sync.steps.map.columns import Columns, comparable, find_columns, missing_fields
from sis_sync.steps.map.mapper_lines import load_preset
from sis_sync.steps.map.mapping import Mapping
from sis_sync.steps.map.suggest.by_content import addresses, are_words_of, repeats
from sis_sync.steps.map.suggest.header_words import fold
from sis_sync.steps.map.suggest.known_names import called, names_of
from sis_sync.steps.map.suggest.proposal import shown
from sis_sync.steps.map.suggest.sample import Sample
from sis_sync.steps.map.suggest.signs import CASE_COUNTS, MIN_SIGNS, NEEDS_MORE, SIGNS

# One more line can add these for all rows; a file without IDs is not a list of people of this system.
_HAS_TO_FIND = frozenset(("custom_id",))


@dataclass(frozen=True)
class Fit:
    """A preset or one file of a bundle, and the fields that it lacks in this file."""

    name: str
    missing: tuple[str, ...]


def best_fits(sample: Sample) -> list[Fit]:
    """Return the presets of the system whose signs are in the header; several if they tie.

    Of two with as many signs, the one fits that reads more columns, then the one whose signs are all there. A preset of
    another system is never returned: each fit has enough signs of its own system.
    """
    found = []
    for name, signs in SIGNS.items():
        seen = _signs_seen(sample, name)
        if len(seen) >= NEEDS_MORE.get(name, MIN_SIGNS) and _is_suitable(variant := load_preset(name), sample):
            is_whole = len(seen) == len(signs)
            there = {comparable(name) for name in sample.header}
            reads = len({comparable(name) for name in variant.headers()} & there)
            missing = tuple(missing_fields(find_columns(sample.header, variant), variant))
            found.append(((len(seen), reads, is_whole), Fit(variant.name, missing)))
    most = max((rank for rank, _ in found), default=None)
    return [fit for rank, fit in found if rank == most]


def prefixed_columns(sample: Sample, mapping: Mapping) -> Iterator[tuple[str, str]]:
    """Yield the fields whose header stands after the name of a table, with that header: Students.First_Name."""
    columns = find_columns(sample.header, mapping)
    by_last = {comparable(name.rpartition(".")[2]): name for name in reversed(sample.usable) if "." in name}
    for field, rule in mapping.rules.items():
        found = (by_last[comparable(name)] for name in rule.columns if comparable(name) in by_last)
        header = next(found, None)
        if field not in columns.of_field and header is not None:
            yield field, header


def _signs_seen(sample: Sample, name: str) -> set[str]:
    """Return the signs of a preset that are in the header, also those after the name of a table."""
    parts = [part for header in sample.header for part in (header, header.rpartition(".")[2])]
    headers, signs = (
        {fold(shown(text).replace("\u2019", "'")) for text in texts} for texts in (parts, SIGNS.get(name, ()))
    )
    if name not in CASE_COUNTS:
        headers, signs = ({text.lower() for text in texts} for texts in (headers, signs))
    return headers & signs


def _is_suitable(variant: Mapping, sample: Sample) -> bool:
    columns = find_columns(sample.header, variant)
    prefixed = dict(prefixed_columns(sample, variant))
    supplying = {field: sample.header[place] for field, place in columns.of_field.items()} | prefixed
    if _HAS_TO_FIND - supplying.keys() or _overlooks(variant, columns, sample):
        return False
    if any(supplying[field] in sample.twice for field in supplying):
        return False
    emails = sample.values(supplying["email"]) if "email" in supplying else []
    if emails and not addresses(emails):
        return False  # user names, or addresses of only some people
    return not repeats(sample.values(supplying["custom_id"]))


def _overlooks(variant: Mapping, columns: Columns, sample: Sample) -> bool:
    """Return True if the preset sets a constant where this file has a column: leavers would become active."""
    for field in ("status", "user_type"):
        if variant.rule(field).constant and field not in columns.of_field:
            found = called(sample.usable, names_of(field))
            if any(field == "status" or are_words_of(field, sample.values(name)) for name in found):
                return True
    return False
