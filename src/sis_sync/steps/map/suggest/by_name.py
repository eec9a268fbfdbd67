"""Propose a column for each field by the names of the columns. A line that may be wrong is left open."""

import difflib
from collections.abc import Callable, Sequence

from sis_sync.core.fields import FIELDS, LISTED_VALUES
from sis_sync.steps.map.columns import comparable
from sis_sync.steps.map.suggest import by_content
from sis_sync.steps.map.suggest.header_words import STAFF_WORDS, STUDENT_WORDS, names_school_year, words_of
from sis_sync.steps.map.suggest.known_names import called, names_of
from sis_sync.steps.map.suggest.person_names import propose_names
from sis_sync.steps.map.suggest.proposal import Proposal, column, opened
from sis_sync.steps.map.suggest.sample import Sample
from sis_sync.steps.map.synonyms import (
    CLASS_NAMES,
    CONTRARY_FLAGS,
    LOGIN_NAME,
    NO_FIELD_WORDS,
    OUTSIDE_IDS,
    PLAIN_IDS,
    SCHOOL_NAMES,
    VAGUE_SCHOOLS,
    YEARS_OF_A_SCHOOL,
)

_SIMILAR = 0.85
_MIN_LENGTH = 5  # shorter names resemble too many others
_WEAK = 2  # such short names mean one thing here and another there
_SURE_SHORT = frozenset(("id", "gr"))
_ID_WORDS = frozenset(("id", "number", "no", "num", "nr", "code", "key", "nummer", "numero", "kod", "cislo", "numer"))
_WORDS_OF_GROUPS = frozenset(("entity", "building", "site", "campus", "org", "district", "status", "course", "group"))
_EXACT = {field.name: {comparable(name) for name in (field.name, *field.aliases)} for field in FIELDS}
# The ID comes last, so that a number that another field reads is not offered for it.
_ORDER = ("email", "school_district_external_id", *LISTED_VALUES, "position", "custom_id")
_NO_CODE = "a name, not a code"
Finder = Callable[[Sample, Sequence[str]], Proposal | None]


def propose_by_name(sample: Sample, fields: Sequence[str]) -> dict[str, Proposal]:
    """Return proposals by the names of the columns. No column is proposed twice."""
    chosen = {each.field: each for each in propose_names(sample) if each.field in fields}
    for find in (lambda field, *columns: _FINDERS[field](*columns), _misspelt):
        for field in (field for field in _ORDER if field in fields and field not in chosen):
            used = {each.header for each in chosen.values()}
            found = find(field, sample, [name for name in sample.usable if name not in used])
            if found:
                chosen[field] = found
    for field, proposal in chosen.items():
        if names_school_year(proposal.header or ""):
            chosen[field] = opened(proposal, "the header names a school year, so the line fits for one year only")
    return chosen


def _email(sample: Sample, free: Sequence[str]) -> Proposal | None:
    """Propose a column with addresses. The school's address comes before any other, a private one stays open."""
    found = [name for name in called(free, names_of("email")) if _may_hold_addresses(sample, name)]
    if not found:
        return None
    public = [name for name in found if not words_of(name).is_private]
    if not public:
        return opened(column("email", found[:1], _reason("email", found[0])), "this may be a private address")
    proposal = column("email", public[:1], _reason("email", public[0]), is_open=_is_weak(public[0]))
    *name, last = words_of(public[0]).words
    others = [[*words_of(other).words[:-1]] for other in free if other != public[0]]
    is_of_several = last in ("1", "01") and name in others
    return opened(proposal, "of several addresses, some may be of parents") if is_of_several else proposal


def _may_hold_addresses(sample: Sample, name: str) -> bool:
    """Return False for a column that is called like an email but has no addresses: it may contain user names."""
    values = sample.values(name)
    return bool(by_content.addresses(values)) if values else not _is_weak(name)


def _custom_id(sample: Sample, free: Sequence[str]) -> Proposal | None:
    """Propose the school's own number. A bare "ID" stays open, and so do the number of a state and a user name."""
    named = called(free, names_of("custom_id"))
    named += [name for name in called(free, PLAIN_IDS) if words_of(name).who & (STUDENT_WORDS | STAFF_WORDS)]
    outside = {*called(named, OUTSIDE_IDS)}
    own = [name for name in dict.fromkeys(named) if name not in outside]
    own = [name for name in own if not by_content.addresses(sample.values(name))]
    if own:
        return _identifier(sample, [*own, *_also_ids(sample, free, own)])
    weak = [name for names in (PLAIN_IDS, OUTSIDE_IDS, LOGIN_NAME) for name in called(free, names)]
    orgs = called(sample.usable, names_of("school_district_external_id"))
    weak += [name for name in orgs if _is_code(name) and _is_of_each(sample, name)]
    weak = [name for name in weak if sample.values(name) or not sample.rows]
    if not weak:
        return None
    why = "this may be a number of the table or of the state, or a user name. The school's own number is better"
    return opened(column("custom_id", list(dict.fromkeys(weak)), _reason("custom_id", weak[0])), why)


