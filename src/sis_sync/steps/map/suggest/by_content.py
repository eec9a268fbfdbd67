"""Guess the content of a column from its cells. Each function returns the reason, or "" if it does not fit."""

import re
from collections.abc import Callable, Sequence

from sis_sync.core.did_you_mean import known_meaning
from sis_sync.core.fields import ACTIVE, DISABLED, EMAIL_PATTERN
from sis_sync.core.placeholder_ids import is_placeholder_id
from sis_sync.steps.map.suggest.proposal import shape

_EMAIL = re.compile(EMAIL_PATTERN)
_MIN_SHARE = 0.9  # real columns have a few cells of another kind
_MIN_IDS = 5
_MIN_ORGS = 4
_MAX_DIFFERENT = 40
_DATE = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}.*")
_PHONE = re.compile(r"\+?[\d() .-]*\d{3}[ .-]\d{4}")
_ID = re.compile(r"[A-Za-z]{0,4}-?\d{2,20}")
_CLASS = re.compile(r"(?P<grade>\d{1,2})(?: ?[-./]? ?[^\W\d_].{0,4})?")
_NAME = re.compile(r"[A-ZÀ-Þ][^\W\d_]*[a-zß-ÿ]|\w \w")
_YEARS_OF_SECONDARY = 6
_SIGNED = re.compile(r"[-\u2212\u2013+]\d+")
_FLAGS = frozenset(
    (
        *(
            "yes",
            "no",
            "true",
            "false",
            "ja",
            "nein",
            "nee",
            "nej",
            "nei",
            "oui",
            "non",
            "si",
            "sí",
            "sì",
            "sim",
            "não",
        ),
        *("tak", "nie", "ano", "ne", "kyllä", "ei", "igen", "nem"),
    )
)
_SALUTATIONS = frozenset(
    (
        *("mr", "mrs", "ms", "miss", "mx", "dr", "prof", "sir", "madam", "rev", "fr", "sr", "herr", "frau", "m", "mme"),
        *("mlle", "monsieur", "madame", "sra", "srta", "don", "dona", "sig", "signora", "signor", "dhr", "mevr", "mw"),
        *("pan", "pani", "hr", "fru", "fröken", "rouva", "herra", "d", "da", "sig.ra", "divers"),
    )
)


def is_address(value: str) -> bool:
    """Return True for an e-mail address."""
    return bool(_EMAIL.fullmatch(value.strip()))


def is_date(value: str) -> bool:
    """Return True for a day, in any order of its parts."""
    return bool(_DATE.fullmatch(value.strip()))


def addresses(values: Sequence[str]) -> str:
    """Return "addresses" if the cells are e-mail addresses."""
    return "addresses" if _mostly(values, is_address) else ""


def are_dates(values: Sequence[str]) -> bool:
    """Return True if the cells are days."""
    return _mostly(values, is_date)


def date_format(values: Sequence[str]) -> str:
    """Return the form in which days are written, such as MM/DD/YYYY; "" if the cells leave it open."""
    parts = [
        found for value in values if (found := re.split(r"[-/.]", value.split(" ")[0].split("T")[0])) and found[2:]
    ]
    if not parts or any(not each.isdigit() for found in parts for each in found):
        return ""
    mark = next(letter for letter in values[0] if letter in "-/.")
    if all(len(found[0]) == 4 for found in parts):
        return mark.join(("YYYY", "MM", "DD"))
    first, second = (max(int(found[place]) for found in parts) for place in (0, 1))
    if first > 12 and second > 12:
        return ""
    day_first = first > 12 or mark == "."
    month_first = second > 12 and not day_first
    return mark.join(("DD", "MM", "YYYY") if day_first else ("MM", "DD", "YYYY")) if day_first or month_first else ""


def grade_codes(values: Sequence[str]) -> str:
    """Return a reason if the cells are grade codes. Plain numbers alone are not enough: they may count anything."""
    different = set(values)
    is_code = _mostly(values, lambda value: bool(known_meaning("grade", value)))
    says_more = any(not value.isdigit() or value.startswith("0") for value in different if value != "0")
    return f"grade codes ({_examples(different)})" if is_code and says_more else ""


