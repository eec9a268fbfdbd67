"""The changelog has the form of Keep a Changelog, and its newest release is the version of the package."""

import re
import tomllib
from itertools import pairwise

from house.tracked import ROOT

TEXT = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
HEADINGS = re.findall(r"^## (.+)$", TEXT, re.MULTILINE)
RELEASE = re.compile(r"(?P<version>\d+\.\d+\.\d+) - (?P<date>\d{4}-\d{2}-\d{2})")
GROUPS = ("Added", "Changed", "Deprecated", "Removed", "Fixed", "Security")


def test_unreleased_comes_first() -> None:
    assert HEADINGS[0] == "Unreleased"


def test_releases_fall_in_order() -> None:
    found = [RELEASE.fullmatch(heading) for heading in HEADINGS[1:]]
    releases = [(release["date"], _numbers(release["version"])) for release in found if release]
    assert len(releases) == len(found), "a release is headed by `## x.y.z - YYYY-MM-DD`"
    assert all(newer[1] > older[1] and newer[0] >= older[0] for newer, older in pairwise(releases))


def test_newest_release_is_the_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    newest = [heading.split()[0] for heading in HEADINGS[1:2]]
    assert newest in ([], [project["version"]]), "before the first release no section is needed"


def test_groups_are_known_and_ordered() -> None:
    for section in re.split(r"^## .+$", TEXT, flags=re.MULTILINE)[1:]:
        groups = re.findall(r"^### (.+)$", section, re.MULTILINE)
        assert groups == [group for group in GROUPS if group in groups]


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in version.split("."))
