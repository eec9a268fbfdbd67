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


def git(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run git in a folder, away from the settings of the person who tests."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    own |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    for role in ("AUTHOR", "COMMITTER"):
        own |= {f"GIT_{role}_NAME": "Test", f"GIT_{role}_EMAIL": "test@example.org"}
    return subprocess.run(["git", *arguments], cwd=folder, env=own, capture_output=True, text=True, check=False)


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
    for step in (
        ["init", "--quiet", "--initial-branch=main"],
        ["add", "--all"],
        ["commit", "--quiet", "-m", "all: it"],
    ):
        done = git(folder, *step)
        assert done.returncode == 0, done.stderr
    (folder / ".venv").symlink_to(sys.prefix, target_is_directory=True)
    (folder / ".git" / "info" / "exclude").write_text(".venv\n", encoding="utf-8")
    return folder
