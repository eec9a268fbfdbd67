r"""The text functions that the SQL of the steps may call. Each has one name and one definition per engine.

clean(text)      trimmed at both ends (see WHITE_SPACE) and in Unicode NFC. DuckDB only: it reads the files and cleans
                 their cells, even if Spark makes the plan
trimmed(text)    like clean, without NFC. DuckDB only
fold(text)       lower case if the text is ASCII, else unchanged: the engines treat other capitals differently
matches(text, pattern)        TRUE if the whole text matches
has_match(text, pattern)      TRUE if a part of the text matches
replace_all(text, pattern, by)
without_zeros(text)           without zeros at the start
is_ascii(text)   TRUE if every character is one byte
row_hash(nine texts)          a hash of the nine texts. It differs between engines: never store it
keyed_hash(text, key)         a hash that only the holder of the key can compare. The server makes the same one in
                 held_addresses.py. DuckDB only
escaped(text)    control and format characters as \u001B, safe for a terminal or a page
in_ascii(text)   letters that are not ASCII written as ASCII: ø as o, ß as ss. DuckDB only, in Python
without_entities(text)        HTML entities replaced by what they mean, once. DuckDB only, in Python
"""

import html
import html.entities
import re
from collections.abc import Callable

from anyascii import anyascii

# Trimmed from both ends of a cell: white space (Unicode's Z and the controls), NBSP and the zero-width characters. The
# marks of direction, which programs put around names in Arabic and Hebrew, are among these.
WHITE_SPACE = (
    "\t\n\x0b\x0c\r \xa0\u1680\u180e\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u200b\u200c\u200d\u2028\u2029\u202f\u205f\u2060\u3000\ufeff"
    "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
)
_LAST_OF_ASCII = "\x7f"  # all texts that begin with a letter of ASCII sort before it
# The code points are format characters of Unicode 14 and 15, which the regular expressions of Java 17 do not know.
_UNSHOWN = r"[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\x{890}\x{891}\x{13439}-\x{1343F}]"

_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")

# clean is written for the engine's two costs. Preparing a call takes longer than cleaning a small file, so it calls few
# functions and no regular expression. On a large file, trimming takes longest, so it first looks at both ends: most
# cells are empty or begin and end with a letter of ASCII (measured).
DUCKDB_FUNCTIONS = rf"""
CREATE MACRO replace_all(s, pattern, replacement) AS regexp_replace(s, pattern, replacement, 'g');
CREATE MACRO matches(s, pattern) AS regexp_full_match(s, pattern);
CREATE MACRO has_match(s, pattern) AS regexp_matches(s, pattern);
CREATE MACRO trimmed(s) AS trim(s, '{WHITE_SPACE}');
CREATE MACRO clean(s) AS
    CASE WHEN s = '' THEN s
         WHEN s BETWEEN '!' AND '{_LAST_OF_ASCII}' AND s[-1] BETWEEN '!' AND '{_LAST_OF_ASCII}' THEN nfc_normalize(s)
         WHEN contains('{WHITE_SPACE}', s[1]) OR contains('{WHITE_SPACE}', s[-1]) THEN nfc_normalize(trimmed(s))
         ELSE nfc_normalize(s) END;
CREATE MACRO escaped(s) AS
    CASE WHEN regexp_matches(s, '{_UNSHOWN}')
         THEN array_to_string(list_transform(string_split(s, ''), lambda character:
             CASE WHEN regexp_matches(character, '{_UNSHOWN}') THEN printf('\u%04X', unicode(character))
                  ELSE character END), '')
         ELSE s END;
CREATE MACRO row_hash(a, b, c, d, e, f, g, h, i) AS hash(a, b, c, d, e, f, g, h, i);
CREATE MACRO without_zeros(s) AS ltrim(s, '0');
CREATE MACRO keyed_hash(s, secret) AS sha256(secret || sha256(secret || s));
CREATE MACRO is_ascii(s) AS strlen(s) = length(s);
CREATE MACRO fold(s) AS CASE WHEN strlen(s) = length(s) THEN lower(s) ELSE s END;
"""

# \A and \z, because Java's $ also matches before a last line break.
SPARK_FUNCTIONS = rf"""
CREATE OR REPLACE TEMPORARY FUNCTION replace_all(s STRING, pattern STRING, replacement STRING) RETURNS STRING
    RETURN regexp_replace(s, pattern, replacement);
CREATE OR REPLACE TEMPORARY FUNCTION matches(s STRING, pattern STRING) RETURNS BOOLEAN
    RETURN s RLIKE concat('\A(?:', pattern, ')\z');
CREATE OR REPLACE TEMPORARY FUNCTION has_match(s STRING, pattern STRING) RETURNS BOOLEAN
    RETURN s RLIKE pattern;
CREATE OR REPLACE TEMPORARY FUNCTION escaped(s STRING) RETURNS STRING
    RETURN CASE WHEN s RLIKE '{_UNSHOWN}'
        THEN array_join(transform(split(s, ''), c ->
            CASE WHEN c RLIKE '{_UNSHOWN}' THEN format_string('\u%04X', ascii(c)) ELSE c END), '')
        ELSE s END;
CREATE OR REPLACE TEMPORARY FUNCTION row_hash(
    a STRING, b STRING, c STRING, d STRING, e STRING, f STRING, g STRING, h STRING, i STRING) RETURNS BIGINT
    RETURN xxhash64(a, b, c, d, e, f, g, h, i);
CREATE OR REPLACE TEMPORARY FUNCTION without_zeros(s STRING) RETURNS STRING
    RETURN ltrim('0', s);
CREATE OR REPLACE TEMPORARY FUNCTION is_ascii(s STRING) RETURNS BOOLEAN
    RETURN octet_length(s) = length(s);
CREATE OR REPLACE TEMPORARY FUNCTION fold(s STRING) RETURNS STRING
    RETURN CASE WHEN octet_length(s) = length(s) THEN lower(s) ELSE s END;
"""


def _without_entities(text: str) -> str:
    return _ENTITY.sub(lambda found: _meaning(found[0]), text)


def _meaning(entity: str) -> str:
    """Return the text of an entity, or the entity if it has none that may be in a name."""
    if not entity.startswith("&#"):
        return html.entities.html5.get(entity[1:], entity)
    meaning = html.unescape(entity)
    is_text = bool(re.fullmatch(r"[^\x00-\x1F\x7F-\x9F\uD800-\uDFFF\uFFFD]", meaning))
    return meaning if is_text else entity


# The time that they take does not depend on how many different letters and entities a file has.
PYTHON_FUNCTIONS: dict[str, Callable[[str], str]] = {"in_ascii": anyascii, "without_entities": _without_entities}
