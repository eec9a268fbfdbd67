"""The hooks of git, in a copy of the repository: they pass a good commit and refuse each fault with its reason."""

import runpy
from pathlib import Path

import pytest
from house.tracked import ROOT, copy_repository, git

MODULE = "src/sis_sync/core/modes.py"
fault_of = runpy.run_path(str(ROOT / "tools" / "commit_subject.py"))["fault_of"]


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with the hooks on."""
    folder = copy_repository(tmp_path_factory.mktemp("hooks"), "src", "tools", "pyproject.toml", ".gitattributes")
    assert git(folder, "config", "core.hooksPath", "tools/hooks").returncode == 0
    return folder


def commit(repository: Path, name: str, text: str, *, message: str = "core: another line") -> str:
    """Commit the text added to a file; return what the hooks print, "" if they pass. The repository is as before."""
    path = repository / name
    before = path.read_text(encoding="utf-8") if path.exists() else None
    path.write_text((before or "") + text, encoding="utf-8")
    git(repository, "add", name)
    done = git(repository, "commit", "--quiet", "--message", message)
    git(repository, "reset", "--quiet", "--hard", "HEAD~1" if done.returncode == 0 else "HEAD")
    assert (done.returncode == 0) == (done.stderr == done.stdout == ""), done
    return done.stdout + done.stderr


@pytest.mark.parametrize(
    "message",
    [
        "plan: keep the account of a failed row",
        "plan: keep it\n\nBecause it is known.\n# a comment\n",
        "docs, tests: one word for it",
        'Revert "plan: keep the account of a failed row"',
        f"plan: {'x' * 66}",
        f"plan: keep it\n{'# ------------------------ >8 ------------------------'}\ndiff",
    ],
)
def test_good_subjects_pass(message: str) -> None:
    assert fault_of(message) is None


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (f"plan: {'x' * 67}", "73 characters"),
        ("Keep the account of a failed row", "not `area: what`"),
        ("plan:keep it", "not `area: what`"),
        ("", "not `area: what`"),
        ("plan: keep it.", "full stop"),
        ("plan: keep it\nbecause", "second line"),
    ],
)
def test_bad_subjects_are_refused(message: str, reason: str) -> None:
    assert reason in (fault_of(message) or "")


def test_bad_subject_is_refused(repository: Path) -> None:
    assert "not `area: what`" in commit(repository, "notes.md", "A line.\n", message="Another line")


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("notes.md", "A line. \n", "trailing whitespace"),
        ("notes.md", "A line.", "no newline at the end"),
        (MODULE, "import os\n", "unused"),
        (MODULE, "\nFOUR  =  4\n", "make fix"),
        (MODULE, "\n\nimport sis_sync.cli.main  # noqa: E402\n\nCLI = sis_sync.cli.main\n", "Imports point down only"),
    ],
    ids=["trailing space", "last newline", "ruff", "format", "imports"],
)
def test_faults_of_a_commit_are_refused(repository: Path, name: str, text: str, reason: str) -> None:
    assert reason in commit(repository, name, text)


def test_unstaged_faults_do_not_count(repository: Path) -> None:
    unstaged = repository / "src/sis_sync/core/plan.py"
    unstaged.write_text("import os\n", encoding="utf-8")
    assert commit(repository, MODULE, "\nFOUR = 4\n") == ""


def test_sample_files_keep_their_spaces(repository: Path) -> None:
    assert commit(repository, "export.csv", "id,name \n1,Alice ") == ""
