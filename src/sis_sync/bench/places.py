"""The input files of the scenarios, and the data folders and databases of measured servers ("places").

Each measured run gets a fresh copy of a prepared place.
"""

import hashlib
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from sis_sync.bench import work
from sis_sync.bench.compare import Process
from sis_sync.bench.measure import module, run_measured
from sis_sync.bench.postgresql import Cluster
from sis_sync.server.serve.supervisor import MANY_SMALL_PIECES

MAKERS = ("make_files.py", "district.sql")


@dataclass(frozen=True)
class District:
    """The files with `rows` made-up people that `work/make_files.py` writes."""

    rows: int
    folder: Path

    def file(self, name: str) -> Path:
        """Return the path of a file: first, roster, accounts, orgs or broken."""
        return self.folder / f"{name}.csv"


def district(cache: Path, rows: int) -> District:
    """Return the files for this number of rows. Make them if the cache does not contain them in this version."""
    folder = cache / f"district-{rows}-{_version()}"
    if not (folder / "complete").exists():
        run_measured(module("make_files", folder, rows))
        (folder / "complete").touch()
    return District(rows, folder)


def _version() -> str:
    texts = [(Path(work.__path__[0]) / name).read_bytes() for name in MAKERS]
    return hashlib.sha256(b"".join(texts)).hexdigest()[:12]


WORK, LARGE, SMALL = "work", "large", "small"
NAMES = (WORK, "filled", "empty", LARGE, SMALL)


@dataclass(frozen=True)
class Places:
    """Named places in `folder`. They use SQLite if there is no cluster."""

    folder: Path
    cluster: Cluster | None

    @property
    def rows(self) -> Path:
        """The file with the rows of the accounts table after the first list."""
        return self.folder / "rows"

    def environment(self, name: str) -> dict[str, str]:
        """Return the environment variables of a server's child process in this place."""
        return {
            **MANY_SMALL_PIECES,
            "DJANGO_SETTINGS_MODULE": "sis_sync.server.settings",
            "SIS_SYNC_DATA_FOLDER": str(self.folder / name),
            "SIS_SYNC_DATABASE_URL": self.cluster.database(name) if self.cluster else "",
            "SIS_SYNC_SECRET_KEY_FILE": str(self.folder / "secret.key"),
        }

    def copy(self, source: str | None, target: str) -> None:
        """Replace the place `target` with a copy of `source`, or with an empty place."""
        shutil.rmtree(self.folder / target, ignore_errors=True)
        if source:
            shutil.copytree(self.folder / source, self.folder / target)
        if self.cluster:
            self.cluster.copy(source, target)

    def prepare(self, files: District) -> None:
        """Make the places `empty` (schools without people) and `filled` (after the first list was applied)."""
        self.copy(None, "empty")
        run_measured(module("server_place", files.file("orgs")), environment=self.environment("empty"))
        self.copy("empty", "filled")
        run_measured(module("server_run", files.file("first")), environment=self.environment("filled"))
        run_measured(module("account_rows", "export", self.rows), environment=self.environment("filled"))

    def process(self, label: str, command: list[str], begin_as: str, *, after: list[str] | None = None) -> Process:
        """Return a process that runs in a fresh copy of a prepared place, there after the command `after` if given."""
        return Process(
            label,
            command,
            environment=self.environment(WORK),
            make_ready=partial(self._make_ready, begin_as, after),
            server=self.cluster.process if self.cluster else None,
        )

    def _make_ready(self, begin_as: str, after: list[str] | None) -> None:
        self.copy(begin_as, WORK)
        if after:
            run_measured(after, environment=self.environment(WORK))

    def forget(self) -> None:
        """Remove the databases."""
        if self.cluster:
            for name in NAMES:
                self.cluster.drop(name)


@contextmanager
def prepared_places(files: District, cluster: Cluster | None) -> Iterator[Places]:
    """Prepare places for these files and yield them. Remove them at the end."""
    with no_places(files.folder.parent, cluster) as places:
        places.prepare(files)
        yield places


@contextmanager
def no_places(parent: Path, cluster: Cluster | None) -> Iterator[Places]:
    """Yield places of which none is prepared, in a new folder. Remove them at the end."""
    folder = Path(tempfile.mkdtemp(prefix="places-", dir=parent))
    places = Places(folder, cluster)
    try:
        yield places
    finally:
        places.forget()
        shutil.rmtree(folder, ignore_errors=True)
