"""Runs the commands, and the readers of mappings and settings, on an input."""

import contextlib
import io
import tempfile
from pathlib import Path

from fuzz.inputs import Input

from sis_sync.cli.main import main
from sis_sync.client.config import load_config
from sis_sync.core.errors import ConfigurationError
from sis_sync.steps.map.mapper_lines import load_mapping
from sis_sync.steps.map.mapping import NO_MAPPING, Mapping

BUG = 1
ENVIRONMENT = {"HOME": "/home/ana"}


def read_settings(content: bytes) -> None:
    """A client.properties of these bytes is understood, or it is a configuration error."""
    with tempfile.TemporaryDirectory(prefix="sis-sync-fuzz-") as name, contextlib.suppress(ConfigurationError):
        path = Path(name) / "client.properties"
        path.write_bytes(content)
        load_config(path, ENVIRONMENT)


def read_mapping(content: bytes) -> Mapping:
    """The mapping of a file of these bytes; ConfigurationError where it cannot be followed."""
    if not content:
        return NO_MAPPING
    with tempfile.TemporaryDirectory(prefix="sis-sync-fuzz-") as name:
        path = Path(name) / "m.properties"
        path.write_bytes(content)
        return load_mapping(str(path))


def ask_command_line(made: Input) -> None:
    """Every command on files ends with a code of the command line's section 4, never with that of a bug."""
    with tempfile.TemporaryDirectory(prefix="sis-sync-fuzz-") as name:
        folder = Path(name)
        files = {"roster.csv": made.roster, "orgs.csv": made.orgs, "accounts.csv": made.accounts}
        for file, content in {**files, "m.properties": made.mapping, "client.properties": made.settings}.items():
            (folder / file).write_bytes(content)
        for command in _commands(made, folder):
            assert _exit_code(command) != BUG, f"`sis-sync {' '.join(command[:2])[:14]}` ended with an unexpected error"


def _commands(made: Input, folder: Path) -> list[list[str]]:
    roster = str(folder / "roster.csv")
    mapping = ["--mapping", str(folder / "m.properties")] if made.mapping else []
    accounts = ["--accounts", str(folder / "accounts.csv")] if made.accounts else []
    plan = ["plan", roster, "--mode", made.mode, "--orgs", str(folder / "orgs.csv"), *accounts, *mapping]
    return [
        plan,
        [*plan, "--json", "--output", str(folder / "plan.csv")],
        ["check", roster, "--mode", made.mode, *mapping],
        ["mapper", "suggest", roster],
        ["mapper", "test", roster, *(mapping or ["--mapping", "oneroster"])],
        ["config", "show", "--config", str(folder / "client.properties")],
    ]


def _exit_code(arguments: list[str]) -> int:
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2))
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main(arguments)
        except SystemExit as ended:
            return int(ended.code or 0)
    return 0
