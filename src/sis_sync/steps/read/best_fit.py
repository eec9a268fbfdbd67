"""The encoding that the bytes of a file fit best, if it is another than the fallback in which it was read.

charset-normalizer judges the words that have bytes outside ASCII. It only advises: the file is read as someone said.
"""

import re
import unicodedata
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from sis_sync.core.whole_files import chunks_of

if TYPE_CHECKING:
    import charset_normalizer

_WORD = re.compile(rb'[^\x00-\x20,;"]*[\x80-\xff][^\x00-\x20,;"]*')  # a bar may be the second byte of a letter
_WORDS_JUDGED = 200
_WORDS_SHOWN = 3
_FEWEST_BYTES = 2000  # charset-normalizer is certain of longer texts only, so that few words are repeated
_MOST_DISORDER = 0.9  # names are disordered texts
_BETTER_BY = 0.04  # of disorder, and of coherence; both are 0 to 1, or a little more
_SIGN_KINDS = frozenset(("Sc", "Sk", "Sm", "So", "No", "Cc", "Ps", "Pe"))
# In which school information systems, and spreadsheets, write names. The order decides between equals.
_TRIED = {
    **{f"cp{number}": f"windows-{number}" for number in (1252, 1250, 1251, 1253, 1254, 1257, 1255, 1256, 1258)},
    **{f"iso8859_{number}": f"iso-8859-{number}" for number in (2, 5, 7, 9, 15)},
    **{name: name for name in ("cp437", "cp850", "cp852", "cp866", "koi8_r", "big5", "gb18030", "cp932", "cp949")},
    "mac_roman": "macintosh",
}


def better_encoding(path: Path, used: str) -> tuple[str, tuple[str, ...]] | None:
    """Return the encoding that the file fits better than the one used, and three words as they would read in it.

    Return None if no other one is clearly better.
    """
    import charset_normalizer

    found = (word for chunk in chunks_of(path) for word in _WORD.findall(chunk))
    words = list(dict.fromkeys(islice(found, _WORDS_JUDGED)))
    if not words:
        return None
    sample = b" ".join(words) + b" "
    as_read = sample.decode(used, "replace")
    sample *= -(-_FEWEST_BYTES // len(sample))
    matches = charset_normalizer.from_bytes(sample, cp_isolation=list(_TRIED), threshold=_MOST_DISORDER)
    best = min(matches, key=lambda match: (_disorder(match), -match.coherence), default=None)
    if best is None or str(best).startswith(as_read):
        return None
    mine = next((match for match in matches if str(match).startswith(as_read)), None)
    if mine and _disorder(mine) - _disorder(best) < _BETTER_BY and best.coherence - mine.coherence < _BETTER_BY:
        return None
    encoding = next(name for name in _TRIED if name in best.could_be_from_charset)
    pieces = (piece for word in words for piece in word.decode(encoding, "replace").split("|"))
    return _TRIED[encoding], tuple(islice((piece for piece in pieces if not piece.isascii()), _WORDS_SHOWN))


def _disorder(match: "charset_normalizer.CharsetMatch") -> float:
    """Return how unlike names a text is: charset-normalizer's measure, and the share of words with signs in them."""
    words = str(match).split()
    return match.chaos + sum(map(_has_sign, words)) / max(1, len(words))


def _has_sign(word: str) -> bool:
    """Return True for a word with letters and signs that no language writes in a name, such as `£ukasz`."""
    kinds = {unicodedata.category(character) for character in word if not character.isascii()}
    return bool(kinds & _SIGN_KINDS) and any(map(str.isalpha, word))
