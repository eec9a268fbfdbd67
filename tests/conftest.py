"""Where tests keep their data, and which database they run on.

SQLite, unless SIS_SYNC_TEST_DATABASE_URL names a PostgreSQL server. Set before Django reads its settings.
"""

import gc
import os
import secrets
import shutil
import tempfile
import time
from collections.abc import Generator, Iterator
from urllib.parse import urlsplit, urlunsplit

import django
import pytest
from django.conf import settings
from django.contrib.auth.hashers import Argon2PasswordHasher
from kit.services import find_binaries, running_cluster

if settings.configured:
    # Tests would run on the database and the data folder that somebody works with.
    raise pytest.UsageError("Django's settings were read too early; unset DJANGO_SETTINGS_MODULE and start again.")
DATA_FOLDER = tempfile.mkdtemp(prefix="sis-sync-tests-")
os.environ["SIS_SYNC_DATA_FOLDER"] = DATA_FOLDER
os.environ["SIS_SYNC_DATABASE_URL"] = os.environ.get("SIS_SYNC_TEST_DATABASE_URL", "")
# Tests of random inputs make many calls; test_callers.py sets the limit that it tries.
os.environ["SIS_SYNC_CALLS_A_MINUTE"] = "1000000"
# Small files are no quicker with two, and the tests themselves run beside each other. The nightly run sets 2.
os.environ.setdefault("SIS_SYNC_THREADS", "1")
os.environ["DJANGO_SETTINGS_MODULE"] = "sis_sync.server.settings"
django.setup()
# Not inherited by the workers of xdist: pytest-django would read the settings there before this module does.
del os.environ["DJANGO_SETTINGS_MODULE"]
# The same algorithm, a thousand times cheaper: a hash of the installed strength takes 0.3 s.
Argon2PasswordHasher.time_cost, Argon2PasswordHasher.memory_cost, Argon2PasswordHasher.parallelism = 1, 8, 1

LONG_GROUPS = {"accessibility", "browser", "prefixes", "spark", "wheel"}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add --until, for `make check`."""
    parser.addoption("--until", type=float, help="Begin no test after this time, in seconds since 1970.")


class TimeBox:
    """Ends a run in time. What was not run is no failure: `make test` runs all."""

    def __init__(self, ends_at: float) -> None:
        self.ends_at = ends_at

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """End this process after the test that runs when the time is over. With xdist, each worker ends by itself."""
        result = yield
        if time.time() > self.ends_at:
            item.session.shouldstop = "the time is over; `make test` runs the rest"
        return result

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Report success if the time is over and all tests that ran passed."""
        if exitstatus == pytest.ExitCode.INTERRUPTED and not session.testsfailed and time.time() > self.ends_at:
            session.exitstatus = pytest.ExitCode.OK


def pytest_configure(config: pytest.Config) -> None:
    """Set the end of a run with --until."""
    ends_at = config.getoption("--until")
    if ends_at:
        config.pluginmanager.register(TimeBox(ends_at))


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Begin with what one worker does for long, or the others would wait for it at the end.

    With --until, leave it out if there is anything else: it would not end in time.
    """
    short = [item for item in items if not _is_long(item)]
    if short and config.getoption("--until"):
        config.hook.pytest_deselected(items=[item for item in items if _is_long(item)])
        items[:] = short
    items.sort(key=lambda item: not _is_long(item))


def _is_long(item: pytest.Item) -> bool:
    groups = {mark.args[0] for mark in item.iter_markers("xdist_group")}
    return bool(groups & LONG_GROUPS) or "three_days" in item.path.stem


def pytest_collection_finish() -> None:
    """Look for garbage less often, and not among what the tests are made of: it takes a thirtieth of their time."""
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


def pytest_unconfigure() -> None:
    """Leave nothing behind. DuckDB complains of objects that are not freed at the end."""
    gc.unfreeze()
    shutil.rmtree(DATA_FOLDER, ignore_errors=True)


@pytest.fixture(scope="session", autouse=True)
def no_waiting_for_the_disk() -> Iterator[None]:
    """Do not bring files to the disk: no test survives a loss of power. core/test_whole_files.py proves the calls."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda _descriptor: None)
        yield


@pytest.fixture(autouse=True)
def no_earlier_callers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget what callers of earlier tests used, and let no test wait because tries to sign in are slowed."""
    from sis_sync.server.accounts import sign_in_limits
    from sis_sync.server.keys.limits import forget_all_calls

    sign_in_limits.forget_all_tries()
    forget_all_calls()
    monkeypatch.setattr(sign_in_limits, "pause", lambda _seconds: None)


@pytest.fixture(scope="session")
def postgresql_server_url() -> Iterator[str]:
    """The URL of a database on a PostgreSQL server: the one named by the environment, or a throwaway one.

    Without PostgreSQL on the machine the test is skipped, and fails where CI=true.
    """
    named = os.environ.get("SIS_SYNC_TEST_DATABASE_URL")
    if named:
        yield named
        return
    binaries = find_binaries()
    if binaries is None:
        missing = "PostgreSQL is not installed (no initdb and postgres); this was tried on SQLite only"
        if os.environ.get("CI") == "true":
            pytest.fail(missing)
        pytest.skip(missing)
    initdb, postgres = binaries
    with running_cluster(initdb, postgres) as url:
        yield url


@pytest.fixture
def postgresql_url(postgresql_server_url: str) -> Iterator[str]:
    """The URL of an empty PostgreSQL database of this test's own, for processes that it starts."""
    import psycopg

    name = f"test_{secrets.token_hex(6)}"
    with psycopg.connect(postgresql_server_url, autocommit=True) as connection:
        connection.execute(f"create database {name}".encode())
        yield urlunsplit(urlsplit(postgresql_server_url)._replace(path=f"/{name}"))
        connection.execute(f"drop database if exists {name} with (force)".encode())
