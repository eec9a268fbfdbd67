r"""The functions that differ between engines, under one name each.

clean(text)      trimmed of white space, NBSP and zero-width characters at both ends, in Unicode NFC; DuckDB alone has
                 it, because cells are cleaned as they are read, and files are read by DuckDB whatever plans them
fold(text)       lower case where the text is ASCII, unchanged elsewhere (engines disagree about the rest)
matches(text, pattern)        the whole text matches
has_match(text, pattern)      some part of it does
replace_all(text, pattern, by)
is_ascii(text)   every character is one byte
row_hash(nine texts)          a number that stands for all of them; another one on each engine, so it is never stored
escaped(text)    control and format characters as \u001B, so that a terminal or a page may show it
"""

# The code points are format characters of Unicode 14 and 15, which the regular expressions of Java 17 do not know.
_UNSHOWN = r"[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\x{890}\x{891}\x{13439}-\x{1343F}]"
# Looking for an edge first is cheaper than replacing nothing (measured: three quarters of the time). In ASCII no edge
# is above the space: a look at the first and the last character is cheaper still. Many cells are empty: asked first.
_EDGE = r"[\p{Z}\x09-\x0d\x{180E}\x{200B}-\x{200D}\x{2060}\x{FEFF}]+"

DUCKDB_PRELUDE = rf"""
CREATE OR REPLACE TEMP MACRO replace_all(s, pattern, replacement) AS regexp_replace(s, pattern, replacement, 'g');
CREATE OR REPLACE TEMP MACRO matches(s, pattern) AS regexp_full_match(s, pattern);
CREATE OR REPLACE TEMP MACRO has_match(s, pattern) AS regexp_matches(s, pattern);
CREATE OR REPLACE TEMP MACRO trimmed(s) AS
    CASE WHEN regexp_matches(s, '\A{_EDGE}|{_EDGE}\z')
         THEN regexp_replace(s, '\A{_EDGE}|{_EDGE}\z', '', 'g') ELSE s END;
CREATE OR REPLACE TEMP MACRO clean(s) AS
    CASE WHEN s = '' THEN s
         WHEN strlen(s) <> length(s) THEN nfc_normalize(trimmed(s))
         WHEN s >= '!' AND right(s, 1) >= '!' THEN s ELSE trimmed(s) END;
CREATE OR REPLACE TEMP MACRO escaped(s) AS
    CASE WHEN regexp_matches(s, '{_UNSHOWN}')
         THEN array_to_string(list_transform(string_split(s, ''), lambda character:
             CASE WHEN regexp_matches(character, '{_UNSHOWN}') THEN printf('\u%04X', unicode(character))
                  ELSE character END), '')
         ELSE s END;
CREATE OR REPLACE TEMP MACRO row_hash(a, b, c, d, e, f, g, h, i) AS hash(a, b, c, d, e, f, g, h, i);
CREATE OR REPLACE TEMP MACRO is_ascii(s) AS strlen(s) = length(s);
CREATE OR REPLACE TEMP MACRO fold(s) AS CASE WHEN strlen(s) = length(s) THEN lower(s) ELSE s END;
"""

# Java's $ matches before a last line break too, so the pattern stands between the very start and the very end.
SPARK_PRELUDE = rf"""
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
CREATE OR REPLACE TEMPORARY FUNCTION is_ascii(s STRING) RETURNS BOOLEAN
    RETURN octet_length(s) = length(s);
CREATE OR REPLACE TEMPORARY FUNCTION fold(s STRING) RETURNS STRING
    RETURN CASE WHEN octet_length(s) = length(s) THEN lower(s) ELSE s END;
"""
