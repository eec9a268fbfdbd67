"""The wheel and the sdist: they contain what git keeps, and they run with nothing but the declared dependencies.

The gate shows the packages of this environment to a bare one by symbolic links. At night pip installs them.
"""

import os
import re
import subprocess
import sys
import tarfile
import urllib.request
import venv
import zipfile
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import pytest
from house.test_lock_files import pins
from house.tracked import ROOT, copy_files, tracked_files
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from sis_sync.demo.place import free_port
from sis_sync.steps.map.mapper_lines import preset_names

# One worker builds once for all of them.
pytestmark = pytest.mark.xdist_group("wheel")
SAMPLE = ROOT / "docs" / "sample"
NOT_IN_THE_COPY = ":!tests/cases"  # two thousand small files that prove nothing here


@dataclass(frozen=True)
class Built:
    """What one build from the tracked files made."""

    wheel: Path
    sdist: Path


@dataclass(frozen=True)
class Environment:
    """A virtual environment away from the settings of the person who tests."""

    folder: Path

    @property
    def site_packages(self) -> Path:
        return next(self.folder.glob("lib/python*/site-packages"))

    @property
    def variables(self) -> dict[str, str]:
        data = str(self.folder / "data")
        return {"PATH": os.defpath, "HOME": str(self.folder), "LANG": "C.UTF-8", "SIS_SYNC_DATA_FOLDER": data}

    def run(self, *arguments: str | Path) -> "subprocess.CompletedProcess[str]":
        """Run `sis-sync` with these arguments."""
        command = [self.folder / "bin" / "sis-sync", *arguments]
        return subprocess.run(
            command, cwd=self.folder, env=self.variables, capture_output=True, text=True, check=False, timeout=300
        )


