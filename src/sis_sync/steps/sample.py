"""Sample: the header and the first records of a file, without planning anything."""

from pathlib import Path

from sis_sync.core.errors import FileRefused
from sis_sync.formats.content import head_of, refuse_unless_text
from sis_sync.formats.encoding import detect_encoding
from sis_sync.formats.suggest.sample import Sample, records_of

BYTES = 256 * 1024
DELIMITERS = (",", "\t", ";", "|")


def read_sample(path: Path) -> Sample:
    """Header and records of the first 256 KB. FileRefused where there is no file, no text or no header."""
    head = head_of(path, BYTES)
    refuse_unless_text(head)
    text = head.decode(detect_encoding(path, "windows-1252").name, "replace").removeprefix("\ufeff").replace("\0", "")
    first = next((line for line in text.splitlines() if line.strip()), "")
    rows = records_of(text, max(DELIMITERS, key=first.count)) if first else []
    if not rows:
        raise FileRefused("file.empty", "The file holds nothing but white space.", fix="Check the export in the SIS.")
    is_cut = len(head) == BYTES  # then the last record may be half of one
    return Sample(rows[0], rows[1:-1] if is_cut else rows[1:])
