"""Look headers up in lists of known names: find the headers that fit a name, the best one first."""

import functools
from collections.abc import Iterable, Sequence

from sis_sync.core.fields import FIELDS
from sis_sync.steps.map.mapper_lines import load_preset, preset_files, preset_names
from sis_sync.steps.map.mapping import Mapping
from sis_sync.steps.map.suggest.header_words import spellings, words_of
from sis_sync.steps.map.synonyms import (
    FIRST_OR_FULL,
    FULL_NAME,
    LAST_OR_FULL,
    LOGIN_NAME,
    OUTSIDE_IDS,
    PLAIN_IDS,
    SCHOOL_NAMES,
    SYNONYMS,
)

_LITERAL = {field.name: (field.name, *field.aliases) for field in FIELDS}


def called(headers: Sequence[str], names: tuple[str, ...]) -> list[str]:
    """Return the headers that one of these names fits, the best name first.

    Of equal names the one comes first that names the person ("Student Email"), then the first column.
    """
    known = _ranks(names)
    found = {}
    for header in headers:
        ranks = [known[form] for form in words_of(header).forms if form in known]
        if ranks:
            found[header] = (min(ranks), not words_of(header).who)
    return sorted(found, key=found.__getitem__)


def names_of(field: str) -> tuple[str, ...]:
    """Return the names of a field: our own, then those of other systems."""
    return (*_LITERAL[field], *SYNONYMS[field])


def is_known(header: str) -> bool:
    """Return True if the header is a name that any system uses for one of our fields."""
    return any(form in _all_forms() for form in words_of(header).forms)


def variants() -> Iterable[Mapping]:
    """Yield every preset, and each file of a bundle instead of the bundle."""
    for preset in preset_names():
        yield from map(load_preset, preset_files(preset))


@functools.cache
def _all_forms() -> frozenset[str]:
    lists = (*map(names_of, SYNONYMS), FIRST_OR_FULL, LAST_OR_FULL, FULL_NAME, LOGIN_NAME, PLAIN_IDS, OUTSIDE_IDS)
    of_presets = tuple(header for variant in variants() for header in variant.headers())
    return frozenset(form for names in (*lists, SCHOOL_NAMES, of_presets) for form in _ranks(names))


@functools.cache
def _ranks(names: tuple[str, ...]) -> dict[str, int]:
    """Return the rank of each form of the names. A name without its little words ("de", "of") is the same name."""
    ranks: dict[str, int] = {}
    for rank, name in enumerate(names):
        for form in (*spellings(name), words_of(name).without_links):
            if form:
                ranks.setdefault(form, rank)
    return ranks
