"""What the cells of a column look like. Each function gives the reason in words, empty where it does not look so."""

import re
from collections.abc import Callable, Sequence

from sis_sync.core.did_you_mean import known_meaning
from sis_sync.core.fields import CUSTOM_ID_PLACEHOLDERS, EMAIL_PATTERN

_EMAIL = re.compile(EMAIL_PATTERN)
_MOST = 0.9  # real columns have a few cells that are out of line
_FEWEST_IDS = 5
_MOST_DIFFERENT = 40
_DATE = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}.*")
_PHONE = re.compile(r"\+?[\d() .-]*\d{3}[ .-]\d{4}")
_ID = re.compile(r"[A-Za-z]{0,4}-?\d{2,20}")
_FLAGS = frozenset(("yes", "no", "true", "false"))


def addresses(values: Sequence[str]) -> str:
    """E-mail addresses."""
    return "addresses" if _mostly(values, lambda value: bool(_EMAIL.fullmatch(value))) else ""


def grade_codes(values: Sequence[str]) -> str:
    """Codes of grades, at least one of which is more than a number: numbers alone may count anything."""
    different = set(values)
    is_code = _mostly(values, lambda value: bool(known_meaning("grade", value)))
    says_more = any(not value.isdigit() or value.startswith("0") for value in different if value != "0")
    return f"grade codes ({_examples(different)})" if is_code and says_more else ""


def listed_words(field: str, values: Sequence[str]) -> str:
    """Words for the values of user_type or status; yes, true and single letters may answer any question."""
    different = set(values)
    if len(different) > _MOST_DIFFERENT or not _mostly(values, lambda value: bool(known_meaning(field, value))):
        return ""
    says_more = any(len(value) > 1 and not value.isdigit() and value.lower() not in _FLAGS for value in different)
    return f"words for {field} ({_examples(different)})" if says_more else ""


def identifiers(values: Sequence[str], records: int) -> str:
    """Different codes of one form in every record: no dates, no telephone numbers."""
    usual = [value for value in values if _ID.fullmatch(value) and not _PHONE.fullmatch(value)]
    if records < _FEWEST_IDS or len(usual) < records or any(_DATE.fullmatch(value) for value in usual):
        return ""
    lengths = {len(value) for value in usual}
    is_one_form = len({value.rstrip("0123456789") for value in usual}) == 1 and max(lengths) - min(lengths) <= 1
    return f"different codes ({_examples(usual[:3])})" if is_one_form and not repeats(usual) else ""


def repeats(values: Sequence[str]) -> bool:
    """Whether values come again so often that they are no IDs of people."""
    real = [value for value in values if value.upper() not in CUSTOM_ID_PLACEHOLDERS]
    return len(set(real)) < _MOST * len(real)


def full_names(values: Sequence[str]) -> str:
    """The separator of names in one cell: a comma, a space, or empty where they are neither."""
    for separator in (",", " "):
        if _mostly(values, lambda value, separator=separator: bool(value.partition(separator)[2].strip())):  # type: ignore[misc]
            return separator
    return ""


def _mostly(values: Sequence[str], is_so: Callable[[str], bool]) -> bool:
    return bool(values) and sum(map(is_so, values)) >= _MOST * len(values)


def _examples(values: Sequence[str] | set[str]) -> str:
    return ", ".join(sorted(values)[:3])
