"""The plain lines of a file as a file for the engine: the file itself where it holds nothing else, else a copy."""

from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from sis_sync.formats.records import Buffer
from sis_sync.formats.scan import Layout, Part

_BUFFER_BYTES = 1 << 20  # ranges are short: one system call for many


class PlainLines:
    """Takes part after part; from the first one that is not like the others, plain lines are copied to `path`."""

    def __init__(self, path: Path, data: Buffer, layout: Layout) -> None:
        self.path, self._data, self._layout = path, data, layout
        self._out: BinaryIO | None = None
        header = data[: layout.start]
        self._ends_with_return = header.endswith(b"\r\n")
        # The engine reads the header too, to step over it.
        if layout.line != 2 or b'"' in header or layout.has_bad_bytes:
            self._out = path.open("wb", buffering=_BUFFER_BYTES)

    @property
    def are_whole_file(self) -> bool:
        """Whether the file itself, without its first line, is all plain lines with one kind of line end."""
        return self._out is None

    def take(self, part: Part) -> None:
        """Keep the plain lines of the next part."""
        if self._out is None and not self._is_like_the_header(part):
            self._out = self.path.open("wb", buffering=_BUFFER_BYTES)
            self._copy(self._layout.start, part.start)
        if self._out is not None:
            for start, end in part.ranges:
                self._copy(start, end)

    def _is_like_the_header(self, part: Part) -> bool:
        last_is_open = part.end == len(self._data) and self._data[part.end - 1 : part.end] != b"\n"
        ended = part.lines - last_is_open
        return part.is_plain and part.lines_with_return == (ended if self._ends_with_return else 0)

    def _copy(self, start: int, end: int) -> None:
        """With LF alone at every line end: the engine wants one kind."""
        if self._out is not None and end > start:
            with memoryview(self._data)[start:end] as text:
                self._out.write(text if bytes(text[-2:]) != b"\r\n" else text.tobytes().replace(b"\r\n", b"\n"))
            if self._data[end - 1 : end] != b"\n":
                self._out.write(b"\n")

    def __enter__(self) -> "PlainLines":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._out is not None:
            self._out.close()
