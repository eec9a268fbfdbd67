"""Removes passwords from the stored file once their hashes are in the plan. A later plan copies the hashes."""

from collections.abc import Iterator
from pathlib import Path

from sis_sync.core.whole_files import replaced_whole
from sis_sync.engine.duckdb import Session
from sis_sync.engine.sql import sql_text
from sis_sync.server.runs.files import RunFiles, is_as_stored, run_files
from sis_sync.server.runs.models import Run
from sis_sync.steps.map.columns import secret_positions
from sis_sync.steps.read.delimiter import delimiter_called
from sis_sync.steps.read.quotes import Record, split_record
from sis_sync.steps.read.read import Records

UTF8_MARK = b"\xef\xbb\xbf"
# With this many more columns than the header, a rewritten record still cannot be split.
EXCESS_COLUMNS = 3


def carry_password_hashes(session: Session, *, earlier: RunFiles, earlier_digest: str, plan: Path) -> None:
    """Copy the hashes of an earlier plan of the same file into `plan`, record by record.

    Do nothing if the files of the earlier plan were changed.
    """
    if not is_as_stored(earlier, earlier_digest):
        return
    hashed = "SELECT count(*) FROM read_parquet(:earlier) WHERE password_hash <> ''"
    if not session.value(hashed, earlier=str(earlier.plan)):
        return
    merged = plan.with_name(f"{plan.name}.merged")
    session.run(
        f"COPY ({sql_text(__package__, 'carry_password_hashes')}) TO :merged (FORMAT parquet)",
        plan=str(plan),
        earlier=str(earlier.plan),
        merged=str(merged),
    )
    merged.replace(plan)


def store_without_passwords(run: Run, session: Session, records: Records) -> None:
    """Rewrite the stored file without secret columns, if it has any. Every record keeps its line."""
    secret = sorted(secret_positions(records.columns))
    original = run_files(run).original
    if not secret or not original.is_file():
        return
    converted = session.folder / "utf8.csv"  # written by the `read` step if the file has another encoding
    data = (converted if converted.is_file() else original).read_bytes()
    with replaced_whole(original) as path, path.open("wb") as target:
        if converted.is_file() and not data.startswith(UTF8_MARK):
            target.write(UTF8_MARK)
        target.writelines(_rewritten(data, records, secret, _known_ids(session)))


def _known_ids(session: Session) -> set[bytes]:
    """Return the raw cells of unsplittable records that match the custom ID of an account."""
    found = session.rows(
        "SELECT DISTINCT b.raw FROM broken_cells b JOIN accounts a ON a.custom_id = b.cell AND a.custom_id <> ''"
    )
    return {str(cell).encode() for (cell,) in found}


def _rewritten(data: bytes, records: Records, secret: list[int], known: set[bytes]) -> Iterator[bytes]:
    delimiter = delimiter_called(records.facts.delimiter).encode()
    columns = len(records.columns.header)
    start = len(UTF8_MARK) if data.startswith(UTF8_MARK) else 0
    yield data[:start]
    is_header = True
    while start < len(data):
        line_end = data.find(b"\n", start)
        line_end = len(data) if line_end == -1 else line_end + 1
        if not data[start:line_end].strip():
            yield data[start:line_end]
            start = line_end
            continue
        record = split_record(data, start, delimiter[0], None if is_header else columns)
        end = data[start : record.end]
        ending = b"\r\n" if end.endswith(b"\r\n") else b"\n" if end.endswith(b"\n") else b""
        if record.fault or len(record.cells) != columns:
            yield _unsplittable(record, columns, delimiter, known) + ending
        else:
            kept = [cell for position, cell in enumerate(record.cells) if position not in secret]
            yield delimiter.join(_quoted(cell, delimiter) for cell in kept) + ending
        start, is_header = record.end, False


def _unsplittable(record: Record, columns: int, delimiter: bytes, known: set[bytes]) -> bytes:
    """Keep only the known custom IDs and the number of lines, because any other cell could be a password."""
    kept = [cell for cell in record.cells if cell in known]
    filler = [b""] * (columns + EXCESS_COLUMNS - len(kept))
    return delimiter.join([*kept, *filler]) + b"\n" * (record.lines - 1)


def _quoted(cell: bytes, delimiter: bytes) -> bytes:
    if any(sign in cell for sign in (delimiter, b'"', b"\n", b"\r")):
        return b'"' + cell.replace(b'"', b'""') + b'"'
    return cell
