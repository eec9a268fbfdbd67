"""Cleaning text: the engine's quick way returns the same as the plain rule, for any text."""

import unicodedata

from hypothesis import given
from hypothesis import strategies as st
from kit.plans import examples

from sis_sync.engine.duckdb import open_session

BATCH = 50
INVISIBLE = (
    "\u061c\u180e\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff"
)
CONTROL = "\t\n\x0b\x0c\r"
SPACES = " \u00a0\u1680\u2003\u2028\u2029\u202f\u205f\u3000"
characters = st.one_of(
    st.sampled_from(INVISIBLE + CONTROL + SPACES),
    st.sampled_from("a!\"'~\x7f\x1fZéñ\u0301ØŁ漢"),
    st.characters(max_codepoint=127),
).filter(lambda character: character != "\0")


def cleaned(text: str) -> str:
    """The rule: no white space, NBSP or zero-width characters at both ends; NFC."""
    return unicodedata.normalize("NFC", text.strip(INVISIBLE + CONTROL + SPACES))


@examples(60)
@given(st.lists(st.text(characters, max_size=8), min_size=1, max_size=BATCH))
def test_text_is_trimmed_and_normalised(texts: list[str]) -> None:
    with open_session(memory_limit_mb=256, threads=1) as session:
        found = session.connection.execute("SELECT clean(s) FROM (SELECT unnest(?) AS s)", [texts]).fetchall()
    assert [row[0] for row in found] == [cleaned(text) for text in texts]
