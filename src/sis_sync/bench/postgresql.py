"""A temporary PostgreSQL server to measure. It uses the usual durability and a socket in its own folder."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode, urlsplit, urlunsplit

from sis_sync.core.errors import ConfigurationError

START_SECONDS = 60
SETTINGS = ("listen_addresses=", "shared_buffers=512MB", "jit=off", "max_wal_size=4GB", "autovacuum=off")


@dataclass(frozen=True)
class Cluster:
    """A PostgreSQL server. `process` is the ID of its main process, or None if it runs on another machine."""

    url: str
    process: int | None

    def database(self, name: str) -> str:
        """Return the URL of a database on the server."""
        return urlunsplit(urlsplit(self.url)._replace(path=f"/sis_sync_bench_{name}"))

    def copy(self, source: str | None, target: str) -> None:
        """Replace the database `target` with a copy of `source`, or with an empty database."""
        self.drop(target)
        template = f" TEMPLATE sis_sync_bench_{source}" if source else ""
        self._run(f"CREATE DATABASE sis_sync_bench_{target}{template}")
        self._run("CHECKPOINT")  # so that the cost of writing the copy is not measured

    def drop(self, name: str) -> None:
        """Remove a database if it exists."""
        self._run(f"DROP DATABASE IF EXISTS sis_sync_bench_{name} WITH (FORCE)")

    def _run(self, statement: str) -> None:
        import psycopg

        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(statement.encode())


def named_cluster(url: str) -> Cluster:
    """Return the server at this URL. Its CPU seconds count if it runs on this machine."""
    import psycopg

    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT pg_backend_pid()").fetchone()
    stat = Path(f"/proc/{row[0] if row else 0}/stat")
    is_here = stat.exists() and "postgres" in stat.read_text(encoding="utf-8")
    return Cluster(url, int(stat.read_text(encoding="utf-8").rpartition(")")[2].split()[1]) if is_here else None)


@contextmanager
def throw_away_cluster(folder: Path) -> Iterator[Cluster]:
    """Yield a new server and remove it at the end. Raise ConfigurationError if initdb or postgres is not installed."""
    initdb, postgres = _binaries()
    user = "postgres" if os.geteuid() == 0 else None  # PostgreSQL refuses to run as root
    place = Path(tempfile.mkdtemp(prefix="sis-sync-bench-pg-"))
    if user is not None:
        os.chown(place, pwd.getpwnam(user).pw_uid, pwd.getpwnam(user).pw_gid)
    words = [initdb, "-D", str(place / "data"), "-U", "postgres", "--auth=trust", "-E", "UTF8", "--locale=C"]
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL, user=user, cwd=place)
    options = [word for setting in SETTINGS for word in ("-c", setting)]
    with (folder / "postgresql.log").open("wb") as log:
        words = [postgres, "-D", str(place / "data"), "-k", str(place), *options]
        server = subprocess.Popen(words, stdout=log, stderr=log, user=user, cwd=place)
    try:
        url = f"postgresql://postgres@/postgres?{urlencode({'host': str(place)})}"
        _wait_until_ready(url, server)
        yield Cluster(url, server.pid)
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(timeout=START_SECONDS)
        shutil.rmtree(place, ignore_errors=True)


def _binaries() -> tuple[str, str]:
    folders = [str(folder) for folder in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)]
    search = os.pathsep.join([os.environ.get("PATH", ""), *folders])
    initdb, postgres = shutil.which("initdb", path=search), shutil.which("postgres", path=search)
    if initdb is None or postgres is None:
        raise ConfigurationError(
            "PostgreSQL is not installed here (no initdb and postgres).",
            fix="Install it, or pass --database.",
        )
    return initdb, postgres


def _wait_until_ready(url: str, server: "subprocess.Popen[bytes]") -> None:
    import psycopg

    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        try:
            psycopg.connect(url).close()
            return
        except psycopg.OperationalError:
            time.sleep(0.05)
    raise ConfigurationError("PostgreSQL did not start.", fix="Look at postgresql.log in the folder of --cache.")
