"""Which bytes are no UTF-8, found without decoding: only the bytes beyond ASCII are looked at."""

import numpy as np
from numpy.typing import NDArray

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
