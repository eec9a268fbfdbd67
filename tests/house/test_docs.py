"""The docs speak of what is there: commands, exit codes, links, pages."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from house.tracked import ROOT

from sis_sync.cli.main import COMMANDS
from sis_sync.core.errors import SisSyncError

# Beside the codes of the error tree: done, usage as click says it, done with failed rows, held or waiting, interrupted.
OTHER_EXIT_CODES = {0, 2, 7, 8, 130, 143}
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
LINK = re.compile(r"\[[^\]]*\]\((?P<target>[^)#\s]+)(?:#[^)\s]*)?\)")
CODE_BLOCK = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)


def exit_codes_of(error: type[SisSyncError]) -> set[int]:
    return {error.exit_code}.union(*(exit_codes_of(child) for child in error.__subclasses__()))


def test_generated_parts_are_up_to_date() -> None:
    check = subprocess.run(
        [sys.executable, str(ROOT / "tools" / "write_docs.py"), "--check"], capture_output=True, text=True
    )
    assert check.returncode == 0, check.stdout + check.stderr


def test_every_exit_code_is_explained() -> None:
    page = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    explained = {int(code) for code in re.findall(r"^\| (\d+) \|", page, re.MULTILINE)}
    assert explained == exit_codes_of(SisSyncError) | OTHER_EXIT_CODES


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    text = CODE_BLOCK.sub("", page.read_text(encoding="utf-8"))
    targets = [found["target"] for found in LINK.finditer(text)]
    local = [target for target in targets if "://" not in target and not target.startswith("mailto:")]
    assert [target for target in local if not (page.parent / target).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_in_code_blocks_exist(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    unknown = []
    for block in CODE_BLOCK.findall(page.read_text(encoding="utf-8")):
        typed = re.findall(r"^(?:\$ )?(?:\S+=\S+ )*(?:\S*/)?(make|sis-sync) +([a-z][a-z-]*)", block, re.MULTILINE)
        unknown += [
            f"{program} {name}" for program, name in typed if name not in (targets if program == "make" else COMMANDS)
        ]
    assert unknown == []


def test_every_page_is_reached_from_the_index() -> None:
    reached, waiting = set(), [ROOT / "docs" / "index.md"]
    while waiting:
        page = waiting.pop().resolve()
        if page in reached or page.suffix != ".md" or not page.is_file():
            continue
        reached.add(page)
        waiting += [page.parent / found["target"] for found in LINK.finditer(page.read_text(encoding="utf-8"))]
    assert [page for page in (ROOT / "docs").rglob("*.md") if page.resolve() not in reached] == []


def test_decisions_are_numbered_and_fit_on_a_page() -> None:
    pages = sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))
    numbers = [int(page.name[:4]) for page in pages]
    assert numbers == sorted(set(numbers)), "a number names one decision; those in the making leave gaps"
    for page in pages:
        text = page.read_text(encoding="utf-8")
        assert len(text.splitlines()) <= 60, page.name
        assert [
            part for part in ("**Question.**", "**Choice.**", "**Why.**", "**Price.**") if part not in text
        ] == [], page.name
