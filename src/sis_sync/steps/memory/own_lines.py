"""Own lines: the line of an account in a file that has the stored values in its cells.

Many files are like that: their mapping only renames columns. The own line of an account that changed last night, or is
not in the memory yet, cancels out with it like a line that the memory has learned. To be sure that the line has no
finding, its text must match a pattern that is stricter than every rule.
"""

import re

from sis_sync.core.damaged_names import WORDS_FOR_NOTHING
from sis_sync.core.fields import FIELD_NAMES, FIELDS, GRADES, STATUSES
from sis_sync.engine.sql import bind, literal, quoted, sql_text
from sis_sync.steps.map.mapping import FieldRule, Mapping
from sis_sync.steps.map.value_sql import is_placeholder
from sis_sync.steps.read.read import ReadAs

# No value that matches has a quotation mark, or white space at an end. Names may have the letters of Latin-1 and Latin
# Extended-A, which NFC does not change, except those that are signs of a damaged name (core/damaged_names.py).
_DELIMITERS = ",;\t|"
LETTERS = "A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u0151\u0154-\u015f\u0162-\u0177\u0179-\u017c"
_NAME = f"[{LETTERS}](?:[{LETTERS} .'-]*[{LETTERS}.'-])?"
_CODE = "[A-Za-z0-9][A-Za-z0-9-]*"
_LABEL = "[A-Za-z0-9]+(?:-+[A-Za-z0-9]+)*"
_WORD = "[A-Za-z0-9]+"
_POSITION = "[A-Za-z0-9](?:[A-Za-z0-9 .'/-]*[A-Za-z0-9.])?"
_QUOTED_POSITION = '"[A-Za-z0-9](?:[A-Za-z0-9 .\'/{delimiter}-]*[A-Za-z0-9.])?"'
_PATTERNS = {
    "first_name": _NAME,
    "middle_name": f"(?:{_NAME})?",
    "last_name": _NAME,
    "email": rf"[A-Za-z0-9._-]+@{_LABEL}(?:\.{_LABEL})+",
    "custom_id": _CODE,
    "school_district_external_id": _CODE,
    "user_type": _WORD,
    "position": f"(?:{_POSITION})?",
    "grade": f"(?:{_WORD})?",
    "status": _WORD,
}


def has_own_lines(read_as: ReadAs) -> bool:
    """Return True if each column of the file is one field, with the values as they are stored."""
    of_field, delimiter, mapping = read_as.columns.of_field, chr(read_as.shape.delimiter), read_as.mapping
    renames = {name: FieldRule(columns=rule.columns) for name, rule in mapping.rules.items()}
    return (
        set(of_field) == set(FIELD_NAMES)
        and sorted(of_field.values()) == list(range(read_as.shape.columns))
        and delimiter in _DELIMITERS
        and mapping == Mapping(mapping.name, renames, reading=mapping.reading)
    )


def own_lines_sql(read_as: ReadAs, *, salt: str, mode_types: tuple[str, ...]) -> str:
    """Return the statements that find the own lines of `left_accounts`. The view `orgs_read` has the orgs."""
    of_field, delimiter = read_as.columns.of_field, chr(read_as.shape.delimiter)
    names = sorted(of_field, key=of_field.__getitem__)
    cells = {name: quoted(name) for name in names}
    # Positions are the only field that often contains delimiters: Principal, Lower School.
    has_delimiter = f"contains(position, {literal(delimiter)})"
    cells["position"] = f"""CASE WHEN {has_delimiter} THEN '"' || position || '"' ELSE position END"""
    position = f"(?:{_PATTERNS['position']}|{_QUOTED_POSITION.format(delimiter=re.escape(delimiter))})"
    text = sql_text(__package__, "own")
    text = text.replace(":own_text", f"concat_ws({literal(delimiter)}, {', '.join(cells.values())})")
    text = text.replace(":is_placeholder", is_placeholder("custom_id"))
    limits = {f"{field.name}_max": field.max_length for field in FIELDS if field.max_length}
    return bind(
        text,
        salt=salt,
        pattern=re.escape(delimiter).join({**_PATTERNS, "position": position}[name] for name in names),
        mode_types=mode_types,
        statuses=STATUSES,
        grades=GRADES,
        words=WORDS_FOR_NOTHING,
        **limits,
    )
