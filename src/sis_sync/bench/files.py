"""The files that scenarios read: made once for each number of rows, and kept in a cache folder."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from sis_sync.bench import work
from sis_sync.bench.measure import module, run_measured

MAKERS = ("make_files.py", "district.sql")


@dataclass(frozen=True)
class District:
    """The files of `rows` made-up people, as `work/make_files.py` writes them."""

    rows: int
    folder: Path

    def file(self, name: str) -> Path:
        """Return the path of a file: first, roster, accounts, orgs or broken."""
        return self.folder / f"{name}.csv"


def district(cache: Path, rows: int) -> District:
    """Return the files for this number of rows. Make them if the cache lacks those of this version."""
    folder = cache / f"district-{rows}-{_version()}"
    if not (folder / "complete").exists():
        run_measured(module("make_files", folder, rows))
        (folder / "complete").touch()
    return District(rows, folder)


def _version() -> str:
    texts = [(Path(work.__path__[0]) / name).read_bytes() for name in MAKERS]
    return hashlib.sha256(b"".join(texts)).hexdigest()[:12]
