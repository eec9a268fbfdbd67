"""Runs a process and says what it cost."""

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

SERVER_SETTLES_SECONDS = 0.2


class WorkFailed(SisSyncError):
    """A measured process ended with an error, so there is no figure."""


@dataclass(frozen=True)
class Sample:
    """One run: seconds of CPU (its children and the database server counted in), seconds of wall, peak memory in MB."""

    cpu: float
    wall: float
    memory: float


def module(name: str, *arguments: object) -> list[str]:
    """The command line of a module of `work`."""
    return [sys.executable, "-m", f"sis_sync.bench.work.{name}", *map(str, arguments)]


def run_measured(
    command: list[str], *, environment: dict[str, str] | None = None, server: int | None = None
) -> tuple[Sample, Any]:
    """What it cost and what it answered (JSON, if it is). `server` is the process of a PostgreSQL server."""
    # As an installed program: compiled once, not at each start.
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    before, begun = server_cpu(server), time.monotonic()
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**inherited, **(environment or {})}
    ) as process:
        output, errors = _drain(process)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.monotonic() - begun
    if process.returncode not in (0, 7, 8):  # failed rows and a held plan are outcomes
        raise WorkFailed(
            f"{' '.join(command[1:4])} ended with {process.returncode}: {errors.decode(errors='replace')[-2000:]}"
        )
    if server:
        time.sleep(SERVER_SETTLES_SECONDS)  # its process for us ends a moment after ours
    cpu = usage.ru_utime + usage.ru_stime + server_cpu(server) - before
    return Sample(cpu, wall, usage.ru_maxrss / 1024), _answer(output)


def _drain(process: "subprocess.Popen[bytes]") -> tuple[bytes, bytes]:
    """All of stdout, then stderr: what we start says little on either."""
    if process.stdout is None or process.stderr is None:
        return b"", b""
    return process.stdout.read(), process.stderr.read()


def _answer(output: bytes) -> Any:
    try:
        return json.loads(output)
    except ValueError:
        return None


def server_cpu(server: int | None) -> float:
    """Seconds of CPU of a PostgreSQL server: its main process, those that ended, those that run."""
    if server is None:
        return 0.0
    ticks = sum(_times(Path(f"/proc/{server}"))) + sum(sum(_times(path)[:2]) for path in _children(server))
    return ticks / os.sysconf("SC_CLK_TCK")


def _children(server: int) -> list[Path]:
    return [path for path in Path("/proc").glob("[0-9]*") if _stat(path)[1:2] == [str(server)]]


def _times(process: Path) -> list[int]:
    """User, system, and both of the children that ended; in ticks."""
    return [int(field) for field in _stat(process)[11:15]]


def _stat(process: Path) -> list[str]:
    """The fields of /proc/PID/stat behind the name; none for a process that is gone."""
    try:
        return (process / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return []


def medians(samples: list[Sample]) -> Sample:
    """The median of each figure, but the highest memory."""
    return Sample(
        median(each.cpu for each in samples),
        median(each.wall for each in samples),
        max(each.memory for each in samples),
    )
