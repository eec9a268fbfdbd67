"""Guess the content of a column from its cells. Each function returns the reason, or "" if it does not fit."""

import re
from collections.abc import Callable, Sequence

from sis_sync.core.did_you_mean import known_meaning
from sis_sync.core.fields import EMAIL_PATTERN, is_placeholder_id

_EMAIL = re.compile(EMAIL_PATTERN)
_MIN_SHARE = 0.9  # real columns have a few cells of another kind
_MIN_IDS = 5
_MAX_DIFFERENT = 40
_DATE = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}.*")
_PHONE = re.compile(r"\+?[\d() .-]*\d{3}[ .-]\d{4}")
_ID = re.compile(r"[A-Za-z]{0,4}-?\d{2,20}")
_FLAGS = frozenset(("yes", "no", "true", "false"))


def addresses(values: Sequence[str]) -> str:
    """Return "addresses" if the cells are e-mail addresses."""
    return "addresses" if _mostly(values, lambda value: bool(_EMAIL.fullmatch(value))) else ""


def grade_codes(values: Sequence[str]) -> str:
    """Return a reason if the cells are grade codes. Plain numbers alone are not enough: they may count anything."""
    different = set(values)
    is_code = _mostly(values, lambda value: bool(known_meaning("grade", value)))
    says_more = any(not value.isdigit() or value.startswith("0") for value in different if value != "0")
    return f"grade codes ({_examples(different)})" if is_code and says_more else ""


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
    if records < _MIN_IDS or len(usual) < records or any(_DATE.fullmatch(value) for value in usual):
        return ""
    lengths = {len(value) for value in usual}
    is_one_form = len({value.rstrip("0123456789") for value in usual}) == 1 and max(lengths) - min(lengths) <= 1
    return f"different codes ({_examples(usual[:3])})" if is_one_form and not repeats(usual) else ""


def repeats(values: Sequence[str]) -> bool:
    """Return True if values repeat so often that they cannot be IDs of people."""
    real = [value for value in values if not is_placeholder_id(value)]
    return len(set(real)) < _MIN_SHARE * len(real)


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
