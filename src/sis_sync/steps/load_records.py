"""Puts scanned records into the session: the table `cells` for those that split, `broken` for the others."""

import mmap
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sis_sync.engine.session import Session
from sis_sync.engine.sql import bind
from sis_sync.formats.lines import Positions
from sis_sync.formats.records import Buffer
from sis_sync.formats.scan import Layout, Part
from sis_sync.steps.odd_records import OddRecords
from sis_sync.steps.plain_lines import PlainLines


@dataclass(frozen=True)
class Loaded:
    """How many records became rows: `split` of `cells`, `broken` of `broken`."""

    split: int
    broken: int

    @property
    def records(self) -> int:
        """All of them."""
        return self.split + self.broken


def load_records(session: Session, source: Path, data: Buffer, layout: Layout, parts: Iterable[Part]) -> Loaded:
    """Fill `cells` (line, codes, c0 ...) and `broken` (line, codes, width, cells); asserts that no record is lost."""
    names = [f"c{position}" for position in range(layout.columns)]
    columns = ", ".join(f"{name} VARCHAR" for name in names)
    session.run(f"CREATE TEMP TABLE cells (line BIGINT, codes VARCHAR, {columns})")
    odd = OddRecords(session)
    numbers, records = [], 0
    with PlainLines(session.folder / "plain.csv", data, layout) as plain:
        for part in parts:
            odd.take(part.odd)
            plain.take(part)
            numbers.append(part.plain_lines)
            records += part.records
    _let_go(data)
    odd.store()
    path, skip = (source, 1) if plain.are_whole_file else (plain.path, 0)
    _load_plain(session, path, skip, layout, names, numbers)
    loaded = Loaded(session.value("SELECT count(*) FROM cells"), session.value("SELECT count(*) FROM broken"))
    if loaded.records != records:
        raise AssertionError(f"{records} records in the file, but {loaded.records} were read")
    return loaded


def _let_go(data: Buffer) -> None:
    """The whole file was looked at: what is mapped of it goes before the engine takes its memory, not beside it."""
    if isinstance(data, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
        data.madvise(mmap.MADV_DONTNEED)


def _load_plain(
    session: Session, path: Path, skip: int, layout: Layout, names: list[str], numbers: list[Positions]
) -> None:
    lines = np.concatenate([*numbers, np.empty(0, dtype=np.int64)])
    if not len(lines):
        return
    options = bind(
        "auto_detect=false, header=false, quote='\"', escape='\"', strict_mode=true, compression='none', "
        "hive_partitioning=false, delim=:delim, skip=:skip",
        delim=chr(layout.delimiter),
        skip=skip,
    )
    types = ", ".join(f"'{name}': 'VARCHAR'" for name in names)
    session.connection.register("plain_lines", {"line": lines})
    # Side by side in file order: a join by position reads both in order, and copies nothing twice.
    session.run(
        "INSERT INTO cells SELECT l.line, '' AS codes, p.* FROM plain_lines AS l POSITIONAL JOIN "
        f"read_csv(:path, {options}, columns={{{types}}}, force_not_null={names}) AS p",
        path=str(session.plainly_named(path)),
    )
    session.connection.unregister("plain_lines")
    # The join fills up the shorter side with NULL.
    if session.value(f"SELECT count(*) FROM cells WHERE line IS NULL OR (codes = '' AND {names[0]} IS NULL)"):
        raise AssertionError(f"The engine does not find the {len(lines)} plain lines in the file")
