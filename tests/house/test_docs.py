"""The docs describe the program as it is: commands, exit codes, run states, columns, links, pages."""

import itertools
import re
import subprocess
import sys
from pathlib import Path

import pytest
from house.tracked import ROOT

from sis_sync.cli.main import COMMANDS
from sis_sync.core import exit_codes, run_states
from sis_sync.core.errors import SisSyncError
from sis_sync.core.modes import MODES
from sis_sync.engine.duckdb import open_session
from sis_sync.server.api.runs import FAULTS
from sis_sync.server.errors import ApiDisabled
from sis_sync.steps.pipeline import PlanInput, plan_file
from sis_sync.steps.plan.plan import save_plan
from sis_sync.steps.report import write_results

PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
LINK = re.compile(r"\[[^\]]*\]\((?P<target>[^)#\s]+)(?:#[^)\s]*)?\)")
LINK_TO_HEADING = re.compile(r"\[[^\]]*\]\((?P<page>[^)#\s:]*)#(?P<anchor>[^)\s]+)\)")
CODE_BLOCK = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)


def exit_codes_of(error: type[SisSyncError]) -> set[int]:
    return {error.exit_code}.union(*(exit_codes_of(child) for child in error.__subclasses__()))


def test_generated_parts_are_current() -> None:
    check = subprocess.run(
        [sys.executable, str(ROOT / "tools" / "write_docs.py"), "--check"], capture_output=True, text=True
    )
    assert check.returncode == 0, check.stdout + check.stderr


def test_every_exit_code_is_explained() -> None:
    page = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    explained = {int(code) for code in re.findall(r"^\| (\d+) \|", page, re.MULTILINE)}
    assert explained == {code for name, code in vars(exit_codes).items() if name.isupper()}
    assert exit_codes_of(SisSyncError) < explained


def table_rows(page: str, header: str) -> list[list[str]]:
    """The cells of each row of the table with this header line."""
    lines = (ROOT / "docs" / page).read_text(encoding="utf-8").partition(f"\n{header}\n")[2].splitlines()[1:]
    table = itertools.takewhile(lambda line: line.startswith("|"), lines)
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table]


def test_api_page_explains_run_states() -> None:
    states: dict[str, list[str]] = {}
    for names, _, following in table_rows("api.md", "| State | Means | Next |"):
        states.setdefault(following, []).extend(re.findall(r"`(\w+)`", names))
    assert {following: sorted(names) for following, names in states.items()} == {
        "the server goes on": sorted(run_states.MOVING),
        "someone decides": sorted(run_states.DECIDABLE),
        "final": sorted(run_states.ENDED),
    }


def test_api_page_explains_error_statuses() -> None:
    explained = {int(status): meaning for status, meaning in table_rows("api.md", "| Status | Means |")}
    assert explained.keys() == FAULTS.keys()
    assert [status for status, meaning in explained.items() if "disabled" in meaning] == [ApiDisabled.http_status]


def test_results_page_names_written_columns(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "file-format.md").read_text(encoding="utf-8")
    (columns,) = re.findall(r"^line,action,.*$", page, re.MULTILINE)
    with open_session() as session:
        files = ("students.csv", "orgs.csv", "accounts.csv")
        roster, orgs, accounts = (ROOT / "docs" / "sample" / name for name in files)
        plan, _ = plan_file(session, PlanInput(roster, MODES["students"], orgs, accounts))
        save_plan(session, plan, tmp_path / "plan", tmp_path / "unchanged")
        write_results(session, tmp_path / "results.csv", plan=tmp_path / "plan", unchanged=tmp_path / "unchanged")
    assert columns == (tmp_path / "results.csv").read_text(encoding="utf-8").splitlines()[0]
    assert len(set(columns.split(","))) == len(columns.split(","))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    text = CODE_BLOCK.sub("", page.read_text(encoding="utf-8"))
    targets = [found["target"] for found in LINK.finditer(text)]
    local = [target for target in targets if "://" not in target and not target.startswith("mailto:")]
    assert [target for target in local if not (page.parent / target).exists()] == []
    to_headings = [(found["page"], found["anchor"]) for found in LINK_TO_HEADING.finditer(text)]
    assert [pair for pair in to_headings if pair[1] not in anchors_of(page.parent / pair[0] if pair[0] else page)] == []


def anchors_of(page: Path) -> set[str]:
    """Return the anchors of the page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", CODE_BLOCK.sub("", page.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


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


def test_index_reaches_every_page() -> None:
    reached, waiting = set(), [ROOT / "docs" / "index.md"]
    while waiting:
        page = waiting.pop().resolve()
        if page in reached or page.suffix != ".md" or not page.is_file():
            continue
        reached.add(page)
        waiting += [page.parent / found["target"] for found in LINK.finditer(page.read_text(encoding="utf-8"))]
    assert [page for page in (ROOT / "docs").rglob("*.md") if page.resolve() not in reached] == []


def test_decisions_fit_on_a_page() -> None:
    pages = sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))
    numbers = [int(page.name[:4]) for page in pages]
    assert numbers == sorted(set(numbers)), "a number names one decision; those in the making leave gaps"
    for page in pages:
        text = page.read_text(encoding="utf-8")
        assert len(text.splitlines()) <= 60, page.name
        assert [
            part for part in ("**Question.**", "**Choice.**", "**Why.**", "**Price.**") if part not in text
        ] == [], page.name
