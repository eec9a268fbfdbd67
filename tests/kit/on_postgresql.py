"""Run pytest on PostgreSQL: `python -m kit.on_postgresql ARGUMENTS`.

The server is the one that SIS_SYNC_TEST_DATABASE_URL names, or a temporary one that ends with the tests.
"""

import os
import signal
import subprocess
import sys
from contextlib import nullcontext
from types import FrameType

from kit.services import find_binaries, running_cluster


def main() -> int:
    """Return pytest's exit code. Without PostgreSQL on the machine, 0, and 1 if CI=true."""
    named = os.environ.get("SIS_SYNC_TEST_DATABASE_URL")
    binaries = find_binaries()
    if not named and not binaries:
        sys.stderr.write("PostgreSQL is not installed: these tests ran on SQLite only.\n")
        return int(os.environ.get("CI") == "true")
    signal.signal(signal.SIGTERM, stop)
    with nullcontext(named) if named else running_cluster(*binaries or ()) as url:
        environment = {**os.environ, "SIS_SYNC_TEST_DATABASE_URL": str(url)}
        command = [sys.executable, "-m", "pytest", *sys.argv[1:]]
        return subprocess.run(command, env=environment, check=False).returncode


def stop(_signal: int, _frame: FrameType | None) -> None:
    """End pytest and the temporary server. A process that runs beside others gets no Ctrl-C."""
    raise SystemExit(128 + signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main())
