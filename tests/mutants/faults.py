"""The table of faults, faults.toml."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCE = "src/sis_sync"
TABLE = Path(__file__).with_name("faults.toml")


@dataclass(frozen=True)
class Fault:
    """A plausible mistake: in `file`, below src/sis_sync, the text `wrong` instead of `right`."""

    name: str
    file: str
    right: str
    wrong: str
    tests: tuple[str, ...]  # as pytest names them; one of them must fail
    database: str = "sqlite"  # or postgresql, where the tests run then

    def planted_in(self, text: str) -> str:
        """Return the text of the file with the fault. Raise ValueError unless `right` occurs exactly once."""
        if (times := text.count(self.right)) != 1:
            raise ValueError(f"{self.name}: {self.file} contains {times} times, not once:\n{self.right}")
        return text.replace(self.right, self.wrong)

    @property
    def test_files(self) -> set[Path]:
        """The files of its tests."""
        return {ROOT / test.partition("::")[0] for test in self.tests}


def all_faults() -> tuple[Fault, ...]:
    """Return the faults in the order of the table."""
    table = tomllib.loads(TABLE.read_text(encoding="utf-8"))["fault"]
    return tuple(Fault(**{**row, "tests": tuple(f"tests/{test}" for test in row["tests"])}) for row in table)
