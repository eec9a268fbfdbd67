"""The program accepts the examples of the docs."""

import re
from pathlib import Path

import pytest
from house.tracked import ROOT

from sis_sync.steps.map.mapper_lines import parse_mapping

BLOCK = re.compile(r"^```properties\n(?P<text>.*?)^```", re.DOTALL | re.MULTILINE)
MAPPINGS = [
    (page.name, found["text"])
    for page in sorted((ROOT / "docs").rglob("*.md"))
    for found in BLOCK.finditer(page.read_text(encoding="utf-8"))
]


@pytest.mark.parametrize(("page", "text"), MAPPINGS, ids=[page for page, _ in MAPPINGS])
def test_mappings_can_be_parsed(page: str, text: str) -> None:
    assert parse_mapping(text).name, page


def test_example_roster_has_no_findings(tmp_path: Path) -> None:
    from click.testing import CliRunner

    from sis_sync.cli.main import cli

    page = (ROOT / "docs" / "file-format.md").read_text(encoding="utf-8")
    roster = tmp_path / "roster.csv"
    roster.write_text(re.findall(r"^```csv\n(.*?)^```", page, re.DOTALL | re.MULTILINE)[0], encoding="utf-8")
    result = CliRunner().invoke(cli, ["check", str(roster)])
    assert result.exit_code == 0, result.output
    assert "2 rows, 0 failed" in result.output
