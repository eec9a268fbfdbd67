"""Replace letters and HTML entities in a column, each by its own text.

The distinct ones are looked up in the file first, so that a library translates each of them once.
"""

import html.entities
import re
from collections.abc import Callable

from anyascii import anyascii

from sis_sync.engine.duckdb import Session
from sis_sync.engine.sql import literal

_LETTERS = ("[^\\x00-\\x7F]", "[\\x00-\\x7F]+")
_ENTITIES = ("&(?:#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});", "[^&]+|&")


def ascii_letters(session: Session, value: str, *, rows: str) -> str:
    """Return the SQL for the value with letters that are not ASCII written as ASCII: ø as o, ß as ss."""
    return _translated(session, value, f"NOT is_ascii({value})", _LETTERS, anyascii, rows=rows)


def decoded_entities(session: Session, value: str, *, rows: str) -> str:
    """Return the SQL for the value with HTML entities replaced by what they mean, once."""
    return _translated(session, value, f"contains({value}, '&')", _ENTITIES, _meaning, rows=rows)


def _translated(
    session: Session,
    value: str,
    may_have_some: str,
    patterns: tuple[str, str],
    translate: Callable[[str], str],
    *,
    rows: str,
) -> str:
    """Return the SQL for the value with each match of the first pattern translated. The second one matches the rest."""
    wanted, rest = patterns
    found = session.rows(
        f"SELECT DISTINCT unnest(regexp_extract_all({value}, {literal(wanted)})) FROM {rows} WHERE {may_have_some}"
    )
    meanings = {piece: translate(piece) for (piece,) in sorted(found)}
    if not meanings:
        return value
    pairs = ", ".join(f"{literal(piece)}: {literal(meaning)}" for piece, meaning in meanings.items())
    pieces = f"regexp_extract_all({value}, {literal(f'{wanted}|{rest}')})"
    return (
        f"CASE WHEN {may_have_some} "
        f"THEN array_to_string(list_transform({pieces}, lambda piece: coalesce(MAP {{{pairs}}}[piece], piece)), '') "
        f"ELSE {value} END"
    )


def _meaning(entity: str) -> str:
    """Return the text of an entity, or the entity if it has none that may be in a name."""
    if not entity.startswith("&#"):
        return html.entities.html5.get(entity[1:], entity)
    meaning = html.unescape(entity)
    is_text = bool(re.fullmatch(r"[^\x00-\x1F\x7F-\x9F\uD800-\uDFFF\uFFFD]", meaning))
    return meaning if is_text else entity
