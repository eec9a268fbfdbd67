"""Puts records that are no plain lines into the session, thousands at a time."""

from typing import Any

import numpy as np

from sis_sync.engine.session import Session
from sis_sync.formats.scan import MOST_ODD, OddRecord


class OddRecords:
    """Gathers records: those with the header's columns go into `cells`, `store` makes the table `broken` of the rest.

    `cells` is there before: line, codes and a column for each of the header's.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._split: list[OddRecord] = []
        self._broken: list[OddRecord] = []
        session.run(
            "CREATE TEMP TABLE broken_cells (line BIGINT, codes VARCHAR, width BIGINT, place BIGINT, cell VARCHAR)"
        )

    def take(self, records: list[OddRecord]) -> None:
        """Keep these; nothing is held for long, as a file may hold nothing else."""
        for record in records:
            (self._split if record.is_split else self._broken).append(record)
        if len(self._split) + len(self._broken) >= MOST_ODD:
            self._insert()

    def store(self) -> None:
        """Make `broken` (line, codes, width, cells), in file order."""
        self._insert()
        self._session.run(
            "CREATE TEMP TABLE broken AS SELECT line, codes, width, list(cell ORDER BY place) AS cells "
            "FROM broken_cells GROUP BY line, codes, width ORDER BY line; DROP TABLE broken_cells"
        )

    def _insert(self) -> None:
        split, self._split = self._split, []
        if split:
            columns = zip(*[record.cells for record in split], strict=True)
            cells = {f"c{position}": np.array(column, dtype=object) for position, column in enumerate(columns)}
            self._append("cells", {"line": _lines(split), "codes": _codes(split), **cells})
        broken, self._broken = self._broken, []
        if broken:
            self._append("broken_cells", _one_row_a_cell(broken))

    def _append(self, table: str, batch: dict[str, Any]) -> None:
        self._session.connection.register("odd_batch", batch)
        self._session.run(f"INSERT INTO {table} SELECT * FROM odd_batch")
        self._session.connection.unregister("odd_batch")


def _one_row_a_cell(records: list[OddRecord]) -> dict[str, Any]:
    """The engine takes arrays at once, lists of lists value by value."""
    widths = np.array([len(record.cells) for record in records])
    return {
        "line": np.repeat(_lines(records), widths),
        "codes": np.repeat(_codes(records), widths),
        "width": np.repeat(np.array([record.width for record in records]), widths),
        "place": np.arange(widths.sum()),
        "cell": np.array([cell for record in records for cell in record.cells], dtype=object),
    }


def _lines(records: list[OddRecord]) -> Any:
    return np.array([record.line for record in records])


def _codes(records: list[OddRecord]) -> Any:
    return np.array([";".join(record.codes) for record in records], dtype=object)
