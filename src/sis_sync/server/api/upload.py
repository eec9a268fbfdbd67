"""Unpacks an uploaded gzip file, and checks what comes with it: idempotency key, mapping and reading options."""

import gzip
import io
import zlib
from typing import IO

from django.core.files.uploadedfile import UploadedFile

from sis_sync.core.errors import ConfigurationError, UsageFault
from sis_sync.core.reading_options import ReadingOptions, options_of
from sis_sync.server.errors import FileDamaged
from sis_sync.server.text import has_controls
from sis_sync.steps.map.mapper_lines import parse_mapping
from sis_sync.steps.map.mapping import NO_MAPPING

LINE_CHARACTERS = dict.fromkeys(map(ord, "\t\r\n"))
GZIP_START = b"\x1f\x8b"
MAX_KEY_LENGTH = 255


class Unpacked(io.RawIOBase):
    """A stream of the plain bytes of a gzip file. Reading raises FileDamaged if the file is damaged."""

    def __init__(self, packed: IO[bytes]) -> None:
        self.source = gzip.GzipFile(fileobj=packed)

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # any writable buffer works
        """Fill the buffer with the next bytes. Return the number of bytes, 0 at the end."""
        try:
            return self.source.readinto(buffer)
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise FileDamaged(
                "The gzip file is damaged or cut short. Nothing was stored.", fix="Send it again."
            ) from error


def plain_bytes(upload: "UploadedFile[bytes]") -> IO[bytes]:
    """Return the file as the SIS wrote it. Unpack it if it starts with the gzip signature, which no roster has."""
    upload.seek(0)
    start = upload.read(len(GZIP_START))
    upload.seek(0)
    file: IO[bytes] = upload.file  # type: ignore[assignment]  # a temporary file on disk
    return io.BufferedReader(Unpacked(file)) if start == GZIP_START else file


def plain_name(name: str | None) -> str:
    """Return the name without the .gz that packing added."""
    return (name or "").removesuffix(".gz")


def checked_idempotency_key(key: str | None) -> str:
    """Return the key. Raise UsageFault if it is missing or not plain text of at most 255 characters."""
    if not key or len(key) > MAX_KEY_LENGTH or not key.isprintable():
        raise UsageFault(
            f"The header Idempotency-Key is missing, or is not a plain text of at most {MAX_KEY_LENGTH} characters.",
            fix="Send a new random one with each file, and the same one when sending the same file again.",
        )
    return key


def checked_options(words: dict[str, str], lines: str, name: str) -> ReadingOptions:
    """Return the reading options in these words. Raise ConfigurationError if one, or a mapping line, is invalid."""
    if has_controls(name) or has_controls(lines.translate(LINE_CHARACTERS)):
        raise ConfigurationError("The mapping contains a control character.", fix="Send the lines as plain text.")
    mapping = parse_mapping(lines, name=name or None) if lines.strip() else NO_MAPPING
    options = options_of(words)
    options.over(mapping.reading).refuse_unnamed_columns()
    return options
