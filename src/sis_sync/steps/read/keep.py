"""Keep a file that was read, without the columns that no one needs, and read it again as it was.

The findings about a file stay the same although a part of it is gone: what the first reading found is kept next to it
in one Parquet file. Its first row has the facts and warnings as JSON. The other rows are the records with faults: for a
record that could not be split, the cells that may stay.
"""

import json
import mmap
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from sis_sync.core.fields import PASSWORD
from sis_sync.core.findings import Finding
from sis_sync.core.reading_options import NO_HEADER, delimiter_called
from sis_sync.core.whole_files import replaced_whole, sha256_of
from sis_sync.engine.duckdb import Session
from sis_sync.steps.map.columns import find_columns, fitting_variants
from sis_sync.steps.map.mapping import Mapping
from sis_sync.steps.map.secret_columns import kept_positions, secret_positions
from sis_sync.steps.read.header_line import header_start, mark_bytes, offset_of_line
from sis_sync.steps.read.load import load_records
from sis_sync.steps.read.quotes import Record, split_record
from sis_sync.steps.read.read import FileFacts, Records
from sis_sync.steps.read.rewrite import UTF8_MARK, Rewrite, rewritten
from sis_sync.steps.read.scan import Layout, scan
from sis_sync.steps.read.shape import Shape
from sis_sync.steps.read.text_formulas import find_text_formulas

_KEEP = """
COPY (
  SELECT CAST(NULL AS BIGINT) AS line, '' AS codes, CAST(NULL AS BIGINT) AS width, CAST(NULL AS VARCHAR[]) AS cells,
    :reading AS reading
  UNION ALL SELECT line, codes, NULL, NULL, NULL FROM cells WHERE codes <> ''
  UNION ALL SELECT line, codes, width, list(
      CASE WHEN cell IS NULL OR cell IN (
             SELECT b.raw FROM broken_cells AS b JOIN accounts AS a ON a.custom_id = b.cell AND a.custom_id <> '')
           THEN cell
           WHEN :hides_secrets OR place > width OR place - 1 IN :left_out THEN ''
           ELSE cell END ORDER BY place), NULL
    FROM (SELECT line, codes, width, unnest(cells) AS cell, generate_subscripts(cells, 1) AS place FROM broken)
    GROUP BY line, codes, width
) TO :path (FORMAT parquet)
"""
_FAULTS = "SELECT line, codes, width, cells FROM read_parquet(:path) WHERE reading IS NULL"


@dataclass(frozen=True)
class Reading:
    """What the first reading of a file found. `kept_sha256` is the digest of the file as it was kept.

    `header` has all columns of the file, `kept` the positions of those that were kept. `header_line` is the physical
    line of the header, NO_HEADER if the file has none.
    """

    facts: FileFacts
    header: tuple[str, ...]
    kept: tuple[int, ...]
    warnings: tuple[Finding, ...]
    kept_sha256: str
    header_line: int

    @classmethod
    def from_json(cls, text: str) -> "Reading":
        """Return the reading that `json.dumps(asdict(reading))` wrote."""
        values = json.loads(text)
        return cls(
            facts=FileFacts(**values["facts"]),
            header=tuple(values["header"]),
            kept=tuple(values["kept"]),
            warnings=tuple(Finding(**each) for each in values["warnings"]),
            kept_sha256=values["kept_sha256"],
            header_line=values.get("header_line", 1),  # files kept by an earlier version have a header
        )


def keep_what_counts(session: Session, records: Records, file: Path, reading: Path) -> None:
    """Replace the file by one without the columns that may not be stored. Do nothing if there are none.

    `records` were read from this file in this session, and mapped. What the reading found is written to `reading`
    first. The two belong together by the digest of the file, so a crash in between leaves the file as it came.
    """
    columns = records.columns
    kept = kept_positions(columns, records.mapping)
    source, layout = records.source, records.layout
    if records.is_read_again or source is None or layout is None or len(kept) == len(columns.header):
        return
    left_out = sorted(set(range(len(columns.header))) - set(kept))
    with replaced_whole(file) as draft:
        header = None if records.header_line == NO_HEADER else records.header_line
        _write_kept(
            source, draft, Rewrite(layout.shape, left_out, None, layout.footers), header, is_copy=source != file
        )
        found = Reading(records.facts, columns.header, kept, records.warnings, sha256_of(draft), records.header_line)
        with replaced_whole(reading) as path:
            session.run(
                _KEEP,
                reading=json.dumps(asdict(found), ensure_ascii=False),
                hides_secrets=bool(secret_positions(columns)),
                left_out=tuple(left_out),
                path=str(path),
            )


