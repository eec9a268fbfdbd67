"""Values that stand for no Employee or Student ID (section 1 of the file format)."""

# What a spreadsheet writes where a formula has no value.
ERROR_WORDS: tuple[str, ...] = ("#N/A", "#REF!", "#VALUE!", "#NAME?", "#NUM!", "#DIV/0!", "#NULL!")
# In any case. Others are recognised by their signs: see is_placeholder_id.
CUSTOM_ID_PLACEHOLDERS: tuple[str, ...] = (
    *("N/A", "NULL", "NONE", "NAN", "NEW", "UNKNOWN", "(NULL)", "-"),
    *ERROR_WORDS,
)


def is_placeholder_id(value: str) -> bool:
    """Return True if a value that is not empty stands for no ID.

    A spreadsheet writes ## where a column is too narrow for a number.
    """
    is_word = value.upper() in CUSTOM_ID_PLACEHOLDERS
    return is_word or value.startswith("=") or not value.strip("0") or (value[:2] == "##" and not value.strip("#"))
