"""Find the kind of a file from its first bytes. Raise FileRefused for workbooks, archives, pages and other non-text."""

import codecs
from pathlib import Path

from sis_sync.core.errors import FileRefused

_SAVE_AS_CSV = 'Open it and save it as "CSV UTF-8 (comma delimited)", or let the SIS export CSV.'
_EXPORT_AGAIN = "Look at the file: the export may have saved an error or sign-in page. Export it again."
_MAGIC: tuple[tuple[bytes, str, str], ...] = (
    (b"\xd0\xcf\x11\xe0", "an Excel workbook (xls)", _SAVE_AS_CSV),
    (b"%PDF", "a PDF document", "Export the users as CSV."),
    (b"\x1f\x8b", "a gzip archive", "Unpack it and send the CSV file inside."),
    (b"7z\xbc\xaf", "a 7-Zip archive", "Unpack it and send the CSV file inside."),
    (b"Rar!", "a RAR archive", "Unpack it and send the CSV file inside."),
    (b"\x89PNG", "a picture", "Export the users as CSV."),
    (b"\xff\xd8\xff", "a picture", "Export the users as CSV."),
    (b"GIF8", "a picture", "Export the users as CSV."),
    (b"SQLite format 3", "a database", "Export the users as CSV."),
    (b"PAR1", "a Parquet file", "Export the users as CSV."),
    (b"\x7fELF", "a program", "Export the users as CSV."),
    (b"MZ\x90\x00", "a program", "Export the users as CSV."),
    (b"{\\rtf", "an RTF document", "Export the users as CSV."),
)
_MARKUP: tuple[tuple[bytes, str], ...] = (
    (b"<!doctype", "an HTML page"),
    (b"<html", "an HTML page"),
    (b"<head", "an HTML page"),
    (b"<body", "an HTML page"),
    (b"<?xml", "an XML document"),
    (b"<!--", "an HTML page"),
    (b'{"', "a JSON document"),
    (b"[{", "a JSON document"),
    (b"{\n", "a JSON document"),
    (b"{\r\n", "a JSON document"),
    (b"[\n", "a JSON document"),
)


def head_of(path: Path, size: int) -> bytes:
    """Return the first bytes of a file. Raise FileRefused (`file.not_found`) if it is missing or cannot be read."""
    if path.is_dir():
        fix = "Name the file in it."
        raise FileRefused("file.not_found", f"{path.name} is a folder, not a file.", fix=fix)
    if not path.is_file():
        raise FileRefused("file.not_found", f"There is no file {path.name}.", fix="Check the path.")
    try:
        with path.open("rb") as file:
            return file.read(size)
    except OSError as error:
        message = f"{path.name} exists but cannot be read: {error.strerror}."
        raise FileRefused("file.not_found", message, fix="Let this user read it, and try again.") from error


def refuse_unless_text(head: bytes) -> None:
    """Raise FileRefused (`file.not_text`) with the kind of the file if these first bytes are not CSV or TSV text."""
    for magic, kind, fix in _MAGIC:
        if head.startswith(magic):
            raise FileRefused("file.not_text", f"This is {kind}, not a CSV or TSV file.", fix=fix)
    if head.startswith(b"PK\x03\x04"):
        raise _refused_zip(head)
    start = head.removeprefix(codecs.BOM_UTF8).lstrip().lower()
    for markup, kind in _MARKUP:
        if start.startswith(markup):
            raise FileRefused("file.not_text", f"This is {kind}, not a CSV or TSV file.", fix=_EXPORT_AGAIN)


def _refused_zip(head: bytes) -> FileRefused:
    if b"xl/" in head or b"[Content_Types].xml" in head:
        return FileRefused(
            "file.not_text", "This is an Excel workbook (xlsx), not a CSV or TSV file.", fix=_SAVE_AS_CSV
        )
    if b"opendocument.spreadsheet" in head:
        return FileRefused("file.not_text", "This is a LibreOffice workbook (ods), not a CSV file.", fix=_SAVE_AS_CSV)
    return FileRefused(
        "file.not_text", "This is a zip archive, not a CSV or TSV file.", fix="Unpack it and send the CSV file inside."
    )
