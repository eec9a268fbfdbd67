"""The orgs and accounts files of `plan`: line ends and marks that are read, and messages for the rest."""

from pathlib import Path

import pytest
from kit.commands import HEADER, Said, command

ANA = "Ana,,Ruiz,ana@x.example,1001,010,Student,,9,Active"
BEN = "Ben,,Cole,ben@x.example,1002,010,Student,,9,Active"


@pytest.fixture
def plan(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> "Planner":
    return Planner(tmp_path, capsys)


class Planner:
    """Plans Ana and Ben, full, against accounts and orgs files of these bytes."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self.capsys = folder, capsys

    def __call__(self, accounts: str, orgs: str = "external_id,name\n010,North\n") -> Said:
        for name, text in (("people.csv", f"{HEADER}\n{ANA}\n{BEN}\n"), ("accounts.csv", accounts), ("orgs.csv", orgs)):
            (self.folder / name).write_bytes(text.encode("utf-8", "surrogateescape"))
        options: list[str | Path] = [
            "--mode",
            "full",
            "--orgs",
            self.folder / "orgs.csv",
            "--accounts",
            self.folder / "accounts.csv",
        ]
        return command(self.capsys, "plan", self.folder / "people.csv", *options, "--json")


@pytest.mark.parametrize(
    "accounts",
    [
        f"{HEADER}\r\n{ANA}\n{BEN}\r\n",
        f"{HEADER}\n{ANA}\r\n\n{BEN}",
        f"\ufeff{HEADER}\r\n{ANA}\n{BEN}\n",
        f"\ufeff{HEADER}\r\n{ANA}\r\n{BEN}\r\n",
    ],
)
def test_mixed_line_ends_and_mark(plan: Planner, accounts: str) -> None:
    said = plan(accounts)
    assert (said.exit_code, said.document["counts"]["unchanged"]) == (0, 2)


def test_orgs_with_mixed_line_ends(plan: Planner) -> None:
    said = plan(f"{HEADER}\n{ANA}\n{BEN}\n", "external_id,name\r\n010,North\n020,South\r\n")
    assert (said.exit_code, said.document["counts"]["unchanged"]) == (0, 2)


@pytest.mark.parametrize(
    ("accounts", "words"),
    [
        (f"{HEADER}\n{ANA}\nBen,,Cole\n", ["accounts.csv line 3 has 3 columns, its header has 10"]),
        (f"{HEADER}\n{ANA}\n{BEN},more\n", ["accounts.csv line 3 has 11 columns, its header has 10"]),
        (f'{HEADER}\n{ANA}\n"Ben,{BEN}\n', ["accounts.csv line 3: a quotation mark", "double those inside"]),
        (f'{HEADER}\n{ANA}\n"B"en,{BEN}\n', ["accounts.csv line 3: a quotation mark"]),
        (f"{HEADER}\n{ANA}\nBen,,Co\udce9le\n", ["accounts.csv", "UTF-8"]),
    ],
)
def test_message_has_file_line_fix(plan: Planner, accounts: str, words: list[str]) -> None:
    said = plan(accounts)
    assert (said.exit_code, said.out) == (3, "")
    for each in words:
        assert each in said.err
    for foreign in ("Invalid Input", "CSV Error", "Parser", "read_csv", "duckdb"):
        assert foreign not in said.err


@pytest.mark.parametrize("option", ["--orgs", "--accounts"])
def test_missing_file_is_named(capsys: pytest.CaptureFixture[str], tmp_path: Path, option: str) -> None:
    for name, text in (("people.csv", f"{HEADER}\n{ANA}\n"), ("orgs.csv", "external_id,name\n010,North\n")):
        (tmp_path / name).write_text(text, encoding="utf-8")
    files = {"--orgs": tmp_path / "orgs.csv", option: tmp_path / "nope.csv"}
    options = [word for pair in files.items() for word in pair]
    said = command(capsys, "plan", tmp_path / "people.csv", "--mode", "full", *options)
    assert (said.exit_code, f"There is no file {tmp_path / 'nope.csv'}." in said.err) == (3, True)
