"""Runs every test marked `both_databases` again, on PostgreSQL, in a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.skipif("SIS_SYNC_TEST_DATABASE_URL" in os.environ, reason="this whole run is on PostgreSQL already")
def test_what_holds_on_sqlite_holds_on_postgresql(postgresql_server_url: str) -> None:
    environment = {**os.environ, "SIS_SYNC_TEST_DATABASE_URL": postgresql_server_url}
    del environment["DJANGO_SETTINGS_MODULE"]  # set by our own conftest; that of the new process sets it anew
    command = [sys.executable, "-m", "pytest", "-q", "-m", "both_databases", str(ROOT / "tests" / "server")]
    run = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
