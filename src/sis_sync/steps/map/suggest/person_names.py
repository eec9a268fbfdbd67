"""Propose the columns of first, middle and last name: of one family (legal, preferred), or one column split in two."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from sis_sync.core.fields import FIELDS
from sis_sync.steps.map.columns import comparable
from sis_sync.steps.map.suggest import by_content
from sis_sync.steps.map.suggest.header_words import words_of
from sis_sync.steps.map.suggest.known_names import called, names_of
from sis_sync.steps.map.suggest.proposal import Proposal, column, opened, shown
from sis_sync.steps.map.suggest.sample import Sample
from sis_sync.steps.map.synonyms import FIRST_OR_FULL, FULL_NAME, LAST_OR_FULL, LOGIN_NAME

# The families of first and last name that go together, best first. Only those with "usual" on one side are unsure.
_PAIRS = (("", ""), ("legal", "legal"), ("", "legal"), ("legal", ""), ("usual", "usual"), ("usual", ""), ("", "usual"))
_SURNAME_PARTS = (
    "Segundo Apellido",
    "Apellido 2",
    "Apellido Materno",
    "Tussenvoegsel",
    "Voorvoegsel",
    "Tussenvoegsels",
)
_PARTS_AFTER = _SURNAME_PARTS[:3]
_ENGLISH_FIRST = ("First Name", "First", "Forename", "Given Name")
_ALL_GIVEN_NAMES = ("Vornamen", "Voornamen", "Prénoms", "Etunimet", "Imiona", "Given Names", "First Names")
_OURS = {field.name: comparable(field.name) for field in FIELDS}


def propose_names(sample: Sample) -> list[Proposal]:
    """Return proposals for the names of the person. A user name is none, whatever its header: Nombre de usuario."""
    logins = map(shown, called(sample.usable, LOGIN_NAME))
    sample = replace(sample, hidden=sample.hidden.union(logins))
    firsts = called(sample.usable, names_of("first_name"))
    lasts = called(sample.usable, names_of("last_name"))
    sure_firsts = [name for name in firsts if not called([name], FIRST_OR_FULL)]
    if not lasts and sure_firsts:
        lasts = [
            name
            for name in called(sample.usable, LAST_OR_FULL)
            if name not in firsts and by_content.full_names(sample.values(name)) != ","
            if any(map(str.isalpha, "".join(sample.values(name)))) or not sample.values(name)
        ]
    if not lasts and not sure_firsts:
        return [*_full_name(sample), *_middle(sample, ())]
    found = list(_pair(sample, firsts, lasts))
    return [*found, *_middle(sample, [each.header or "" for each in found])]


def _pair(sample: Sample, firsts: Sequence[str], lasts: Sequence[str]) -> Iterator[Proposal]:
    for first_family, last_family in _PAIRS:
        first = next((name for name in firsts if words_of(name).family == first_family), None)
        last = next((name for name in lasts if words_of(name).family == last_family and name != first), None)
        if first is not None and last is not None:
            pair = (first_family, last_family)
            yield _with_called(firsts, _single("first_name", first, is_unsure=pair == ("usual", "")))
            is_unsure = pair == ("", "usual")
            is_english = bool(called([last], LAST_OR_FULL) and called([first], _ENGLISH_FIRST))
            proposal = _single("last_name", last, is_unsure=is_unsure or is_english)
            others = [name for name in lasts if name != last and words_of(name).family == last_family]
            yield _with_parts(sample, _offering(proposal, others) if is_unsure else proposal)
            return
    for field, names in (("first_name", firsts), ("last_name", lasts)):
        if names:
            yield _single(field, names[0], is_unsure=bool(words_of(names[0]).family == "usual"))


def _with_called(firsts: Sequence[str], proposal: Proposal) -> Proposal:
    """Offer the name that the person goes by, if the column holds all given names: Vornamen and Rufname."""
    usual = [name for name in firsts if words_of(name).family == "usual"]
    return _offering(proposal, usual) if usual and called([proposal.header or ""], _ALL_GIVEN_NAMES) else proposal


def _offering(proposal: Proposal, names: Sequence[str]) -> Proposal:
    others = tuple((f"column.{proposal.field}", shown(name)) for name in names)
    return replace(proposal, is_open=True, others=others)


def _single(field: str, name: str, *, is_unsure: bool) -> Proposal:
    reason = "exact" if comparable(name) == _OURS[field] else "similar name"
    proposal = column(field, [name], reason)
    return opened(proposal, "it is not the name on record") if is_unsure else proposal


def _with_parts(sample: Sample, last_name: Proposal) -> Proposal:
    """Offer to join the last name with its other column: a second surname, or "van der" before the name."""
    parts = [name for name in called(sample.usable, _SURNAME_PARTS) if name != last_name.header]
    if not parts or last_name.header is None or set("{}:") & {*parts[0], *last_name.header}:
        return last_name
    names = [f"{{{shown(last_name.header)}}}", f"{{{shown(parts[0])}}}"]
    joined = " ".join(names if called(parts[:1], _PARTS_AFTER) else reversed(names))
    proposal = opened(last_name, f'"{shown(parts[0])}" is a part of it')
    return replace(proposal, others=(("template.last_name", joined),))


def _middle(sample: Sample, used: Sequence[str]) -> Iterator[Proposal]:
    found = [name for name in called(sample.usable, names_of("middle_name")) if name not in used]
    for family in ("", "legal", "usual"):
        of_family = [name for name in found if words_of(name).family == family]
        if of_family:
            yield _single("middle_name", of_family[0], is_unsure=family == "usual")
            return


def _full_name(sample: Sample) -> Iterator[Proposal]:
    """Propose to split one column into first and last name, if neither has a column of its own."""
    names = called(sample.usable, (*FULL_NAME, *LAST_OR_FULL, *FIRST_OR_FULL))
    split = [(name, by_content.full_names(sample.values(name))) for name in names]
    for separator in (",", " "):
        for name in (name for name, found in split if found == separator and '"' not in name):
            yield from _split(name, separator)
            return


def _split(name: str, separator: str) -> Iterator[Proposal]:
    sides, reason = ("last_name", "first_name"), "content: last and first name with a comma between them"
    is_guess = separator == " "
    if is_guess:
        sides = ("first_name", "last_name")
        reason = "content: names with a space between them. Wrong for names of more than two words"
    for field, side in zip(sides, ("before", "after"), strict=True):
        value = f'{shown(name)}, {side} "{separator}"'
        yield Proposal(field, name, reason, f"split.{field}", value, is_open=is_guess)
