"""Stores the file of a run without its secret columns."""

from sis_sync.core.whole_files import replaced_whole
from sis_sync.engine.duckdb import Session
from sis_sync.server.runs.files import run_files
from sis_sync.server.runs.models import Run
from sis_sync.steps.map.columns import secret_positions
from sis_sync.steps.read.delimiter import delimiter_called
from sis_sync.steps.read.read import Records
from sis_sync.steps.read.rewrite import UTF8_MARK, Rewrite, rewritten


def store_without_passwords(run: Run, session: Session, records: Records) -> None:
    """Rewrite the stored file without secret columns, if it has any. Every record keeps its line."""
    secret = secret_positions(records.columns)
    original = run_files(run).original
    if not secret or not original.is_file():
        return
    converted = session.folder / "utf8.csv"  # written by the `read` step if the file has another encoding
    data = (converted if converted.is_file() else original).read_bytes()
    delimiter = delimiter_called(records.facts.delimiter)
    rewrite = Rewrite(delimiter, len(records.columns.header), secret, known=_known_ids(session))
    with replaced_whole(original) as path, path.open("wb") as target:
        if converted.is_file() and not data.startswith(UTF8_MARK):
            target.write(UTF8_MARK)
        target.writelines(rewritten(data, rewrite))


def _known_ids(session: Session) -> set[bytes]:
    """Return the raw cells of unsplittable records that match the custom ID of an account."""
    found = session.rows(
        "SELECT DISTINCT b.raw FROM broken_cells b JOIN accounts a ON a.custom_id = b.cell AND a.custom_id <> ''"
    )
    return {str(cell).encode() for (cell,) in found}
