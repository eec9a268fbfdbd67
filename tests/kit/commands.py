"""The offline commands, run in this process: what they print and the code they exit with."""

import csv
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from sis_sync.cli.errors import exit_code_of
from sis_sync.cli.main import run
from sis_sync.core.fields import FIELD_NAMES

HEADER = ",".join(FIELD_NAMES)


@dataclass(frozen=True)
class Said:
    """How a command ended."""

    exit_code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        """The one JSON document on stdout."""
        document: dict[str, Any] = json.loads(self.out)
        return document


def command(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> Said:
    """Run `sis-sync` with these arguments."""
    capsys.readouterr()
    # Setting up Django again would tie its log to the stderr of this test, which is closed when the next one logs.
    with patch("django.setup"):
        exit_code = exit_code_of(lambda: run([str(argument) for argument in arguments]))
    said = capsys.readouterr()
    return Said(exit_code, said.out, said.err)


def written_plan(path: Path) -> list[dict[str, str]]:
    """The rows of a plan that `--output` wrote."""
    with path.open(newline="", encoding="utf-8") as lines:
        return list(csv.DictReader(lines))