def are_words_of(field: str, values: Sequence[str]) -> bool:
    """Return True if at least half of the different cells are known words of a listed field."""
    different = set(values)
    known = [value for value in different if known_meaning(field, value) or (field == "grade" and is_signed(value))]
    return bool(known) and len(different) <= _MAX_DIFFERENT and 2 * len(known) >= len(different)


def is_signed(value: str) -> bool:
    """Return True for a number with a sign: -1 is not grade 1."""
    return bool(_SIGNED.fullmatch(value.strip()))


def grades_of_classes(values: Sequence[str]) -> dict[str, str]:
    """Return the grade, as written, that each class begins with: 06 for 06a, 10 for 10b. Empty for other cells."""
    found = {value: _CLASS.fullmatch(value) for value in values}
    grades = {value: each["grade"] for value, each in found.items() if each}
    is_class = len(grades) == len(found) and all(known_meaning("grade", grade) for grade in grades.values())
    return grades if is_class and "=" not in "".join(grades) else {}


def status_of_contrary(value: str) -> str:
    """Return the status for a cell of a column such as "Suspended": yes is Disabled. "" if the cell is no flag."""
    meaning = {"t": ACTIVE, "f": DISABLED, "": DISABLED}.get(value.lower()) or known_meaning("status", value)
    return {ACTIVE: DISABLED, DISABLED: ACTIVE}.get(meaning, "")


def are_flags(values: Sequence[str]) -> bool:
    """Return True if the cells are words for yes and no."""
    return all(value.lower() in _FLAGS for value in values if value)


def are_salutations(values: Sequence[str]) -> bool:
    """Return True if the cells are words such as Mr and Frau, which say nothing about a position."""
    return _mostly(values, lambda value: value.lower().rstrip(".") in _SALUTATIONS)


def listed_words(field: str, values: Sequence[str]) -> str:
    """Return a reason if the cells are words of user_type or status. Only yes, true or single letters are too vague."""
    different = set(values)
    if len(different) > _MAX_DIFFERENT or not _mostly(values, lambda value: bool(known_meaning(field, value))):
        return ""
    says_more = any(len(value) > 1 and not value.isdigit() and value.lower() not in _FLAGS for value in different)
    return f"words for {field} ({_examples(different)})" if says_more else ""


def identifiers(values: Sequence[str], records: int) -> str:
    """Return a reason if every record has a different code of the same form, but no date or telephone number."""
    usual = [value for value in values if _ID.fullmatch(value) and not _PHONE.fullmatch(value)]
    if records < _MIN_IDS or len(usual) < records or any(is_date(value) for value in usual):
        return ""
    lengths = {len(value) for value in usual}
    is_one_form = len({value.rstrip("0123456789") for value in usual}) == 1 and max(lengths) - min(lengths) <= 1
    return f"different codes such as {shape(usual[0])}" if is_one_form and not repeats(usual) else ""


def repeats(values: Sequence[str]) -> bool:
    """Return True if values repeat so often that they cannot be IDs of people."""
    real = [value for value in values if not is_placeholder_id(value)]
    return len(set(real)) < _MIN_SHARE * len(real)


def are_all_different(values: Sequence[str]) -> bool:
    """Return True if no value repeats in several records: then they are no schools."""
    return len(values) >= _MIN_ORGS and len(set(values)) == len(values)


def are_names(values: Sequence[str]) -> bool:
    """Return True if the cells are names, such as Elm Street: no digit, and small letters or blanks."""
    return not any(re.search(r"\d", value) for value in values) and any(map(_NAME.search, values))


def are_first_years(values: Sequence[str]) -> bool:
    """Return True if all grades are among those that a secondary school may have, if it counts from 1 again."""
    years = [value.strip() for value in values]
    return all(year.isdigit() and int(year) <= _YEARS_OF_SECONDARY for year in years)


def full_names(values: Sequence[str]) -> str:
    """Return the separator of the names in a cell: a comma, a space, or "" for neither."""
    for separator in (",", " "):
        if _mostly(values, lambda value, separator=separator: bool(value.partition(separator)[2].strip())):  # type: ignore[misc]
            return separator
    return ""


def _mostly(values: Sequence[str], test: Callable[[str], bool]) -> bool:
    return bool(values) and sum(map(test, values)) >= _MIN_SHARE * len(values)


def _examples(values: Sequence[str] | set[str]) -> str:
    return ", ".join(sorted(values)[:3])
