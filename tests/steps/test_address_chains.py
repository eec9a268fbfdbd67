"""Addresses that pass from person to person, 100,000 times, are judged on the state after the run."""

from pathlib import Path

import pytest
from kit.commands import HEADER, command

LINKS = 100_000


def row(number: int | str, address: int | str) -> str:
    return f"Ana,,Ruiz,p{address}@x.example,{number},S1,Student,,9,Active"


@pytest.mark.parametrize(
    ("last_address", "counts"),
    [("new", {"update": LINKS, "failed": 0}), ("kept", {"update": 0, "failed": LINKS})],
    ids=["free at the end", "taken at the end"],
)
def test_chain_is_followed_through(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, last_address: str, counts: dict[str, int]
) -> None:
    """Each takes the address of the next; who takes an address that its owner keeps fails, and so do all before."""
    links = range(1, LINKS + 1)
    accounts = [row(number, number) for number in links] + [row("keeper", "kept")]
    roster = [row(number, number + 1) for number in links[:-1]] + [row(LINKS, last_address)]
    for name, lines in (("roster", [HEADER, *roster]), ("accounts", [HEADER, *accounts])):
        (tmp_path / f"{name}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (tmp_path / "orgs.csv").write_text("external_id,name\nS1,North School\n", encoding="utf-8")
    files = ["--orgs", str(tmp_path / "orgs.csv"), "--accounts", str(tmp_path / "accounts.csv")]
    said = command(capsys, "plan", tmp_path / "roster.csv", "--mode", "partial", *files, "--json")
    assert {name: said.document["counts"][name] for name in counts} == counts
