"""Damaged names: letters that became signs or HTML entities, replacement characters, and words for nothing.

UTF-8 text may have been read as Windows-1252 or Latin-1. A letter outside ASCII is two or three bytes in UTF-8. Read
as Windows-1252 they become a capital with an accent and one or two signs: é is Ã©, ł is Å‚, a typographic apostrophe
is â€™. Real names contain such capitals (JOÃO, ÅSA, ÄÄRI), so the sign after the capital decides. A pair that a real
name can contain does not count.
"""

# ruff: noqa: RUF001, RUF002 - this module needs characters that look like others

from html.entities import html5

REPLACEMENT = "\ufffd"

# The bytes 80 to BF become these. Latin-1 turns 80 to 9F into control characters, Windows-1252 into signs.
# NBSP (A0) is left out, because it is also real white space.
_QUOTES_AND_DASHES = "‘’“”–—"
_LETTERS = "ŠšŽžªº"
_SIGNS = "\u0080-\u009f€‚ƒ„…†‡ˆ‰‹Œ•˜™›œŸ¡-©«-¬\u00ad®-¹»-¿"
_ANY = f"[{_SIGNS}{_LETTERS}{_QUOTES_AND_DASHES}]"
_SIGN = f"[{_SIGNS}]"

_PAIRS = (
    f"Ã[{_SIGNS}{_LETTERS}‘’“–—]",  # À to ÿ; no language has one of these after Ã
    "Ã”[A-Za-z]",  # Ô, but not JOÃ” at the end of a quotation
    "[a-z]Ã\u00a0|Ã\u00a0 ",  # à within and at the end of a word, but not IRMÃ before a hard space
    "Â[¡-¿]",  # signs of Latin-1
    f"[ÄÅ][{_SIGNS}ªº‘—]",  # Ā to ž
    "[ÄÅ]“[a-z]",  # ē and œ
    "Å[\u00a0š][a-zA-Z]|Åž[a-zA-Z]|[A-Z]Äž[A-Z]",  # Š, Ś, Ş and Ğ, whose signs are letters too
    "È[˜™›\u0098-\u009b]|Èš[a-zA-Z]",  # ș, ț and their capitals
    f"[Â-ß]{_ANY}[Â-ß]{_ANY}",  # Greek, Cyrillic, Hebrew, Arabic: such names have several letters in a row
    f"â€|á[º»]|[à-ï](?:{_SIGN}{_ANY}|{_ANY}{_SIGN})",  # three bytes: quotes, Vietnamese, and scripts of Asia
)

# Letters of one-byte encodings that were read in another one: Łukasz is £ukasz, Muñoz is Mu¤oz. No language puts these
# next to a letter. Not here, because names have them: the acute accent and quotes that stand for an apostrophe, the dot
# of Catalan, ordinals (Mª), dashes.
_BESIDE_LETTERS = "[¡-©¬®-³¶¸¹¼-¿×÷€ƒ†‡ˆ‰•˜™]"
_ODD_SIGNS = (
    rf"\p{{L}}{_BESIDE_LETTERS}|{_BESIDE_LETTERS}\p{{L}}",
    "[A-Za-z]µ|µ[A-Za-z]",  # not in Greek names, where people type it for a mu
    r"\p{L}[„‚]|\p{L}[«»“”‹›]\p{L}",  # quotes where no quotation can begin or end
)
_MOST_USED = 0x530  # Latin, Greek and Cyrillic letters come before it
_ENTITIES = sorted(
    name.removesuffix(";")
    for name, text in html5.items()
    if name.endswith(";")
    and len(text) == 1
    and ((text.isalpha() and ord(text) < _MOST_USED) or "\u2010" <= text <= "\u203a" or text in "&<>'\"\u00a0´·")
)
_ENTITY = f"&(#[0-9]{{1,7}}|#[xX][0-9a-fA-F]{{1,6}}|{'|'.join(_ENTITIES)});"

# For has_match. It has the same meaning in RE2 and in Java, and no sign is escaped. A name in ASCII without & and ;
# never matches.
DAMAGED_PATTERN = "|".join((REPLACEMENT, *_PAIRS, *_ODD_SIGNS, _ENTITY))

# In this spelling only: Null and Nan are names of people.
WORDS_FOR_NOTHING: tuple[str, ...] = ("NULL", "null", "(NULL)", "(null)", "nan", "NaN", "None", "N/A", "n/a")
