"""The encoding of a file: detect it, and write the same text as UTF-8. No replacement character is ever written."""

import codecs
import re
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sis_sync.core.errors import FileRefused
from sis_sync.core.findings import Finding, file_finding
from sis_sync.core.reading_options import ReadingOptions, python_encoding
from sis_sync.core.whole_files import chunks_of
from sis_sync.core.wording import shown
from sis_sync.steps.read.best_fit import better_encoding

Bytes = NDArray[np.uint8]
Positions = NDArray[np.int64]

_HEAD_BYTES = 4096
_MAX_EXAMPLES = 3
_SAVE_AS_UTF8 = "Export or save the file as UTF-8."
_UTF32 = "The file is in UTF-32, which is not read."
# UTF-32 first: its little-endian mark begins with that of UTF-16.
_MARKS: tuple[tuple[bytes, str], ...] = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)

# The Unicode Standard, table 3-7: the length of a sequence by its first byte, and the range of its second byte.
_LENGTH = np.zeros(256, dtype=np.uint8)
_LENGTH[0xC2:0xE0], _LENGTH[0xE0:0xF0], _LENGTH[0xF0:0xF5] = 2, 3, 4
_SECOND_MIN, _SECOND_MAX = np.full(256, 0x80, dtype=np.uint8), np.full(256, 0xBF, dtype=np.uint8)
_SECOND_MIN[[0xE0, 0xF0]] = 0xA0, 0x90
_SECOND_MAX[[0xED, 0xF4]] = 0x9F, 0x8F
_MAX_LENGTH = 4
MOST_BAD_BYTES = 1 << 17  # whose offsets are kept


@dataclass(frozen=True)
class Encoding:
    """`has_bad_bytes`: read as UTF-8, but some records contain bytes that do not decode.

    `bad_bytes` are the offsets of these bytes in the file, or None if they are not known or too many to be kept.
    """

    name: str
    mark_bytes: int = 0
    has_bad_bytes: bool = False
    is_fallback: bool = False
    bad_bytes: Positions | None = field(default=None, compare=False)


def detect_encoding(path: Path, options: ReadingOptions) -> Encoding:
    """Return the encoding of the byte order mark; else the one that someone named; else UTF-8 or the fallback.

    It is UTF-8 if valid sequences outnumber bad bytes. Raise FileRefused (`file.encoding`) if the mark is of another
    encoding than the named one, for UTF-32, and for UTF-16 without a byte order mark unless it was named.
    """
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    for mark, name in _MARKS:
        if head.startswith(mark):
            if name == "utf-32":
                raise FileRefused("file.encoding", _UTF32, fix=_SAVE_AS_UTF8)
            said = options.encoding
            if said and not name.startswith(python_encoding(said).removesuffix("-sig")):
                message = f"The byte order mark of the file says {name}, but the named encoding is {said}."
                raise FileRefused("file.encoding", message, fix=f"Leave the encoding out, or say {name}.")
            return replace(_utf8(path)[0], mark_bytes=len(mark)) if name == "utf-8" else Encoding(name, len(mark))
    if options.encoding:
        return _said_encoding(path, options.encoding)
    unmarked = _unmarked(head)
    if unmarked == "utf-32":
        raise FileRefused("file.encoding", _UTF32, fix=_SAVE_AS_UTF8)
    if unmarked:
        message = "The file looks like UTF-16 without a byte order mark."
        raise FileRefused("file.encoding", message, fix=f"{_SAVE_AS_UTF8} Or say its encoding: {unmarked}.")
    utf8, is_likely = _utf8(path)
    return utf8 if is_likely else Encoding(options.fallback_encoding, is_fallback=True)


def _said_encoding(path: Path, said: str) -> Encoding:
    """Return the encoding that someone named, for a file without a byte order mark."""
    name = python_encoding(said)
    if name == "utf-16":
        message = "The named encoding is utf-16, but the file has no byte order mark that says which kind it is."
        raise FileRefused("file.encoding", message, fix="Say utf-16-le or utf-16-be.")
    if name in ("utf-8", "utf-8-sig"):
        return _utf8(path)[0]
    return Encoding(said)


def _unmarked(head: bytes) -> str:
    """Return the kind of UTF-16 or UTF-32 if as many bytes are NUL as in ASCII text in it, else an empty string."""
    least, *most = sorted(head[place::4].count(0) for place in range(4))
    if most[0] * 8 > len(head) and least * 10 < most[0]:  # in UTF-32 three of four bytes are, at the same places
        return "utf-32"
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if max(even, odd) * 4 <= len(head) or min(even, odd) * 10 >= max(even, odd):
        return ""
    return "utf-16-be" if even > odd else "utf-16-le"