def build(source: Path, output: Path, *targets: str) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "--directory", str(output), *targets]
    done = subprocess.run(command, cwd=source, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    source, output = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("dist")
    build(copy_files(source, ".", NOT_IN_THE_COPY), output)
    return Built(next(output.glob("*.whl")), next(output.glob("*.tar.gz")))


def linked_environment(folder: Path, wheel: Path, extra: str) -> Environment:
    """Return an environment with the wheel and links to the distributions that it declares, and to no other."""
    venv.create(folder, symlinks=True, with_pip=False)
    environment = Environment(folder)
    python = folder / "bin" / "python"
    install = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--offline", "--no-cache", "--no-deps"]
    subprocess.run([*install, "--python", python, wheel], check=True)
    for distribution in declared(environment, extra).values():
        tops = {file.parts[0] for file in distribution.files or []} - {"..", "__pycache__"}
        for top in tops:
            (environment.site_packages / top).symlink_to(str(distribution.locate_file(top)))
    return environment


def declared(environment: Environment, extra: str) -> dict[str, metadata.Distribution]:
    """Return the distributions that the installed wheel asks for, those that they ask for, and so on, by name."""
    package = next(iter(metadata.distributions(name="sis-sync", path=[str(environment.site_packages)])))
    found: dict[str, metadata.Distribution] = {}
    waiting, seen = [(package, extra)], set()
    while waiting:
        parent, extra = waiting.pop()
        for requirement in map(Requirement, parent.requires or []):
            if requirement.marker is not None and not requirement.marker.evaluate({"extra": extra}):
                continue
            child = metadata.distribution(requirement.name)
            assert requirement.specifier.contains(child.version), requirement
            name = str(canonicalize_name(requirement.name))
            found[name] = child
            for child_extra in ["", *requirement.extras]:
                if (name, child_extra) not in seen:
                    seen.add((name, child_extra))
                    waiting.append((child, child_extra))
    return found


@pytest.fixture(scope="module")
def base(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    return linked_environment(tmp_path_factory.mktemp("base"), built.wheel, "")


@pytest.fixture(scope="module")
def server(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    return linked_environment(tmp_path_factory.mktemp("server"), built.wheel, "server")


def test_wheel_contains_every_file(built: Built) -> None:
    with zipfile.ZipFile(built.wheel) as archive:
        packed = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert packed == {str(path.relative_to(ROOT / "src")) for path in tracked_files("src")}
    assert "sis_sync/py.typed" in packed


def test_sdist_contains_every_file(built: Built) -> None:
    with tarfile.open(built.sdist) as archive:
        packed = {name.partition("/")[2] for name in archive.getnames()}
    assert packed == {str(path.relative_to(ROOT)) for path in tracked_files(".", NOT_IN_THE_COPY)} | {"PKG-INFO"}


def test_sdist_builds_the_same_wheel(built: Built, tmp_path: Path) -> None:
    with tarfile.open(built.sdist) as archive:
        archive.extractall(tmp_path, filter="data")
    build(next(tmp_path.iterdir()), tmp_path / "dist", "--target", "wheel")
    assert next((tmp_path / "dist").iterdir()).read_bytes() == built.wheel.read_bytes()


@pytest.mark.parametrize(("name", "extra"), [("client", ""), ("server", "server")])
def test_lock_file_pins_every_dependency(name: str, extra: str, base: Environment) -> None:
    assert declared(base, extra).keys() <= pins(ROOT / "requirements" / f"{name}.lock").keys()


def test_base_runs_the_offline_commands(base: Environment) -> None:
    check_offline_commands(base)


def test_base_asks_for_the_server_extra(base: Environment) -> None:
    done = base.run("serve")
    assert (done.returncode, done.stdout) == (3, "")
    assert "[server]" in done.stderr


@pytest.mark.night
def test_server_runs_until_its_first_page(server: Environment) -> None:
    check_server(server)


@pytest.mark.night
@pytest.mark.parametrize("extra", ["", "[server]"])
def test_pip_installs_what_is_needed(built: Built, tmp_path: Path, extra: str) -> None:
    venv.create(tmp_path, symlinks=True, with_pip=True)
    pip = [str(tmp_path / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, f"{built.wheel}{extra}"], check=True)
    check_offline_commands(Environment(tmp_path))
    if extra:
        check_server(Environment(tmp_path))


@pytest.mark.night
def test_wheel_is_typed(base: Environment, tmp_path: Path) -> None:
    module = tmp_path / "user.py"
    module.write_text("from sis_sync.core.modes import MODES\n\nMODES['full'].nmae\n", encoding="utf-8")
    mypy = [sys.executable, "-m", "mypy", "--strict", "--config-file=", "--cache-dir", str(tmp_path / "cache")]
    python = str(base.folder / "bin" / "python")
    done = subprocess.run(
        [*mypy, "--python-executable", python, str(module)], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert '"Mode" has no attribute "nmae"' in done.stdout
    assert "Found 1 error" in done.stdout


def check_offline_commands(environment: Environment) -> None:
    """Assert that the version, a plan of the sample and the presets are printed."""
    version = environment.run("--version")
    assert (version.returncode, version.stderr) == (0, "")
    assert re.search(r"\d+\.\d+\.\d+$", version.stdout.strip())
    tables = ["--orgs", str(SAMPLE / "orgs.csv"), "--accounts", str(SAMPLE / "accounts.csv")]
    plan = environment.run("plan", SAMPLE / "students-cut.csv", "--mode", "students", *tables)
    assert "0 to create, 3 to update, 8 unchanged, 8 to delete (40.0 %), 1 failed" in plan.stdout, plan.stderr
    presets = environment.run("mapper", "presets")
    assert [name for name in preset_names() if name not in presets.stdout] == []


def check_server(environment: Environment) -> None:
    """Assert that the server makes its database and answers with the set-up page and its style sheet."""
    migrated = environment.run("server", "migrate")
    assert migrated.returncode == 0, migrated.stderr
    command = [str(environment.folder / "bin" / "sis-sync"), "serve", "--no-worker", "--port", str(free_port())]
    log = environment.folder / "serve.log"
    with log.open("wb") as errors:
        process = subprocess.Popen(
            command, cwd=environment.folder, env=environment.variables, stdout=subprocess.PIPE, stderr=errors, text=True
        )
    try:
        assert process.stdout is not None
        printed = ""
        while "Serving on" not in printed:
            line = process.stdout.readline()
            assert line, f"serve ended: {printed}{log.read_text(encoding='utf-8')}"
            printed += line
        link = re.search(r"http://127\.0\.0\.1:\d+/\S*setup\S*", printed)
        assert link, printed
        page = load(link[0])
        sheets = re.findall(r'<link [^>]*href="(/[^"]+\.css)"', page)
        assert "<form" in page
        assert sheets
        assert all("{" in load("/".join(link[0].split("/")[:3]) + sheet) for sheet in sheets)
    finally:
        process.terminate()
        process.communicate(timeout=60)


def load(address: str) -> str:
    """Return the body of an answer of this computer; HTTPError unless its status is 200."""
    with urllib.request.urlopen(address, timeout=60) as answer:
        body: bytes = answer.read()
    return body.decode("utf-8")
