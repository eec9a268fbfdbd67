"""The recipes of CONTRIBUTING.md: their files exist, and one of them is followed in a copy of the source."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from house.tracked import ROOT, tracked_files

SAMPLE = ROOT / "docs" / "sample"
RULE = """-- A first name with more than 4 characters, as an example of a rule.
SELECT '' AS subject, count(*) AS found, (SELECT count(*) FROM people) AS base, '0' AS bound
FROM people
WHERE length(first_name) > 4
HAVING count(*) > 0
"""


def test_files_of_recipes_exist() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    named = re.findall(r"`((?:src|tests|docs)/[^`]+)`", text)
    missing = [name for name in named if "NAME" not in name and not (ROOT / name).exists()]
    assert len(named) > 12
    assert missing == []


def test_names_of_recipes_exist() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    names = set(re.findall(r"`(_?[A-Z][A-Za-z]*(?:_[A-Z]+)*|[a-z]+_[a-z_]+)`", text)) - {"NAME", "FIELD"}
    source = "".join(
        path.read_text(encoding="utf-8") for path in tracked_files("src/*.py", "src/*.sql", "tests/browser/*.py")
    )
    assert len(names) > 12
    assert [name for name in sorted(names) if not re.search(rf"\b{name}\b", source)] == []


def test_guard_added_by_recipe(tmp_path: Path) -> None:
    source = shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__"))
    package = source / "sis_sync"
    (package / "steps" / "guard" / "long_names.sql").write_text(RULE, encoding="utf-8")
    guards = package / "core" / "guards.py"
    text = guards.read_text(encoding="utf-8")
    row = '    Guard("guard.long_names", "{count:first name is|first names are} long.", "an example"),\n'
    opening = re.search(r"^GUARDS.*\(\n", text, re.MULTILINE)
    assert opening
    guards.write_text(text[: opening.end()] + row + text[opening.end() :], encoding="utf-8")
    files = ("students.csv", "--mode", "students", "--orgs", "orgs.csv", "--accounts", "accounts.csv")
    done = subprocess.run(
        [sys.executable, "-m", "sis_sync", "plan", *files],
        cwd=SAMPLE,
        env={**os.environ, "PYTHONPATH": str(source)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert re.search(r"Would be held \(guard\.long_names\): \d+ first names are long\.", done.stdout), done