def _utf8(path: Path) -> tuple[Encoding, bool]:
    """Return UTF-8 for this file, and True if its valid multi-byte sequences outnumber the bad bytes."""
    valid, bad, begun, unfinished = 0, 0, 0, b""
    found: list[Positions] = []
    for chunk in chain(chunks_of(path), [b""]):
        text = unfinished + chunk
        judged = len(text) - _unfinished_bytes(text) if chunk else len(text)
        unfinished = text[judged:]
        bad_bytes, sequences = judge_utf8(np.frombuffer(text, dtype=np.uint8)[:judged])
        valid, bad = valid + sequences, bad + len(bad_bytes)
        if bad <= MOST_BAD_BYTES:
            found.append(bad_bytes + begun)
        begun += judged
    kept = np.concatenate(found) if bad <= MOST_BAD_BYTES else None
    return Encoding("utf-8", has_bad_bytes=bad > 0, bad_bytes=kept), not bad or valid > bad


def _unfinished_bytes(chunk: bytes) -> int:
    """Count the bytes at the end of a chunk that begin a sequence which the next chunk may finish."""
    for back in range(1, min(_MAX_LENGTH, len(chunk) + 1)):
        if chunk[-back] & 0xC0 != 0x80:
            return back if _LENGTH[chunk[-back]] > back else 0
    return 0


def judge_utf8(data: Bytes) -> tuple[Positions, int]:
    """Return the positions of bytes that belong to no valid sequence, and the number of valid multi-byte sequences."""
    high = np.flatnonzero(data.view(np.int8) < 0)
    if not len(high):
        return high, 0
    first = np.flatnonzero(_LENGTH[data[high]] > 0)
    first = first[_are_whole(data, high[first])]
    covered = np.zeros(len(high), dtype=bool)
    covered[first], covered[first + 1] = True, True
    length = _LENGTH[data[high[first]]]
    for step in range(2, _MAX_LENGTH):
        covered[first[length > step] + step] = True
    return high[~covered], len(first)


def bad_bytes_of(chunk: bytes, offset: int, known: Positions | None) -> Positions:
    """Return the places of the bad bytes in a chunk of whole lines. `known` are their offsets in the file."""
    if known is None:
        return judge_utf8(np.frombuffer(chunk, dtype=np.uint8))[0]
    first, after = np.searchsorted(known, (offset, offset + len(chunk)))
    places: Positions = known[first:after] - offset
    return places


def _are_whole(data: Bytes, starts: Positions) -> NDArray[np.bool_]:
    """Return for each sequence whether it has all the bytes that its first byte requires."""
    lead = data[starts]
    second = _at(data, starts + 1)
    whole: NDArray[np.bool_] = (second >= _SECOND_MIN[lead]) & (second <= _SECOND_MAX[lead])
    length = _LENGTH[lead]
    for step in range(2, _MAX_LENGTH):
        longer = np.flatnonzero(length > step)
        whole[longer] &= _at(data, starts[longer] + step) & 0xC0 == 0x80
    return whole


def _at(data: Bytes, positions: Positions) -> Bytes:
    """Return the bytes at these positions. After the end return 0, which continues no sequence."""
    found = data[np.minimum(positions, len(data) - 1)]
    found[positions >= len(data)] = 0
    return found


def rewrite_as_utf8(path: Path, encoding: Encoding, target: Path) -> list[Finding]:
    """Write the file to `target` as UTF-8. Return a warning, with examples, if the fallback was used.

    Raise FileRefused (`file.encoding`) for bytes that do not decode.
    """
    decoder = codecs.getincrementaldecoder(encoding.name)()
    examples: list[str] = []
    with target.open("wb") as out:
        first = True
        for chunk in chain(chunks_of(path), [b""]):
            text = _decoded(decoder, chunk[encoding.mark_bytes :] if first else chunk, encoding, path)
            first = False
            out.write(text.encode("utf-8"))
            if encoding.is_fallback and len(examples) < _MAX_EXAMPLES:
                examples += _words_with_accents(text)[: _MAX_EXAMPLES - len(examples)]
    if not encoding.is_fallback:
        return []
    warning = file_finding("file.encoding_fallback", value=encoding.name, other=", ".join(examples))
    if better := better_encoding(path, encoding.name):
        reads = f". Its bytes fit {better[0]} best, which reads {shown(', '.join(better[1]))}"
        warning = replace(warning, message=warning.message + reads)
    return [warning]


def _decoded(decoder: codecs.IncrementalDecoder, chunk: bytes, encoding: Encoding, path: Path) -> str:
    try:
        text: str = decoder.decode(chunk, final=not chunk)
        text.encode("utf-8")  # raises for a lone surrogate, which UTF-16 decodes to
    except UnicodeError as error:
        better = None if encoding.mark_bytes else better_encoding(path, encoding.name)
        fix = f"{_SAVE_AS_UTF8} Or say its encoding: its bytes fit {better[0]} best." if better else _SAVE_AS_UTF8
        message = f"The file contains bytes that are invalid in {encoding.name}."
        raise FileRefused("file.encoding", message, fix=fix) from error
    return text


def _words_with_accents(text: str) -> list[str]:
    # Not one pattern for the whole word: in a long text without letters like these, it would look at all of it again
    # for each letter.
    return [word for word in re.split(r"[\s,;|\"]+", text) if not word.isascii()]
