"""A throwaway PostgreSQL server for tests, in its own folder, on a Unix socket. And: is Spark here?"""

import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

import psycopg
import pytest

DATABASE = "sis_sync"
START_SECONDS = 60
UNSAFE_BUT_QUICK = ("-c", "fsync=off", "-c", "full_page_writes=off", "-c", "max_connections=40")


def find_binaries() -> tuple[Path, Path] | None:
    """Return the paths of initdb and postgres, or None if this machine has not got them."""
    folders = [str(folder) for folder in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)]
    search = os.pathsep.join([os.environ.get("PATH", ""), *folders])
    initdb, postgres = shutil.which("initdb", path=search), shutil.which("postgres", path=search)
    return (Path(initdb), Path(postgres)) if initdb and postgres else None


@contextmanager
def running_cluster(initdb: Path, postgres: Path) -> Iterator[str]:
    """Start a server and yield the URL of a database on it. The server ends with the block."""
    user = "postgres" if os.geteuid() == 0 else None  # PostgreSQL refuses to run as root
    with tempfile.TemporaryDirectory(prefix="sis-sync-pg-") as name:
        folder = Path(name)
        if user is not None:
            os.chown(folder, pwd.getpwnam(user).pw_uid, pwd.getpwnam(user).pw_gid)
        data = folder / "data"
        initialise = [
            str(initdb),
            "-D",
            str(data),
            "-U",
            "postgres",
            "--auth=trust",
            "-E",
            "UTF8",
            "--locale=C",
            "--no-sync",
        ]
        subprocess.run(initialise, check=True, stdout=subprocess.DEVNULL, user=user, cwd=folder)
        start = [str(postgres), "-D", str(data), "-k", str(folder), "-c", "listen_addresses=", *UNSAFE_BUT_QUICK]
        with (folder / "server.log").open("wb") as log:
            server = subprocess.Popen(start, stdout=log, stderr=log, user=user, cwd=folder)
        try:
            wait_until_ready(folder, server)
            make_database(folder, DATABASE)
            yield url_of(folder, DATABASE)
        finally:
            server.send_signal(signal.SIGINT)
            server.wait(timeout=START_SECONDS)


def wait_until_ready(folder: Path, server: "subprocess.Popen[bytes]") -> None:
    """Wait until the server answers. Raise RuntimeError with its log if it does not."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        try:
            psycopg.connect(host=str(folder), user="postgres", dbname="postgres").close()
            return
        except psycopg.OperationalError:
            time.sleep(0.05)
    raise RuntimeError((folder / "server.log").read_text(encoding="utf-8"))


def make_database(folder: Path | str, name: str) -> None:
    """Make an empty database of that name on the server of that socket folder."""
    with psycopg.connect(host=str(folder), user="postgres", dbname="postgres", autocommit=True) as connection:
        connection.execute(psycopg.sql.SQL("create database {}").format(psycopg.sql.Identifier(name)))


def url_of(folder: Path | str, name: str) -> str:
    """Return the URL for SIS_SYNC_DATABASE_URL."""
    return f"postgresql://postgres@/{name}?{urlencode({'host': str(folder)})}"


def need_spark() -> None:
    """Skip the test if pyspark or Java is missing. With CI=true it fails.

    In short runs Java would spend most of its time on compiling its own code as well as it can.
    """
    os.environ.setdefault("SPARK_SUBMIT_OPTS", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC")
    missing = [name for name, is_here in _parts().items() if not is_here]
    if missing and os.environ.get("CI") == "true":
        pytest.fail(f"not installed: {', '.join(missing)}")
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}; this was tried on DuckDB only")


def _parts() -> dict[str, bool]:
    has_java = bool(shutil.which("java") or os.environ.get("JAVA_HOME"))
    return {"pyspark": importlib.util.find_spec("pyspark") is not None, "Java 17": has_java}
