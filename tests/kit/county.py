"""Several school systems beside each other: their files, SYSTEMS.csv, and the command that plans them all."""

from pathlib import Path

import pytest
from kit.commands import HEADER, Said, command
from kit.plans import ORGS

from sis_sync.cli.plan_systems import LOCK

COLUMNS = "school_system,file,mode,orgs,accounts,mapping"
ANA = "Ana,,Ruiz,first@lakeview.example,1001,020,Student,,9,Active"
BEN = "Ben,,Cole,second@lakeview.example,1002,020,Student,,9,Active"
# Other people with Ana's and Ben's custom IDs and addresses, in a school of the same external ID.
CY = "Cy,Lee,Diaz,first@lakeview.example,1002,020,Student,,10,Active"
DEE = "Dee,,Frost,second@lakeview.example,1001,020,Student,,11,Active"
BAD = "Eve,,Gale,nowhere,1003,999,Student,,9,Active"


class County:
    """A folder with a folder for each school system; `plans` is where their plans go."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self.capsys = folder, capsys
        self.plans = folder / "plans"
        self.rows: list[str] = []

    def add(self, name: str, *rows: str, accounts: tuple[str, ...] = (), mode: str = "full", mapping: str = "") -> None:
        """A school system, with its row in SYSTEMS.csv."""
        files = {
            "people.csv": "\n".join([HEADER, *rows]) + "\n",
            "accounts.csv": "\n".join([HEADER, *accounts]) + "\n",
            "orgs.csv": ORGS,
        }
        (self.folder / name).mkdir()
        for file, text in files.items():
            (self.folder / name / file).write_text(text, encoding="utf-8", newline="")
        self.rows.append(f"{name},{name}/people.csv,{mode},{name}/orgs.csv,{name}/accounts.csv,{mapping}")

    def plan(self, *options: str) -> Said:
        """Plan all of them."""
        return command(self.capsys, "plan", "--systems", self.systems(), "--output", self.plans, *options)

    def systems(self) -> Path:
        """SYSTEMS.csv as it is now."""
        path = self.folder / "SYSTEMS.csv"
        path.write_text("\n".join([COLUMNS, *self.rows]) + "\n", encoding="utf-8", newline="")
        return path

    def plan_alone(self, name: str, *options: str, mode: str = "full") -> tuple[Said, bytes]:
        """What the command says of one school system by itself, and the plan that it writes."""
        theirs, output = self.folder / name, self.folder / f"alone-{name}.csv"
        files = (theirs / "people.csv", "--orgs", theirs / "orgs.csv", "--accounts", theirs / "accounts.csv")
        said = command(self.capsys, "plan", *files, "--mode", mode, "--output", output, *options)
        return said, output.read_bytes()

    def written(self) -> dict[str, bytes]:
        """Every file among the plans but the lock, with its bytes."""
        return {path.name: path.read_bytes() for path in self.plans.iterdir() if path.name != LOCK}
