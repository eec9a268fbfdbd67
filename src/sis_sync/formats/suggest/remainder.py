"""What is proposed for a field that no column supplies: a part of a full name, a template, a constant."""

from collections.abc import Sequence

from sis_sync.core.fields import ACTIVE, FIELDS, STUDENT
from sis_sync.formats.header import comparable
from sis_sync.formats.mapping import FieldRule
from sis_sync.formats.suggest import content
from sis_sync.formats.suggest.columns import Proposal
from sis_sync.formats.suggest.sample import Sample, bare
from sis_sync.formats.synonyms import FULL_NAME, LOGIN_NAME, WHO

_OPTIONAL = frozenset(field.name for field in FIELDS if not field.is_required)
_DOMAIN = "district.example"
_ADVICE = {
    "first_name": "no column is called so: export it",
    "last_name": "no column is called so: export it",
    "custom_id": "no column looks like the Employee or Student ID: export it. Without it nothing is sent",
    "school_district_external_id": "nothing fits. Where all are of one school: its external ID, as under Settings",
    "status": "nothing fits. Where the file lists active people only",
}


def full_name(sample: Sample, fields: Sequence[str], chosen: dict[str, Proposal]) -> dict[str, Proposal]:
    """First and last name out of one column, if neither has its own."""
    if {"first_name", "last_name"} & chosen.keys() or not {"first_name", "last_name"} <= set(fields):
        return {}
    for name in _named(sample, FULL_NAME):
        separator = content.full_names(sample.values(name))
        if separator and '"' not in name:
            return _split(name, separator)
    return {}


def remainder(field: str, sample: Sample, chosen: dict[str, Proposal]) -> Proposal:
    """The line for a field without a column; open, except where empty is a good value for everybody."""
    if field in _OPTIONAL:
        return Proposal(field, None, "nothing fits: empty for everybody", f"constant.{field}", "")
    if field == "email":
        return _address(sample, chosen)
    if field == "user_type":
        value, reason = _everybody(sample, chosen)
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
    reason = "no column holds addresses. Made from another column; correct the domain"
    names = _named(sample, LOGIN_NAME)
    of_id = chosen.get("custom_id")
    if of_id and of_id.header is not None:
        names.append(of_id.header)
    for name in names:
        template = f"{{{name.strip()}:lower}}@{_DOMAIN}"
        if FieldRule.placeholders(template) == [(name.strip(), "lower")]:
            return Proposal("email", name, reason, "template.email", template, is_open=True)
    return Proposal("email", None, reason, "template.email", f"{{custom_id}}@{_DOMAIN}", is_open=True)


def _everybody(sample: Sample, chosen: dict[str, Proposal]) -> tuple[str, str]:
    """The one type that the names of the columns speak of."""
    headers = [comparable(name) for name in sample.header]
    for word, user_type in (("student", STUDENT), ("pupil", STUDENT), ("teacher", "Teacher"), ("employee", "Staff")):
        if any(header.startswith(word) for header in headers) and chosen:
            return user_type, f"similar name: columns speak of {word}s. Where the file lists nobody else"
    return "", "nothing fits. Where all are of one type: Student, Teacher, Staff or Administrator"
