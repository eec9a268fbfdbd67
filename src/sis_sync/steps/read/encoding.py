"""Which encoding a file is in, and the same file as UTF-8. Never a replacement character."""

import codecs
import re
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sis_sync.core.errors import FileRefused
from sis_sync.core.findings import Finding, file_finding
from sis_sync.core.whole_files import chunks_of

Bytes = NDArray[np.uint8]
Positions = NDArray[np.int64]

# The Unicode Standard, table 3-7: how long a sequence is by its first byte, and what its second byte may be.
_LENGTH = np.zeros(256, dtype=np.uint8)
_LENGTH[0xC2:0xE0], _LENGTH[0xE0:0xF0], _LENGTH[0xF0:0xF5] = 2, 3, 4
_SECOND_LEAST, _SECOND_MOST = np.full(256, 0x80, dtype=np.uint8), np.full(256, 0xBF, dtype=np.uint8)
_SECOND_LEAST[[0xE0, 0xF0]] = 0xA0, 0x90
_SECOND_MOST[[0xED, 0xF4]] = 0x9F, 0x8F
LONGEST = 4


def judge_utf8(data: Bytes) -> tuple[Positions, int]:
    """The positions of bytes that belong to no valid sequence, and how many valid multi-byte sequences there are."""
    high = np.flatnonzero(data.view(np.int8) < 0)
    if not len(high):
        return high, 0
    first = np.flatnonzero(_LENGTH[data[high]] > 0)
    first = first[_are_whole(data, high[first])]
    covered = np.zeros(len(high), dtype=bool)
    covered[first], covered[first + 1] = True, True
    length = _LENGTH[data[high[first]]]
    for step in range(2, LONGEST):
        covered[first[length > step] + step] = True
    return high[~covered], len(first)


def _are_whole(data: Bytes, starts: Positions) -> NDArray[np.bool_]:
    """Whether the sequences that start there are followed by all the bytes that their first one asks for."""
    lead = data[starts]
    second = _at(data, starts + 1)
    whole: NDArray[np.bool_] = (second >= _SECOND_LEAST[lead]) & (second <= _SECOND_MOST[lead])
    length = _LENGTH[lead]
    for step in range(2, LONGEST):
        longer = np.flatnonzero(length > step)
        whole[longer] &= _at(data, starts[longer] + step) & 0xC0 == 0x80
    return whole


def _at(data: Bytes, positions: Positions) -> Bytes:
    """The bytes there; 0, which continues nothing, behind the end."""
    found = data[np.minimum(positions, len(data) - 1)]
    found[positions >= len(data)] = 0
    return found


def unfinished_bytes(chunk: bytes) -> int:
    """How many bytes at the end of a chunk begin a sequence that the next chunk may finish."""
    for back in range(1, min(LONGEST, len(chunk) + 1)):
        if chunk[-back] & 0xC0 != 0x80:
            return back if _LENGTH[chunk[-back]] > back else 0
    return 0


_SAVE_AS_UTF8 = "Export or save the file as UTF-8."
_MARKS: tuple[tuple[bytes, str], ...] = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


@dataclass(frozen=True)
class Encoding:
    """`has_bad_bytes`: read as UTF-8, but some records hold bytes that do not decode."""

    name: str
    mark_bytes: int = 0
    has_bad_bytes: bool = False
    is_fallback: bool = False


def detect_encoding(path: Path, fallback: str) -> Encoding:
    """By its mark, else UTF-8 where that explains more bytes than it leaves, else the fallback.

    FileRefused (`file.encoding`) for UTF-16 without a mark and for UTF-32.
    """
    with path.open("rb") as file:
        head = file.read(4096)
    for mark, name in _MARKS:
        if head.startswith(mark):
            if name == "utf-32":
                raise FileRefused("file.encoding", "The file is in UTF-32, which is not read.", fix=_SAVE_AS_UTF8)
            encoding = Encoding(name, mark_bytes=len(mark))
            return encoding if name != "utf-8" else _judged_utf8(path, encoding, trusted=True)
    if _looks_like_utf16(head):
        message = "The file looks like UTF-16 without the mark at its start that says so."
        raise FileRefused("file.encoding", message, fix=_SAVE_AS_UTF8)
    judged = _judged_utf8(path, Encoding("utf-8"), trusted=False)
    return judged if judged.name == "utf-8" else Encoding(fallback, is_fallback=True)


def _looks_like_utf16(head: bytes) -> bool:
    """ASCII text in UTF-16 has a NUL in every other byte."""
    even, odd = head[0::2].count(0), head[1::2].count(0)
    return max(even, odd) * 4 > len(head) and min(even, odd) * 10 < max(even, odd)


def _judged_utf8(path: Path, encoding: Encoding, *, trusted: bool) -> Encoding:
    valid_sequences, bad_bytes = _count_utf8(path)
    if not bad_bytes:
        return encoding
    if trusted or valid_sequences > bad_bytes:
        return Encoding("utf-8", encoding.mark_bytes, has_bad_bytes=True)
    return Encoding("")


def _count_utf8(path: Path) -> tuple[int, int]:
    """Valid multi-byte sequences, and bytes that belong to none."""
    valid, bad, held = 0, 0, b""
    for chunk in chain(chunks_of(path), [b""]):
        text = held + chunk
        kept = len(text) - unfinished_bytes(text) if chunk else len(text)
        held = text[kept:]
        bad_bytes, sequences = judge_utf8(np.frombuffer(text, dtype=np.uint8)[:kept])
        valid, bad = valid + sequences, bad + len(bad_bytes)
    return valid, bad


def rewrite_as_utf8(path: Path, encoding: Encoding, target: Path) -> list[Finding]:
    """Write the file to `target` as UTF-8; the warning says so where the fallback was used."""
    decoder = codecs.getincrementaldecoder(encoding.name)()
    samples: list[str] = []
    with target.open("wb") as out:
        first = True
        for chunk in chain(chunks_of(path), [b""]):
            text = _decoded(decoder, chunk[encoding.mark_bytes :] if first else chunk, encoding)
            first = False
            out.write(text.encode("utf-8"))
            if encoding.is_fallback and len(samples) < 3:
                samples += _samples(text, 3 - len(samples))
    if not encoding.is_fallback:
        return []
    return [file_finding("file.encoding_fallback", value=encoding.name, other=", ".join(samples))]


def _decoded(decoder: codecs.IncrementalDecoder, chunk: bytes, encoding: Encoding) -> str:
    try:
        text: str = decoder.decode(chunk, final=not chunk)
        text.encode("utf-8")  # a lone surrogate of UTF-16 is no text either
    except UnicodeError as error:
        raise FileRefused(
            "file.encoding", f"The file holds bytes that mean nothing in {encoding.name}.", fix=_SAVE_AS_UTF8
        ) from error
    return text


def _samples(text: str, wanted: int) -> list[str]:
    return re.findall(r"[^\s,;\t|\"]*[^\x00-\x7f][^\s,;\t|\"]*", text)[:wanted]
