"""Puts scanned records into the session: the table `cells` for those that split, `broken` for the others."""

from pathlib import Path

import numpy as np

from sis_sync.engine.session import Session
from sis_sync.engine.sql import bind
from sis_sync.formats.records import Buffer
from sis_sync.formats.scan import Layout, OddRecord, Scan

_BATCH = 2000
_ODD_TYPE = "STRUCT(line BIGINT, codes VARCHAR, width BIGINT, cells VARCHAR[])[]"


def load_records(session: Session, source: Path, data: Buffer, layout: Layout, found: Scan) -> None:
    """Fill `cells` (line, codes, c0 ...) and `broken` (line, codes, cells); asserts that no record is lost."""
    names = [f"c{position}" for position in range(layout.columns)]
    _load_plain(session, source, data, layout, found, names)
    session.run("CREATE TEMP TABLE broken (line BIGINT, codes VARCHAR, width BIGINT, cells VARCHAR[])")
    picked = ", ".join(f"odd.cells[{position + 1}]" for position in range(layout.columns))
    split = [record for record in found.odd if record.is_split]
    _insert(session, f"INSERT INTO cells SELECT odd.line, odd.codes, {picked}", split)
    _insert(
        session,
        "INSERT INTO broken SELECT odd.line, odd.codes, odd.width, odd.cells",
        [r for r in found.odd if not r.is_split],
    )
    loaded = session.value("SELECT (SELECT count(*) FROM cells) + (SELECT count(*) FROM broken)")
    _assert_all_read("records", found.plain_count + len(found.odd), loaded)


def _assert_all_read(what: str, expected: int, read: int) -> None:
    if read != expected:
        raise AssertionError(f"{expected} {what} in the file, but {read} were read")


def _load_plain(session: Session, source: Path, data: Buffer, layout: Layout, found: Scan, names: list[str]) -> None:
    if not found.plain_count:
        session.run(f"CREATE TEMP TABLE cells (line BIGINT, codes VARCHAR, {', '.join(f'{n} VARCHAR' for n in names)})")
        return
    path, skip = _plain_source(session, source, data, layout, found)
    options = bind(
        "auto_detect=false, header=false, quote='\"', escape='\"', strict_mode=true, compression='none', "
        "hive_partitioning=false, delim=:delim, skip=:skip",
        delim=chr(layout.delimiter),
        skip=skip,
    )
    types = ", ".join(f"'{name}': 'VARCHAR'" for name in names)
    columns = f"columns={{{types}}}, force_not_null={[*names]}"
    session.run(
        f"CREATE TEMP TABLE plain AS SELECT * FROM read_csv(:path, {options}, {columns})",
        path=str(session.plainly_named(path)),
    )
    _assert_all_read("plain lines", found.plain_count, session.value("SELECT count(*) FROM plain"))
    session.connection.register("plain_lines", {"line": np.concatenate(found.plain_lines)})
    session.run("CREATE TEMP TABLE cells AS SELECT l.line, '' AS codes, p.* FROM plain_lines l POSITIONAL JOIN plain p")
    session.run("DROP TABLE plain")
    session.connection.unregister("plain_lines")


def _plain_source(session: Session, source: Path, data: Buffer, layout: Layout, found: Scan) -> tuple[Path, int]:
    """The file itself where all its lines are plain records, else a copy of those: its path, and lines to skip."""
    is_mixed = found.lines_with_return not in (0, _line_ends(data, found))
    is_whole = len(found.ranges) == 1 and layout.line == 2 and not found.odd and not found.blank_lines
    header = data[: layout.start]
    is_alike = header.endswith(b"\r\n") == bool(found.lines_with_return)
    is_simple = b'"' not in header and not layout.has_bad_bytes  # the engine reads the header too, to skip it
    if is_whole and not is_mixed and is_alike and is_simple:
        return source, 1
    path = session.folder / "plain.csv"
    with path.open("wb") as out:
        for start, end in found.ranges:
            out.write(data[start:end].replace(b"\r\n", b"\n"))
        if data[-1:] != b"\n":
            out.write(b"\n")
    return path, 0


def _line_ends(data: Buffer, found: Scan) -> int:
    return found.lines if data[-1:] == b"\n" else found.lines - 1


def _insert(session: Session, statement: str, records: list[OddRecord]) -> None:
    for start in range(0, len(records), _BATCH):
        batch = records[start : start + _BATCH]
        rows = [{"line": r.line, "codes": ";".join(r.codes), "width": r.width, "cells": list(r.cells)} for r in batch]
        session.insert(f"{statement} FROM (SELECT unnest(?::{_ODD_TYPE}) AS odd)", [rows])
