"""`make release`, in a copy of the repository: it makes everything or changes nothing."""

import hashlib
import json
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from house.test_lock_files import pins
from house.tracked import ROOT, copy_repository, git, git_environment, use_this_environment

# One worker copies the repository once for all of them.
pytestmark = pytest.mark.xdist_group("release")
RELEASE_HEADING = re.compile(r"^## (\d+\.\d+\.\d+) - \d{4}-\d{2}-\d{2}$", re.MULTILINE)


@dataclass(frozen=True)
class Repository:
    """A clone that a test may change."""

    folder: Path

    def read(self, name: str) -> str:
        return (self.folder / name).read_text(encoding="utf-8")

    def write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text, encoding="utf-8")

    def commit(self, name: str, text: str) -> None:
        self.write(name, text)
        assert self.git("commit", "--quiet", "--all", "--message=release: prepare the test") == ""

    def git(self, *arguments: str) -> str:
        done = git(self.folder, *arguments)
        return (done.stdout + done.stderr).strip()

    def release(self, version: str) -> "subprocess.CompletedProcess[str]":
        command = [str(self.folder / ".venv" / "bin" / "python"), "tools/release.py", version]
        return subprocess.run(
            command, cwd=self.folder, env=git_environment(), capture_output=True, text=True, check=False
        )


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """Return a repository that was never released, with checks that pass at once."""
    origin = Repository(copy_repository(tmp_path_factory.mktemp("origin"), ".", ":!tests"))
    unreleased = RELEASE_HEADING.split(origin.read("CHANGELOG.md"))[0]
    origin.write("CHANGELOG.md", unreleased if "\n- " in unreleased else f"{unreleased}\n- An entry.\n")
    project = re.sub(r'(?m)^version = ".*"', 'version = "0.1.0"', origin.read("pyproject.toml"), count=1)
    origin.write("pyproject.toml", project)
    origin.commit("tools/check", "#!/bin/sh\n")
    return origin


@pytest.fixture
def repository(origin: Repository, tmp_path: Path) -> Repository:
    assert origin.git("clone", "--quiet", ".", str(tmp_path / "clone")) == ""
    use_this_environment(tmp_path / "clone")
    return Repository(tmp_path / "clone")


def test_release_makes_commit_tag_and_files(repository: Repository) -> None:
    done = repository.release("0.2.0")
    assert done.returncode == 0, done.stderr
    assert repository.git("log", "-1", "--format=%s") == "release: 0.2.0"
    assert repository.git("describe", "--exact-match") == "v0.2.0"
    assert repository.git("status", "--porcelain") == ""
    assert repository.git("diff", "--name-only", "HEAD~1").split() == ["CHANGELOG.md", "pyproject.toml"]
    assert '\nversion = "0.2.0"\n' in repository.read("pyproject.toml")
    assert RELEASE_HEADING.findall(repository.read("CHANGELOG.md")) == ["0.2.0"]
    files = {path.name: path.read_bytes() for path in (repository.folder / "dist").iterdir()}
    sums = files.pop("SHA256SUMS").decode().splitlines()
    assert sums == [f"{hashlib.sha256(files[name]).hexdigest()}  {name}" for name in sorted(files)]
    assert sorted(files) == ["sis_sync-0.2.0-py3-none-any.whl", "sis_sync-0.2.0.cdx.json", "sis_sync-0.2.0.tar.gz"]
    check_bill(files["sis_sync-0.2.0.cdx.json"].decode(), "0.2.0")


def check_bill(text: str, version: str) -> None:
    """Assert that the bill of materials names every pinned and every vendored package, and no host."""
    bill = json.loads(text)
    names = {(component["name"], component["version"]) for component in bill["components"]}
    pinned = {(name, pin) for name, found in pins(ROOT / "requirements" / "server.lock").items() for pin in found}
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    assert bill["metadata"]["component"]["purl"] == f"pkg:pypi/sis-sync@{version}"
    assert pinned < names
    assert {name for name, _ in names - pinned} == {"bootstrap", "htmx.org"}
    references = [component["bom-ref"] for component in bill["components"]]
    assert sorted(bill["dependencies"][0]["dependsOn"]) == sorted(set(references))
    assert text.count("://") == 1, "the address of the schema only"


def test_first_release_may_keep_its_version(repository: Repository) -> None:
    assert repository.release("0.1.0").returncode == 0
    again = repository.release("0.1.0")
    assert (again.returncode, again.stderr.strip()) == (1, "0.1.0 is not newer than 0.1.0.")
    assert "no entries" in repository.release("0.1.1").stderr


@pytest.mark.parametrize(
    ("version", "reason"),
    [("", "not x.y.z"), ("1.0", "not x.y.z"), ("v1.0.0", "not x.y.z"), ("0.0.9", "not newer")],
)
def test_bad_versions_are_refused(repository: Repository, version: str, reason: str) -> None:
    check_refused(repository, version, reason)


def test_uncommitted_files_are_refused(repository: Repository) -> None:
    repository.write("notes.md", "Not committed.\n")
    check_refused(repository, "0.2.0", "?? notes.md")


def test_taken_tag_is_refused(repository: Repository) -> None:
    repository.git("tag", "v0.2.0")
    check_refused(repository, "0.2.0", "exists already")


def test_failed_checks_are_refused(repository: Repository) -> None:
    repository.commit("tools/check", "#!/bin/sh\nexit 1\n")
    check_refused(repository, "0.2.0", "checks failed")


@pytest.mark.night
def test_failed_build_changes_nothing(repository: Repository) -> None:
    repository.commit("tools/sbom.py", "raise SystemExit('no bill')\n")
    check_refused(repository, "0.2.0", "no bill")


def check_refused(repository: Repository, version: str, reason: str) -> None:
    """Assert that the release fails for this reason and leaves files, commits and tags as they were."""
    questions = (["rev-parse", "HEAD"], ["status", "--porcelain"], ["tag", "--list"])
    before = [repository.git(*question) for question in questions]
    done = repository.release(version)
    assert done.returncode == 1
    assert reason in done.stderr
    assert [repository.git(*question) for question in questions] == before
