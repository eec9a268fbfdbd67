"""The start of a cell that a spreadsheet would run as a formula. Reports put an apostrophe before it."""

# Apple Numbers, and Excel in East Asia, read other forms of the signs (full width, small, raised, lowered, the real
# minus) like the ASCII ones, and may skip white space before them. DuckDB and Python write code points differently, so
# none is escaped.
_FORMULA_SIGNS = (
    "=+@\u207a\u207c\u208a\u208c\u2212\u207b\u208b\u2a75\u2a76\ufb29\ufe62\ufe63\ufe66\ufe6b\uff0b\uff0d\uff1d\uff20"
)
_NOT_SEEN = " \v\f\x85\u00a0\u061c\u1680\u180e\u2000-\u200f\u2028-\u202f\u205f-\u2069\u3000\ufeff"
FORMULA_START = rf"(?:[\t\r\n\x00]|[{_NOT_SEEN}]*[{_FORMULA_SIGNS}\-])"
