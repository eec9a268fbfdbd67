"""The lock files pin every version by hash and name no host, so that they work behind any mirror."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOCK_FILES = sorted((ROOT / "requirements").iterdir())
ONE_VERSION = re.compile(r"^[a-z0-9][a-z0-9-]*==\S+( ; .+)? \\$")
ONE_HASH = re.compile(r"^    --hash=sha256:[0-9a-f]{64}( \\)?$")


def pins(lock_file: Path) -> dict[str, set[str]]:
    """Return the versions of each package; several if a marker chooses between them."""
    versions: dict[str, set[str]] = {}
    for line in lock_file.read_text(encoding="utf-8").splitlines():
        if ONE_VERSION.match(line):
            name, version = line.split()[0].split("==")
            versions.setdefault(name, set()).add(version)
    return versions


def test_lock_files_are_complete() -> None:
    assert [path.name for path in LOCK_FILES] == ["bench.lock", "build.lock", "client.lock", "dev.lock", "server.lock"]


@pytest.mark.parametrize("lock_file", LOCK_FILES, ids=lambda path: path.name)
def test_only_versions_and_hashes(lock_file: Path) -> None:
    lines = lock_file.read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if not ONE_VERSION.match(line) and not ONE_HASH.match(line)] == []
    assert "://" not in lock_file.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["client.lock", "server.lock"])
def test_installed_versions_are_tested(name: str) -> None:
    tested = pins(ROOT / "requirements" / "dev.lock")
    installed = pins(ROOT / "requirements" / name)
    assert installed == {package: tested.get(package) for package in installed}


def test_client_has_no_server_packages() -> None:
    server_only = {"django", "django-ninja", "psycopg", "argon2-cffi", "cryptography", "waitress", "whitenoise"}
    assert server_only & pins(ROOT / "requirements" / "client.lock").keys() == set()
    assert server_only <= pins(ROOT / "requirements" / "server.lock").keys()