def _write_kept(source: Path, draft: Path, rewrite: Rewrite, header_line: int | None, *, is_copy: bool) -> None:
    with (
        source.open("rb") as opened,
        mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as data,
        draft.open("wb") as out,
    ):
        if is_copy and data[: len(UTF8_MARK)] != UTF8_MARK:
            out.write(UTF8_MARK)
        header = None if header_line is None else offset_of_line(data, header_line)
        out.writelines(rewritten(data, replace(rewrite, header=header)))


def had_passwords(session: Session, reading: Path, *, mapping: Mapping) -> bool:
    """Return True if the file had a column of passwords, which is never kept. Raise FileRefused for its columns."""
    if not reading.is_file():
        return False
    header = _first_reading(session, reading).header
    return PASSWORD in find_columns(header, fitting_variants(mapping, header)[0]).of_field


def _first_reading(session: Session, reading: Path) -> Reading:
    query = "SELECT reading FROM read_parquet(:path) WHERE reading IS NOT NULL"
    return Reading.from_json(session.value(query, path=str(reading)))


def read_again(session: Session, file: Path, reading: Path, *, mapping: Mapping) -> Records | None:
    """Read a kept file into the same tables as the first time. A column that was not kept is empty.

    Return None if this is not a kept file: then it is as it came.
    """
    if not reading.is_file():
        return None
    found = _first_reading(session, reading)
    if found.kept_sha256 != sha256_of(file):
        return None
    chosen = fitting_variants(mapping, found.header)[0]
    delimiter = ord(delimiter_called(found.facts.delimiter))
    with file.open("rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as data:
        start, line = header_start(data)
        header = split_record(data, start, Shape(delimiter))
        if found.header_line == NO_HEADER:
            line, header = 1, Record((), mark_bytes(data), 0)
        # Some bytes may not decode: looking for them costs little.
        shape = Shape(delimiter, len(found.kept), len(found.kept), len(found.kept), is_kept=True)
        layout = Layout(header.end, line + header.lines, shape, has_bad_bytes=True)
        loaded = load_records(session, file, data, layout, scan(data, layout))
    if loaded.records != found.facts.rows:
        raise AssertionError(f"{found.facts.rows} records were kept, but {loaded.records} were read again")
    _restore_shape(session, found, reading)
    columns = find_columns(found.header, chosen)
    formulas = find_text_formulas(session, columns, chosen, is_likely=loaded.has_text_formula)
    return Records(
        found.facts,
        columns,
        chosen,
        found.warnings,
        loaded.broken,
        found.header_line,
        file,
        layout,
        frozenset(formulas),
        is_read_again=True,
    )


def _restore_shape(session: Session, found: Reading, reading: Path) -> None:
    """Give `cells` all columns of the file again, and `cells` and `broken` the faults that the first reading found."""
    session.run(
        f"CREATE TEMP TABLE faults AS {_FAULTS}; "
        "UPDATE cells SET codes = f.codes FROM faults AS f WHERE f.cells IS NULL AND f.line = cells.line; "
        "DROP TABLE broken; "
        "CREATE TEMP TABLE broken AS SELECT * FROM faults WHERE cells IS NOT NULL ORDER BY line; "
        "DROP TABLE faults; ALTER TABLE cells RENAME TO kept_cells",
        path=str(reading),
    )
    place = {position: number for number, position in enumerate(found.kept)}
    names = (f"c{place[each]}" if each in place else "''" for each in range(len(found.header)))
    columns = ", ".join(f"{name} AS c{number}" for number, name in enumerate(names))
    session.run(f"CREATE TEMP VIEW cells AS SELECT line, codes, {columns} FROM kept_cells")
