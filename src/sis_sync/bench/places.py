"""Servers' places to measure in: a data folder and a database, copied from a prepared one before each run."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sis_sync.bench.compare import Process
from sis_sync.bench.files import District
from sis_sync.bench.measure import module, run_measured
from sis_sync.bench.postgresql import Cluster

WORK = "work"


@dataclass(frozen=True)
class Places:
    """Places by name under `folder`; on SQLite where there is no cluster."""

    folder: Path
    cluster: Cluster | None

    @property
    def rows(self) -> Path:
        """The rows of the accounts table once the first list was applied."""
        return self.folder / "rows"

    def environment(self, name: str) -> dict[str, str]:
        """What the server reads its settings from."""
        return {
            "DJANGO_SETTINGS_MODULE": "sis_sync.server.settings",
            "SIS_SYNC_DATA_FOLDER": str(self.folder / name),
            "SIS_SYNC_DATABASE_URL": self.cluster.database(name) if self.cluster else "",
            "SIS_SYNC_SECRET_KEY_FILE": str(self.folder / "secret.key"),
        }

    def copy(self, source: str | None, target: str) -> None:
        """Make the place `target` anew: empty, or as `source` is."""
        shutil.rmtree(self.folder / target, ignore_errors=True)
        if source:
            shutil.copytree(self.folder / source, self.folder / target)
        if self.cluster:
            self.cluster.copy(source, target)

    def prepare(self, files: District) -> None:
        """The places `empty` (schools, nobody in them) and `filled` (the first list applied)."""
        self.copy(None, "empty")
        run_measured(module("server_place", files.file("orgs")), environment=self.environment("empty"))
        self.copy("empty", "filled")
        run_measured(module("server_run", files.file("first")), environment=self.environment("filled"))
        run_measured(module("export_rows", self.rows), environment=self.environment("filled"))

    def process(self, label: str, command: list[str], begin_as: str) -> Process:
        """What is measured in a copy of a prepared place."""
        return Process(
            label,
            command,
            environment=self.environment(WORK),
            make_ready=self._copier(begin_as),
            server=self.cluster.process if self.cluster else None,
        )

    def _copier(self, source: str) -> Callable[[], None]:
        return lambda: self.copy(source, WORK)

    def forget(self) -> None:
        """Remove the databases."""
        if self.cluster:
            for name in (WORK, "filled", "empty"):
                self.cluster.drop(name)


@contextmanager
def prepared_places(files: District, cluster: Cluster | None) -> Iterator[Places]:
    """Places made ready for these files; gone at the end."""
    folder = Path(tempfile.mkdtemp(prefix="places-", dir=files.folder.parent))
    places = Places(folder, cluster)
    try:
        places.prepare(files)
        yield places
    finally:
        places.forget()
        shutil.rmtree(folder, ignore_errors=True)
