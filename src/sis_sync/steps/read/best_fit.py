"""The encoding that the bytes of a file fit best, if it is another than the fallback in which it was read.

A word fits if one language has all its letters: Dvořák is Czech, Dvoøák is no language. A file fits an encoding as well
as its words fit the language that suits most of them. Chinese, Japanese and Korean have no alphabets to compare with,
so charset-normalizer judges between their encodings. All this only advises: the file is read as someone said.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from itertools import islice, pairwise
from pathlib import Path
from string import ascii_lowercase

from sis_sync.core.whole_files import chunks_of

_BETWEEN_WORDS = re.compile(rb'[\x00-\x20,;"]+')  # not a bar, which may be the second byte of a letter
_LONGEST_WORD = 100  # bytes: longer ones are no names, and every letter is looked at in every encoding
_WORDS_JUDGED = 200
_WORDS_SHOWN = 3
_FEWEST_BYTES = 2000  # charset-normalizer is certain only of texts as long as this, so few words are repeated
_MOST_DISORDER = 0.9  # names are disordered texts
_SIGNS_IN_NAMES = "\u2018\u2019\u00b7\u2013\u00a0"  # apostrophes, the dot of Catalan, a dash, a hard space
# In which school information systems, and spreadsheets, write names. The order decides between equals.
_TRIED = {
    **{f"windows-{number}": f"cp{number}" for number in (1252, 1250, 1255, 1251, 1253, 1254, 1257, 1256, 1258)},
    **{f"iso-8859-{number}": f"iso8859_{number}" for number in (2, 5, 7, 9, 15)},
    "cp850": "cp850",
    "macintosh": "mac_roman",
    **{name: name for name in ("cp437", "cp852", "cp866", "koi8_r", "big5", "gb18030", "cp932", "cp949")},
}
# The letters in the names of languages that one encoding writes, some together. The first ones have a to z as well.
_LATIN = (
    "áàâäçéèêëíìîïñóòôöùúûüßœæ",  # German, French, Dutch, Spanish, Italian, Luxembourgish
    "áàãâçéêíñóòôõúüèìïîùªº·",  # Portuguese, Catalan
    "åäæöøéüšž",  # Danish, Finnish, Norwegian, Swedish
    "áðéíóúýþæöø",  # Faroese, Icelandic
    "áàâéèêëíìîïóòôúùûŵŷ",  # Gaelic, Irish, Welsh
    "äöõüšžé",  # Estonian
    "áäčďéěíľĺňóôöőřŕšťúůüűýž",  # Czech, Hungarian, Slovak
    "ąćęłńóśźżéüö",  # Polish
    "áâăîșşțţéöőüűóí",  # Romanian
    "čćđšžéöü",  # Bosnian, Croatian, Slovene
    "ąčęėįšųūžéöü",  # Lithuanian
    "āčēģīķļņōŗšūž",  # Latvian
    "âçğıîöşüû\u0307",  # Turkish
    "ăâđêôơưàảãáạằẳẵắặầẩẫấậèẻẽéẹềểễếệìỉĩíịòỏõóọồổỗốộờởỡớợùủũúụừửữứựỳỷỹýỵ",  # Vietnamese
)
_OTHERS = (
    "αάβγδεέζηήθιίϊΐκλμνξοόπρσςτυύϋΰφχψωώ",  # Greek
    "абвгдеёжзийклмнопрстуфхцчшщъыьэюя",  # Bulgarian, Russian
    "абвгґдеєёжзиіїйклмнопрстуўфхцчшщыьэюя",  # Belarusian, Ukrainian
    "абвгдђѓежзѕијклљмнњопрстћќуфхцчџш",  # Macedonian, Serbian
    "אבגדהוזחטיךכלםמןנסעףפץצקרשת",  # Hebrew
    "ءآأؤإئابةتثجحخدذرزسشصضطظعغفقكلمنهويىپچژگکی\u0651",  # Arabic, Persian
)
_ALPHABETS = tuple(map(frozenset, (*(text + ascii_lowercase for text in _LATIN), *_OTHERS)))
_NO_ALPHABET = re.compile("[\u3005\u3041-\u30ff\u3400-\u9fff\uac00-\ud7a3]+")  # Chinese, Japanese, Korean


def better_encoding(path: Path, used: str) -> tuple[str, tuple[str, ...]] | None:
    """Return the encoding that the file fits better than the one used, and three words as they would read in it.

    Return None if no other one is clearly better, that is, if more than half as many words do not fit it.
    """
    found = (word for chunk in chunks_of(path) for word in _BETWEEN_WORDS.split(chunk) if not word.isascii())
    names = (word for word in found if len(word) <= _LONGEST_WORD)
    words = list(dict.fromkeys(islice(names, _WORDS_JUDGED)))
    texts = {name: text for name, codec in _TRIED.items() if (text := _decoded(words, codec)) is not None}
    misfits = {name: _misfits(text) for name, text in texts.items()}
    least = min(misfits.values(), default=len(words))
    as_read = _decoded(words, used)
    if min(len(words) if as_read is None else _misfits(as_read), len(words)) <= 2 * least:
        return None
    equals = [name for name in texts if misfits[name] == least]
    best = equals[0] if not _NO_ALPHABET.search(" ".join(texts[equals[0]])) else _likeliest(words, equals)
    return best, tuple(texts[best][:_WORDS_SHOWN])


def _decoded(words: Iterable[bytes], codec: str) -> list[str] | None:
    """Return the words that are not ASCII, or None if a byte is invalid."""
    try:
        pieces = [piece for word in words for piece in word.decode(codec).split("|")]
    except UnicodeDecodeError:
        return None
    return [unicodedata.normalize("NFC", piece) for piece in pieces if not piece.isascii()]


def _misfits(words: Sequence[str]) -> int:
    """Count the words that do not fit the language that suits most of them, and those that are in no language."""
    letters = [frozenset(c for c in word.lower() if _is_letter(c)) for word in words if not _is_broken(word)]
    suited = max(sum(each <= alphabet for each in letters) for alphabet in _ALPHABETS)
    return len(words) - max(suited, sum(map(bool, map(_NO_ALPHABET.fullmatch, words))))


def _is_broken(word: str) -> bool:
    """Return True for a word with signs that no name has, or with a capital after a small letter: £ukasz, KÃ¶ln."""
    return any(not c.isascii() and not _is_letter(c) and c not in _SIGNS_IN_NAMES for c in word) or any(
        a.islower() and b.isupper() and not (a + b).isascii() for a, b in pairwise(word)
    )


def _is_letter(character: str) -> bool:
    return unicodedata.category(character)[0] in "LM"


def _likeliest(words: Sequence[bytes], names: Sequence[str]) -> str:
    """Return the encoding that charset-normalizer prefers for these words."""
    import charset_normalizer

    sample = b" ".join(words) + b" "
    sample *= -(-_FEWEST_BYTES // len(sample))
    codecs = {_TRIED[name]: name for name in names}
    matches = charset_normalizer.from_bytes(sample, cp_isolation=list(codecs), threshold=_MOST_DISORDER)
    best = min(matches, key=lambda match: (match.chaos, -match.coherence), default=None)
    return codecs[best.encoding] if best else names[0]
