"""The files of the repository, as git knows them."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def tracked_files(*patterns: str) -> list[Path]:
    """The files that git keeps and that are there, those that match the patterns if any are given."""
    command = ["git", "ls-files", "-z", "--", *patterns]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    paths = (ROOT / name for name in listed.split("\0") if name)
    return [path for path in paths if path.is_file()]


def git_environment() -> dict[str, str]:
    """Return the variables for a process that calls git, without the settings of the person who tests."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    variables |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    for role in ("AUTHOR", "COMMITTER"):
        variables |= {f"GIT_{role}_NAME": "Test", f"GIT_{role}_EMAIL": "test@example.org"}
    return variables


def git(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run git in a folder."""
    return subprocess.run(
        ["git", *arguments], cwd=folder, env=git_environment(), capture_output=True, text=True, check=False
    )


def copy_files(folder: Path, *patterns: str) -> Path:
    """Copy the tracked files as they are here, those that match the patterns if any are given; return the folder."""
    for path in tracked_files(*patterns):
        copy = folder / path.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, copy)
    return folder


def copy_repository(folder: Path, *patterns: str) -> Path:
    """Return a new repository with the files as they are here, in one commit, and this environment as .venv."""
    copy_files(folder, *patterns)
    for step in ("init --quiet --initial-branch=main", "add --all", "commit --quiet --message=all"):
        done = git(folder, *step.split())
        assert done.returncode == 0, done.stderr
    use_this_environment(folder)
    return folder


def use_this_environment(repository: Path) -> None:
    """Make the environment that runs the test the .venv of a repository, unknown to its git."""
    (repository / ".venv").symlink_to(sys.prefix, target_is_directory=True)
    (repository / ".git" / "info" / "exclude").write_text(".venv\n", encoding="utf-8")
