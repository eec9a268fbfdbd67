"""Puts records that are no plain lines into the session, thousands at a time."""

import numpy as np

from sis_sync.engine.session import Session
from sis_sync.formats.scan import MOST_ODD, OddRecord


class OddRecords:
    """Gathers records; `store` makes the table `odd` (line, codes, width, is_split, cells) of all that were taken."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._waiting: list[OddRecord] = []
        session.run(
            "CREATE TEMP TABLE odd_cells "
            "(line BIGINT, codes VARCHAR, width BIGINT, is_split BOOLEAN, place BIGINT, cell VARCHAR)"
        )

    def take(self, records: list[OddRecord]) -> None:
        """Keep these; nothing is held for long, as a file may hold nothing else."""
        self._waiting += records
        if len(self._waiting) >= MOST_ODD:
            self._insert()

    def store(self) -> None:
        """Make the table, in file order."""
        self._insert()
        self._session.run(
            "CREATE TEMP TABLE odd AS SELECT line, codes, width, is_split, list(cell ORDER BY place) AS cells "
            "FROM odd_cells GROUP BY line, codes, width, is_split ORDER BY line; DROP TABLE odd_cells"
        )

    def _insert(self) -> None:
        """As one table of cells: the engine takes arrays at once, lists of lists value by value."""
        records, self._waiting = self._waiting, []
        if not records:
            return
        widths = np.array([len(record.cells) for record in records])
        batch = {
            "line": np.repeat(np.array([record.line for record in records]), widths),
            "codes": np.repeat(np.array([";".join(record.codes) for record in records], dtype=object), widths),
            "width": np.repeat(np.array([record.width for record in records]), widths),
            "is_split": np.repeat(np.array([record.is_split for record in records]), widths),
            "place": np.arange(widths.sum()),
            "cell": np.array([cell for record in records for cell in record.cells], dtype=object),
        }
        self._session.connection.register("odd_batch", batch)
        self._session.run("INSERT INTO odd_cells SELECT line, codes, width, is_split, place, cell FROM odd_batch")
        self._session.connection.unregister("odd_batch")
