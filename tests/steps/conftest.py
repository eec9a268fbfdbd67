"""What the guards say of a list, by the command."""

from collections.abc import Callable
from pathlib import Path

import pytest
from kit.commands import command
from kit.plans import ORGS, accounts_file, roster_file

MORE_ORGS = "".join(f"{number:03},School {number}\n" for number in range(30, 38))

Messages = Callable[[list[dict[str, str]], list[dict[str, str]]], dict[str, str]]


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Messages:
    def messages(rows: list[dict[str, str]], accounts: list[dict[str, str]]) -> dict[str, str]:
        """What each guard says of a full list of these rows over these accounts."""
        (tmp_path / "roster.csv").write_bytes(roster_file(rows))
        (tmp_path / "orgs.csv").write_text(ORGS + MORE_ORGS, encoding="utf-8")
        (tmp_path / "accounts.csv").write_text(accounts_file(accounts), encoding="utf-8")
        files: list[str | Path] = ["--orgs", tmp_path / "orgs.csv", "--accounts", tmp_path / "accounts.csv"]
        document = command(capsys, "plan", tmp_path / "roster.csv", "--mode", "full", *files, "--json").document
        return {hit["code"]: hit["message"] for hit in document["guards"]}

    return messages
