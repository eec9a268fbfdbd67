"""Make a release: tools/release.py VERSION, called by `make release VERSION=x.y.z`.

Write the version and the changelog, make the files in dist/, then commit and tag. If anything fails before the commit,
restore pyproject.toml and CHANGELOG.md. Nothing is uploaded or pushed.
"""

import datetime
import hashlib
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
PROJECT, CHANGELOG, DIST = ROOT / "pyproject.toml", ROOT / "CHANGELOG.md", ROOT / "dist"
VERSION = re.compile(r"(\d+)\.(\d+)\.(\d+)")
VERSION_LINE = re.compile(r'^version = "(.*)"$', re.MULTILINE)
UNRELEASED = "## Unreleased\n"
RELEASED = re.compile(r"^## \d+\.\d+\.\d+ - ", re.MULTILINE)


class Refused(Exception):
    """The release cannot be made. The message contains the reason and the fix."""


def release(version: str, date: str) -> None:
    """Make the release with this date, YYYY-MM-DD. Raise Refused if it cannot be made."""
    project, changelog = PROJECT.read_text(encoding="utf-8"), CHANGELOG.read_text(encoding="utf-8")
    check_version(version, project, changelog)
    check_repository(version)
    if subprocess.run([ROOT / "tools" / "check", "lint"], cwd=ROOT, check=False).returncode:
        raise Refused("The checks failed. Fix the errors above.")
    try:
        PROJECT.write_text(VERSION_LINE.sub(f'version = "{version}"', project, count=1), encoding="utf-8")
        CHANGELOG.write_text(released_changelog(changelog, version, date), encoding="utf-8")
        make_files(version, date)
        git("commit", "--quiet", "--message", f"release: {version}", "--", PROJECT.name, CHANGELOG.name)
    except BaseException:
        PROJECT.write_text(project, encoding="utf-8")
        CHANGELOG.write_text(changelog, encoding="utf-8")
        raise
    git("tag", "--annotate", f"v{version}", "--message", f"SIS Sync {version}")


def check_version(version: str, project: str, changelog: str) -> None:
    """Raise Refused unless the version is x.y.z and newer. The first release may keep the version in pyproject.toml."""
    line = VERSION_LINE.search(project)
    if not VERSION.fullmatch(version):
        raise Refused(f"The version is not x.y.z: {version!r}. Call make release VERSION=1.2.3")
    if line is None:
        raise Refused("pyproject.toml has no line `version = ...`.")
    is_first = not RELEASED.search(changelog)
    if numbers(version) < numbers(line[1]) or (numbers(version) == numbers(line[1]) and not is_first):
        raise Refused(f"{version} is not newer than {line[1]}.")


def numbers(version: str) -> tuple[int, ...]:
    """Return the three numbers of a version, so that versions can be compared."""
    return tuple(int(number) for number in version.split("."))


def check_repository(version: str) -> None:
    """Raise Refused if files are uncommitted or the tag exists."""
    if changed := git("status", "--porcelain"):
        raise Refused(f"These files are not committed; commit or remove them first:\n{changed}")
    if git("tag", "--list", f"v{version}"):
        raise Refused(f"The tag v{version} exists already.")


def released_changelog(text: str, version: str, date: str) -> str:
    """Return the changelog with the unreleased entries under the new version. Raise Refused if there are none."""
    before, heading, after = text.partition(UNRELEASED)
    entries = after.partition("\n## ")[0]
    if not heading or "\n- " not in entries:
        raise Refused(f"CHANGELOG.md has no entries under {UNRELEASED.strip()!r}.")
    return f"{before}{UNRELEASED}\n## {version} - {date}\n{after}"


def make_files(version: str, date: str) -> None:
    """Write the wheel, the sdist, the bill of materials and their SHA-256 sums to dist/, and nothing else."""
    shutil.rmtree(DIST, ignore_errors=True)
    build = [sys.executable, "-m", "hatchling", "build", "--directory", str(DIST)]
    subprocess.run(build, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    bill = subprocess.run([sys.executable, ROOT / "tools" / "sbom.py", date], check=True, stdout=subprocess.PIPE)
    (DIST / f"sis_sync-{version}.cdx.json").write_bytes(bill.stdout)
    made = sorted(DIST.iterdir())
    sums = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in made]
    (DIST / "SHA256SUMS").write_text("".join(sums), encoding="utf-8")


def git(*arguments: str) -> str:
    """Run git in the repository and return its output. Raise CalledProcessError if it fails."""
    command = ["git", *arguments]
    done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    return done.stdout.strip()


def main() -> int:
    """Make a release with today's date. If it is refused, print the reason to stderr and return 1."""
    version = sys.argv[1] if len(sys.argv) == 2 else ""
    try:
        release(version, datetime.datetime.now(tz=datetime.UTC).date().isoformat())
    except Refused as refused:
        print(refused, file=sys.stderr)
        return 1
    print(f"SIS Sync {version} is committed and tagged v{version}. Its files are in dist/:")
    print((DIST / "SHA256SUMS").read_text(encoding="utf-8"), end="")
    print(f"Next: git push --atomic origin HEAD v{version}, and publish the files of dist/ (docs/release.md).")
    return 0


if __name__ == "__main__":
    sys.exit(main())
