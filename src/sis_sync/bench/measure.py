"""Run a process and measure its cost."""

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from sis_sync.core.errors import SisSyncError
from sis_sync.core.exit_codes import DONE, HELD, ROWS_FAILED

SERVER_SETTLES_SECONDS = 0.2


class WorkFailed(SisSyncError):
    """A measured process failed, so it has no figures."""


@dataclass(frozen=True)
class Sample:
    """The cost of one run. CPU seconds include child processes and the database server. Peak memory is in MB."""

    cpu: float
    wall: float
    memory: float


class Stopwatch:
    """Measures the time of this process from the moment it is made."""

    def __init__(self) -> None:
        self._cpu, self._wall = time.process_time(), time.monotonic()

    def seconds(self) -> dict[str, float]:
        """Return the CPU and wall seconds since this was made."""
        return {"cpu": time.process_time() - self._cpu, "wall": time.monotonic() - self._wall}


def module(name: str, *arguments: object) -> list[str]:
    """Return the command that runs a module of bench/work."""
    return [sys.executable, "-m", f"sis_sync.bench.work.{name}", *map(str, arguments)]


def run_measured(
    command: list[str], *, environment: dict[str, str] | None = None, server: int | None = None
) -> tuple[Sample, Any]:
    """Run the command. Return its cost and the JSON that it printed to stdout, or None if it printed no JSON.

    `server` is the process ID of a PostgreSQL server. Raise WorkFailed if the command fails.
    """
    # Let Python write bytecode files: an installed program is compiled once, not at each start.
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    before, begun = server_cpu(server), time.monotonic()
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**inherited, **(environment or {})}
    ) as process:
        output, errors = _drain(process)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.monotonic() - begun
    if process.returncode not in (DONE, ROWS_FAILED, HELD):
        sys.stderr.write(errors.decode(errors="replace"))
        raise WorkFailed(f"{' '.join(command[1:4])} ended with {process.returncode}.")
    if server:
        time.sleep(SERVER_SETTLES_SECONDS)  # the server's process for our connection ends shortly after ours
    cpu = usage.ru_utime + usage.ru_stime + server_cpu(server) - before
    return Sample(cpu, wall, usage.ru_maxrss / 1024), _answer(output)


def _drain(process: "subprocess.Popen[bytes]") -> tuple[bytes, bytes]:
    """Read all of stdout, then stderr. The processes write too little to stderr to fill its pipe meanwhile."""
    if process.stdout is None or process.stderr is None:
        return b"", b""
    return process.stdout.read(), process.stderr.read()


def _answer(output: bytes) -> Any:
    try:
        return json.loads(output)
    except ValueError:
        return None


def server_cpu(server: int | None) -> float:
    """Return the CPU seconds of a PostgreSQL server: its main process and all its running and ended children."""
    if server is None:
        return 0.0
    ticks = sum(_times(Path(f"/proc/{server}"))) + sum(sum(_times(path)[:2]) for path in _children(server))
    return ticks / os.sysconf("SC_CLK_TCK")


def _children(server: int) -> list[Path]:
    return [path for path in Path("/proc").glob("[0-9]*") if _stat(path)[1:2] == [str(server)]]


def _times(process: Path) -> list[int]:
    """Return the user and system time of the process, then of its ended children, in ticks."""
    return [int(field) for field in _stat(process)[11:15]]


def _stat(process: Path) -> list[str]:
    """Return the fields of /proc/PID/stat after the name, or [] if the process has ended."""
    try:
        return (process / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return []


def medians(samples: list[Sample]) -> Sample:
    """Return the median seconds and the maximum memory."""
    return Sample(
        median(each.cpu for each in samples),
        median(each.wall for each in samples),
        max(each.memory for each in samples),
    )
