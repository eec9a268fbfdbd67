"""What a command loads. The base install has no Django, and --help loads nothing that is slow."""

import subprocess
import sys
from pathlib import Path

import pytest

SLOW = ("duckdb", "httpx", "django", "numpy", "importlib.metadata")

# Runs first in a fresh interpreter: the packages of the server extra behave as if they were not installed.
WITHOUT_SERVER_EXTRA = """
import sys
class Blocker:
    blocked = {"django", "django_htmx", "ninja", "psycopg", "argon2", "cryptography", "waitress", "whitenoise"}
    blocked.add("pydantic")
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in self.blocked:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Blocker())
"""
EVERY_MODULE = """
import importlib, pkgutil
import sis_sync
server_side = ("sis_sync.server", "sis_sync.demo", "sis_sync.cli.server", "sis_sync.cli.demo")
count = 0
for module in pkgutil.walk_packages(sis_sync.__path__, "sis_sync.", onerror=lambda name: None):
    if not module.name.startswith(server_side) and not module.name.endswith("__main__"):
        importlib.import_module(module.name)
        count += 1
print(count)
"""
HELP = """
import sys
from sis_sync.cli.main import main
try:
    main(["--help"])
except SystemExit:
    print("LOADED:" + ",".join(sys.modules))
"""

SETUP = """
import os, sys
import django
os.environ["DJANGO_SETTINGS_MODULE"] = "sis_sync.server.settings"
django.setup()
print("LOADED:" + ",".join(sys.modules))
"""


def run_python(code: str) -> str:
    """What a fresh interpreter prints; its errors fail the test."""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_help_loads_nothing_slow() -> None:
    loaded = run_python(HELP).rpartition("LOADED:")[2].strip().split(",")
    assert [name for name in SLOW if name in loaded] == []
    assert "sis_sync.cli.main" in loaded


def test_django_is_set_up_without_the_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIS_SYNC_DATA_FOLDER", str(tmp_path))
    loaded = run_python(SETUP).rpartition("LOADED:")[2].strip().split(",")
    assert [name for name in ("duckdb", "numpy") if name in loaded] == []
    assert "sis_sync.server.accounts.models" in loaded


def test_help_lists_every_command() -> None:
    from sis_sync.cli.main import COMMANDS

    text = run_python(HELP)
    assert [name for name in COMMANDS if f"  {name} " not in text] == []
    assert [name for name, place in COMMANDS.items() if place.summary not in text] == []


def test_everything_but_the_server_works_without_the_server_extra() -> None:
    assert int(run_python(WITHOUT_SERVER_EXTRA + EVERY_MODULE)) > 20


def test_the_offline_commands_answer_without_the_server_extra() -> None:
    code = WITHOUT_SERVER_EXTRA + 'from sis_sync.cli.main import main; main(["plan", "--help"])'
    assert "--mode" in run_python(code)
