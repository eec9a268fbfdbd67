"""Tests on a copy of the source, in which a fault can be planted."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from mutants.faults import ROOT, SOURCE, Fault

NOTHING = ""
MOST_SECONDS = 1800
RUNNERS = {"sqlite": "pytest", "postgresql": "kit.on_postgresql"}
PASSED, FAILED = 0, 1  # exit codes of pytest
# Tables from the models are as good as migrated ones here, and quicker.
OPTIONS = ["-q", "-x", "-rfE", "--tb=no", "--no-migrations", "-p", "no:randomly", "-p", "no:cacheprovider"]


class Trial:
    """A copy of the source in a folder. Tests import it instead of the source in the tree."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.writes = 0
        shutil.copytree(ROOT / SOURCE, folder / SOURCE)

    def caught_by(self, fault: Fault) -> str:
        """Return the first of the fault's tests that fails with it, or NOTHING."""
        with self._planted(fault):
            return self.first_failing(fault.tests, database=fault.database)

    def first_failing(self, tests: Collection[str], *, database: str = "sqlite") -> str:
        """Return the first of the tests that fails on the copy, or NOTHING. Exit if they cannot be run."""
        command = [sys.executable, "-m", RUNNERS[database], *OPTIONS, *tests]
        paths = os.pathsep.join([str(self.folder / "src"), str(ROOT / "tests")])
        own = {"PYTHONPATH": paths, "HYPOTHESIS_STORAGE_DIRECTORY": str(self.folder / "hypothesis")}
        done = subprocess.run(
            command,
            cwd=ROOT,
            env={**os.environ, **own},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=MOST_SECONDS,
            check=False,
        )
        failed = re.findall(r"^(?:FAILED|ERROR) (\S+::.+?)(?: - .*)?$", done.stdout, re.MULTILINE)
        if done.returncode == PASSED:
            return NOTHING
        if done.returncode != FAILED or not failed:
            sys.exit(f"These tests could not be run: {' '.join(tests)}\n{done.stdout}")
        return str(failed[0])

    @contextmanager
    def _planted(self, fault: Fault) -> Iterator[None]:
        path = self.folder / SOURCE / fault.file
        right = path.read_text(encoding="utf-8")
        self._write(path, fault.planted_in(right))
        try:
            yield
        finally:
            self._write(path, right)

    def _write(self, path: Path, text: str) -> None:
        path.write_text(text, encoding="utf-8")
        # Python uses a compiled file again if the size and the second of its source are the same.
        self.writes += 1
        os.utime(path, (self.writes, self.writes))
