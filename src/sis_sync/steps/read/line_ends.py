"""Line ends of old systems: lines that end with CR alone, or with CR CR LF, throughout a file.

The other modules know LF and CRLF. A file with other line ends is copied with LF before it is read.
"""

from itertools import chain
from pathlib import Path

import numpy as np

from sis_sync.core.findings import Finding, file_finding
from sis_sync.core.whole_files import chunks_of
from sis_sync.steps.read.lines import LINE_FEED, QUOTE, RETURN

_SAMPLE_BYTES = 1 << 18
_CR, _CR_CR_LF = b"\r", b"\r\r\n"
_NAMES = {_CR: "CR alone", _CR_CR_LF: "CR CR LF"}


def as_usual_lines(folder: Path, source: Path) -> tuple[Path, list[Finding]]:
    """Return a UTF-8 file, or a copy of it in the folder whose lines end with LF, and a warning."""
    with source.open("rb") as file:
        line_end = unusual_line_end(file.read(_SAMPLE_BYTES))
    if not line_end:
        return source, []
    copy = folder / "lines.csv"
    _copy_with_line_feeds(source, line_end, copy)
    return copy, [file_finding("file.line_ends", value=_NAMES[line_end])]


def unusual_line_end(beginning: bytes) -> bytes:
    """Return CR or CR CR LF if the lines of the file that begins so end with it, or nothing.

    Then the first line does not end with LF or CRLF, and more lines end so than in another way. Line
    ends inside quotes do not count.
    """
    if _CR not in beginning:
        return b""
    sample = np.frombuffer(beginning + b"\0\0", dtype=np.uint8)
    is_outside = np.bitwise_and(np.cumsum(sample == QUOTE), 1) == 0
    returns = np.flatnonzero((sample[:-2] == RETURN) & is_outside[:-2])
    feeds = np.flatnonzero((sample == LINE_FEED) & is_outside)
    follows, then = sample[returns + 1], sample[returns + 2]
    doubled = returns[(follows == RETURN) & (then == LINE_FEED)]
    lone = returns[(follows != LINE_FEED) & ((follows != RETURN) | (then != LINE_FEED))]
    first_feed = feeds[0] if len(feeds) else len(sample)
    if len(doubled) and doubled[0] == first_feed - 2:
        return _CR_CR_LF
    return _CR if len(lone) > len(feeds) and lone[0] < first_feed else b""


def _copy_with_line_feeds(source: Path, line_end: bytes, target: Path) -> None:
    """Copy a file whose lines end with `line_end`, with LF at their ends."""
    with target.open("wb") as out:
        pending = b""
        for chunk in chain(chunks_of(source), [b""]):
            text = pending + chunk
            # The end of a chunk may be the beginning of a line end.
            pending = text[len(text.rstrip(b"\r")) :] if chunk else b""
            text = text[: len(text) - len(pending)].replace(_CR_CR_LF, b"\n")
            out.write(text.replace(b"\r\n", b"\n").replace(_CR, b"\n") if line_end == _CR else text)
