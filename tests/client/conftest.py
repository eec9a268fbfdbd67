"""The client's tests: a district's export folder, settings, and a loopback server."""

import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from client.loopback_server import SECRET, LoopbackServer, serving
from kit.commands import command

from sis_sync.client.report import LOGGER

HEADER = "first_name,middle_name,last_name,email,custom_id,school_district_external_id,user_type,position,grade,status"
DANA = "Dana,,Example,dana@riverbend.example,T1,N1,Teacher,,,Active"


def roster(*rows: str) -> str:
    """The text of a file with these rows; Dana alone if none are given."""
    return "\n".join([HEADER, *(rows or [DANA])]) + "\n"


@dataclass
class District:
    """A district's computer: `lines` of client.properties, and the command, run here or as a real process."""

    home: Path
    server: LoopbackServer
    capsys: pytest.CaptureFixture[str]
    lines: dict[str, str] = field(default_factory=dict)

    @property
    def settings(self) -> Path:
        return self.home / "client.properties"

    def write_settings(self, **more: str) -> Path:
        lines = {**self.lines, **{key.replace("__", "."): value for key, value in more.items()}}
        self.settings.write_text("".join(f"{key}={value}\n" for key, value in lines.items()), encoding="utf-8")
        self.settings.chmod(0o600)
        return self.settings

    def export(self, name: str, text: str, folder: str = "partial") -> Path:
        path = self.home / folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def start(self, *arguments: str, stdin: int = subprocess.DEVNULL, **environment: str) -> "subprocess.Popen[str]":
        """Start the command as a real process, its stdin closed unless told otherwise."""
        variables = {name: value for name, value in os.environ.items() if not name.startswith("SIS_SYNC_")}
        command = [sys.executable, "-c", "from sis_sync.cli.main import main; main()", *arguments]
        return subprocess.Popen(
            [*command, "--config", str(self.settings)],
            cwd=self.home,
            env={**variables, **environment},
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def process(self, *arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        """Run the command as a real process, for what only a new process shows."""
        process = self.start(*arguments, stdin=subprocess.DEVNULL, **environment)
        out, err = process.communicate(timeout=120)
        return subprocess.CompletedProcess(arguments, process.returncode, out, err)

    def command(self, *arguments: str, stdin: str = "", **environment: str) -> "subprocess.CompletedProcess[str]":
        """Run the command in this process, which is quicker. Directory, environment and log are restored."""
        level = LOGGER.level
        handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(self.home)
            for name in [name for name in os.environ if name.startswith("SIS_SYNC_")]:
                patch.delenv(name)
            for name, value in environment.items():
                patch.setenv(name, value)
            patch.setattr(sys, "stdin", io.StringIO(stdin))
            said = command(self.capsys, *arguments, "--config", self.settings)
        assert {number: signal.getsignal(number) for number in handlers} == handlers
        assert LOGGER.handlers == []
        LOGGER.setLevel(level)
        return subprocess.CompletedProcess(arguments, said.exit_code, said.out, said.err)

    def run(self) -> tuple[int, dict[str, Any]]:
        """One pass in this process: its exit code and its JSON."""
        return self._report(self.command("run", "--json"))

    def run_process(self, **environment: str) -> tuple[int, dict[str, Any]]:
        """One pass as a real process: its exit code and its JSON."""
        return self._report(self.process("run", "--json", **environment))

    def _report(self, done: "subprocess.CompletedProcess[str]") -> tuple[int, dict[str, Any]]:
        assert "Traceback" not in done.stderr, done.stderr
        assert "Unexpected error" not in done.stderr, done.stderr
        return done.returncode, json.loads(done.stdout)

    def names(self, folder: str) -> list[str]:
        """The file names in a folder without the moment and number in front, sorted."""
        found = self.home / folder
        return sorted(path.name.partition("_")[2] or path.name for path in found.iterdir()) if found.is_dir() else []


@pytest.fixture
def server() -> Iterator[LoopbackServer]:
    with serving() as found:
        yield found


@pytest.fixture
def district(tmp_path: Path, server: LoopbackServer, capsys: pytest.CaptureFixture[str]) -> District:
    (tmp_path / "partial").mkdir()
    lines = {
        "backend.url": server.url,
        "backend.api.token": SECRET,
        "backend.timeout.seconds": "10",
        "backend.retry.max.minutes": "1",
        "client.settle.seconds": "0",
        "client.state.folder": "state",
        "client.log.folder": "log",
        "partial.sync.enabled": "true",
        "partial.sync.folder": "partial",
    }
    found = District(tmp_path, server, capsys, lines)
    found.write_settings()
    return found