def _identifier(sample: Sample, own: Sequence[str]) -> Proposal:
    first = sample.cells(own[0])
    names = [own[0], *(name for name in own[1:] if sample.cells(name) != first)]
    proposal = column("custom_id", names, _reason("custom_id", own[0]))
    if by_content.repeats(sample.values(own[0])):
        return opened(proposal, "values repeat in many records, so these may not be the IDs of the people")
    return proposal


def _also_ids(sample: Sample, free: Sequence[str], own: Sequence[str]) -> list[str]:
    """Return other columns of numbers of people: which of them is the ID, only a person knows."""
    fields = ("school_district_external_id", "email", *LISTED_VALUES)
    others = {name for field in fields for name in called(free, names_of(field))}
    others |= {*called(free, (*OUTSIDE_IDS, *LOGIN_NAME, *CLASS_NAMES, *SCHOOL_NAMES)), *own}
    named = [name for name in free if name not in others and _ID_WORDS & {*words_of(name).words}]
    no_id = NO_FIELD_WORDS | _WORDS_OF_GROUPS
    return [name for name in named if not no_id & {*words_of(name).words} and _is_of_each(sample, name)]


def _is_of_each(sample: Sample, name: str) -> bool:
    """Return True if every record has a value of its own in this column."""
    values = sample.values(name)
    return len(values) == len(sample.rows) > 1 and len(set(values)) == len(values)


def _org(sample: Sample, free: Sequence[str]) -> Proposal | None:
    """Propose the code of the school, else its name, which stays open."""
    field = "school_district_external_id"
    found = called(free, names_of(field))
    if not found:
        named = called(free, SCHOOL_NAMES)
        return opened(column(field, named[:1], _reason(field, named[0])), _NO_CODE) if named else None
    others = [name for name in found[1:] if _is_code(name) and sample.cells(name) != sample.cells(found[0])]
    is_vague = _is_weak(found[0]) or bool(called(found[:1], VAGUE_SCHOOLS))
    proposal = column(field, [found[0], *others], _reason(field, found[0]), is_open=is_vague)
    if by_content.are_names(sample.values(found[0])):
        return opened(proposal, _NO_CODE)
    has_no_ids = not called(sample.usable, names_of("custom_id"))  # then it may be the ID that the school gave
    if by_content.are_all_different(sample.values(found[0])) or (has_no_ids and _is_of_each(sample, found[0])):
        return opened(proposal, "every record has another value, so these may not be schools")
    return proposal


def _is_code(name: str) -> bool:
    return len(words_of(name).words) > 1


def _listed(field: str) -> Finder:
    """Propose a column of listed values. It stays open unless its cells are known words."""

    def find(sample: Sample, free: Sequence[str]) -> Proposal | None:
        found = called(free, names_of(field))
        sure = [name for name in found if by_content.are_words_of(field, sample.values(name))]
        if sure:
            proposal = column(field, sure[:1], _reason(field, sure[0]))
            starts_again = called(sure[:1], YEARS_OF_A_SCHOOL) and by_content.are_first_years(sample.values(sure[0]))
            return opened(proposal, "some kinds of school count from 1 again") if starts_again else proposal
        if not found:
            return None
        is_ours = comparable(found[0]) in _EXACT[field] and not sample.values(found[0])
        proposal = column(field, found[:1], _reason(field, found[0]))
        return proposal if is_ours else opened(proposal, f"its cells are no known words for {field}")

    return find


def _position(sample: Sample, free: Sequence[str]) -> Proposal | None:
    """Propose a column of job titles, but not of Mr and Mrs."""
    found = [name for name in called(free, names_of("position")) if not by_content.are_salutations(sample.values(name))]
    if not found:
        return None
    is_open = sample.is_of_students or not sample.values(found[0])
    return column(
        "position", found[:1], _reason("position", found[0]), is_open=is_open and not _is_exact("position", found[0])
    )


def _misspelt(field: str, sample: Sample, free: Sequence[str]) -> Proposal | None:
    """Propose a column whose name is spelled almost like a known one. It stays open.

    Inactive is spelled almost like Active, but means the contrary.
    """
    contrary = {*called(free, CONTRARY_FLAGS)} if field == "status" else frozenset()
    by_form = {words_of(name).joined: name for name in free if name not in contrary}
    for wanted in names_of(field):
        form = words_of(wanted).joined
        close = difflib.get_close_matches(form, by_form, n=1, cutoff=_SIMILAR) if len(form) >= _MIN_LENGTH else []
        name = by_form[close[0]] if close else ""
        is_title = field == "position" and by_content.are_salutations(sample.values(name) if close else [])
        if close and not is_title and (field != "email" or _may_hold_addresses(sample, name)):
            return opened(column(field, [name], "similar name"), f'it is spelled almost like "{wanted}"')
    return None


def _reason(field: str, name: str) -> str:
    return "exact" if _is_exact(field, name) else "similar name"


def _is_exact(field: str, name: str) -> bool:
    return comparable(name) in _EXACT[field]


def _is_weak(name: str) -> bool:
    form = words_of(name).forms[-1]
    return len(form) <= _WEAK and form not in _SURE_SHORT


_FINDERS: dict[str, Finder] = {
    "email": _email,
    "custom_id": _custom_id,
    "school_district_external_id": _org,
    "position": _position,
    **{field: _listed(field) for field in LISTED_VALUES},
}
