"""Settings that keep data and people safe: durability, HTTPS, headers, the secret key, logs."""

import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client
from pytest_django.fixtures import Settings

from sis_sync.core.environment import MEMORY_MB
from sis_sync.core.errors import ConfigurationError
from sis_sync.server.installation import database_settings, made_data_folder, read_or_make_secret_key, sqlite_settings
from sis_sync.server.logs import WithoutValues

FAR_AWAY = "192.0.2.9"
ADDRESS = "/api/v1/openapi.json"


@pytest.mark.parametrize(
    ("version", "journal", "synchronous"),
    [
        ((3, 40, 1), "delete", 3),
        ((3, 51, 2), "delete", 3),
        ((3, 51, 3), "wal", 2),
        ((3, 60, 0), "wal", 2),
    ],
)
def test_sqlite_durability_by_version(tmp_path: Path, version: tuple[int, ...], journal: str, synchronous: int) -> None:
    import sqlite3

    options = sqlite_settings(tmp_path / "db.sqlite3", version)["OPTIONS"]
    assert (options["timeout"], options["transaction_mode"]) == (30, "IMMEDIATE")
    database = sqlite3.connect(tmp_path / "db.sqlite3")
    database.executescript(options["init_command"])
    assert database.execute("pragma journal_mode").fetchone() == (journal,)
    assert database.execute("pragma synchronous").fetchone() == (synchronous,)
    database.close()


@pytest.mark.django_db
@pytest.mark.both_databases
def test_tests_run_on_chosen_database() -> None:
    wanted = "postgresql" if os.environ.get("SIS_SYNC_TEST_DATABASE_URL") else "sqlite"
    assert connection.vendor == wanted


def test_postgresql_by_url(tmp_path: Path) -> None:
    far = database_settings("postgresql://sis:p%40ss@db.example:5433/people?sslmode=verify-full", tmp_path)
    assert (far["USER"], far["PASSWORD"], far["HOST"], far["PORT"]) == ("sis", "p@ss", "db.example", "5433")
    assert (far["NAME"], far["OPTIONS"]) == ("people", {"sslmode": "verify-full"})
    assert far["DISABLE_SERVER_SIDE_CURSORS"]  # they can close themselves inside another statement, and hang
    near = database_settings("postgresql://sis@/people?host=/run/postgresql", tmp_path)
    assert (near["HOST"], near["PORT"], near["NAME"]) == ("/run/postgresql", "", "people")


@pytest.mark.parametrize("url", ["mysql://a/b", "people", "postgresql://host", "postgresql://host:port/name"])
def test_other_urls_are_refused(tmp_path: Path, url: str) -> None:
    with pytest.raises(ConfigurationError):
        database_settings(url, tmp_path)


def test_secret_key_is_made_once(tmp_path: Path) -> None:
    path = tmp_path / "new" / "secret.key"
    key = read_or_make_secret_key(path)
    assert len(key) >= 64
    assert path.stat().st_mode & 0o777 == 0o600
    assert read_or_make_secret_key(path) == key
    assert list(path.parent.iterdir()) == [path]
    path.write_text("short")
    with pytest.raises(ConfigurationError):
        read_or_make_secret_key(path)


def test_plain_http_stays_on_machine(client: Client, settings: Settings) -> None:
    assert client.get(ADDRESS).status_code == 200
    assert client.get(ADDRESS, REMOTE_ADDR="::1").status_code == 200
    refused = client.get(ADDRESS, REMOTE_ADDR=FAR_AWAY)
    assert refused.status_code == 403
    assert b"SIS_SYNC_BEHIND_PROXY" in refused.content
    settings.SIS_SYNC_BEHIND_PROXY = True
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    assert client.get(ADDRESS, headers={"X-Forwarded-Proto": "https"}, REMOTE_ADDR=FAR_AWAY).status_code == 200
    assert client.get(ADDRESS, headers={"X-Forwarded-Proto": "http"}, REMOTE_ADDR="127.0.0.1").status_code == 403
    assert client.get(ADDRESS, REMOTE_ADDR=FAR_AWAY).status_code == 403


def test_forwarded_header_needs_a_proxy(client: Client) -> None:
    assert client.get(ADDRESS, headers={"X-Forwarded-Proto": "https"}, REMOTE_ADDR=FAR_AWAY).status_code == 403


def test_every_answer_carries_strict_headers(client: Client) -> None:
    for path in (ADDRESS, "/no/such/page"):
        headers = client.get(path).headers
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["Referrer-Policy"] == "same-origin"
        assert headers["Cache-Control"] == "no-store"


def test_logged_exceptions_name_no_values() -> None:
    person = "dana@" + "riverbend.example"
    try:
        try:
            raise ValueError(f"Key (email)=({person}) already exists")
        except ValueError as error:
            raise RuntimeError(person) from error
    except RuntimeError:
        text = WithoutValues().formatException(sys.exc_info())
    assert person not in text
    assert "builtins.ValueError" in text
    assert "builtins.RuntimeError" in text


def test_our_log_has_no_values() -> None:
    (handler,) = logging.getLogger("sis_sync").handlers
    assert isinstance(handler.formatter, WithoutValues)


def run_django(folder: Path, *command: str, **variables: str) -> None:
    """Run a Django command in a new process, with warnings as errors and the data in `folder`."""
    own = {"DJANGO_SETTINGS_MODULE": "sis_sync.server.settings", "SIS_SYNC_DATABASE_URL": "", **variables}
    environment = {**os.environ, **own, "SIS_SYNC_DATA_FOLDER": str(folder)}
    environment.pop("DJANGO_ALLOW_ASYNC_UNSAFE", None)  # a browser test in this process has set it
    django = [sys.executable, "-W", "error", "-m", "django", *command]
    done = subprocess.run(django, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_new_installation_passes_the_checks(tmp_path: Path) -> None:
    checks = ["check", "--deploy", "--fail-level", "WARNING"]
    run_django(tmp_path, *checks, SIS_SYNC_BEHIND_PROXY="1", SIS_SYNC_ALLOWED_HOSTS="sync.riverbend.example")
    for command in (checks, ["makemigrations", "--check"], ["migrate", "-v0"]):
        run_django(tmp_path, *command)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["incoming", "secret.key", "sis-sync.sqlite3"]


@pytest.mark.night
def test_database_is_for_its_owner(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    database = tmp_path / "sis-sync.sqlite3"
    database.touch(mode=0o644)
    run_django(tmp_path, "migrate", "-v0")
    assert database.stat().st_mode & 0o777 == 0o600


def test_unusable_data_folder_is_named(tmp_path: Path) -> None:
    taken = tmp_path / "taken"
    taken.touch()
    for path, reason in ((taken, "it is a file"), (taken / "below", "Not a directory")):
        with pytest.raises(ConfigurationError, match=f"{path} cannot be used: {reason}"):
            made_data_folder(path)
    assert made_data_folder(tmp_path / "new" / "folder").stat().st_mode & 0o777 == 0o700


def test_limits_are_whole_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SIS_SYNC_MEMORY_MB", raising=False)
    assert MEMORY_MB.number() == 1024
    monkeypatch.setenv("SIS_SYNC_MEMORY_MB", " 512 ")
    assert MEMORY_MB.number() == 512


@pytest.mark.parametrize("text", ["127", "1 GB", "-512", "1e3", "²"])
def test_wrong_number_is_refused(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIS_SYNC_MEMORY_MB", text)
    with pytest.raises(ConfigurationError, match="SIS_SYNC_MEMORY_MB"):
        MEMORY_MB.number()
