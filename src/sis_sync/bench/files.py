"""The files that scenarios read: made once for a number of rows, kept in a cache folder."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from sis_sync.bench import work
from sis_sync.bench.measure import module, run_measured

MAKERS = ("make_files.py", "district.sql")


@dataclass(frozen=True)
class District:
    """The files of so many made-up people, as `work/make_files.py` describes them."""

    rows: int
    folder: Path

    def file(self, name: str) -> Path:
        """The file of that name: first, roster, accounts, orgs or broken."""
        return self.folder / f"{name}.csv"


def district(cache: Path, rows: int) -> District:
    """The files for this number of rows; made now if this version's are not in the cache."""
    folder = cache / f"district-{rows}-{_version()}"
    if not (folder / "complete").exists():
        run_measured(module("make_files", folder, rows))
        (folder / "complete").touch()
    return District(rows, folder)


def _version() -> str:
    texts = [(Path(work.__path__[0]) / name).read_bytes() for name in MAKERS]
    return hashlib.sha256(b"".join(texts)).hexdigest()[:12]
