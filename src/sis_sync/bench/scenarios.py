"""Every scenario by name: what is measured beside what, and the ratio that is promised."""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from sis_sync.bench.compare import Comparison, Process
from sis_sync.bench.files import District, district
from sis_sync.bench.measure import module


@dataclass(frozen=True)
class Setting:
    """What the person asked for. `rows` None: as many as each scenario is promised for."""

    cache: Path
    rows: int | None = None

    def files(self, usual_rows: int) -> District:
        """The files of this run of a scenario."""
        return district(self.cache, self.rows or usual_rows)


MILLION = 1_000_000


def reading(setting: Setting) -> Iterator[Comparison]:
    """The read step beside DuckDB's own, and a damaged file beside a whole one."""
    files = setting.files(MILLION)
    whole = Process("read step, whole file", module("read_step", files.file("accounts")))
    yield Comparison(
        name="reading.clean",
        title="read a clean file, with lines",
        rows=files.rows,
        ours=whole,
        peer=Process("DuckDB read_csv, strict", module("strict_read", files.file("accounts"))),
        at_most=1.6,
    )
    yield Comparison(
        name="reading.broken",
        title="read a file with 1 % broken records",
        rows=files.rows,
        ours=Process("read step, 1 % broken", module("read_step", files.file("broken"))),
        peer=whole,
        at_most=1.3,
    )


def start(_setting: Setting) -> Iterator[Comparison]:
    """The command line itself."""
    yield Comparison(
        name="help",
        title="the command line says what it can",
        rows=0,
        ours=Process("sis-sync --help", [sys.executable, "-m", "sis_sync", "--help"]),
        peer=Process("python -c pass", [sys.executable, "-c", "pass"]),
    )


SCENARIOS: dict[str, Callable[[Setting], Iterator[Comparison]]] = {
    "reading": reading,
    "help": start,
}
