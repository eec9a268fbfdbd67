"""One input for the whole way from bytes to a plan: by grammar or from the cases, most of them damaged."""

import re
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any

from fuzz import grammar
from fuzz.damage import damaged
from fuzz.values import MODES
from kit.plans import ORGS

CASES = Path(__file__).parents[1] / "cases"
MOST_CASE_BYTES = 100_000


@dataclass(frozen=True)
class Input:
    """A roster file, everything it is planned with, and a client.properties; each as its bytes."""

    roster: bytes
    accounts: bytes
    orgs: bytes
    mapping: bytes
    settings: bytes
    mode: str

    def with_file(self, name: str, content: bytes) -> "Input":
        """The same but for one of FILES."""
        change: dict[str, Any] = {name: content}
        return replace(self, **change)


FILES = ("settings", "mapping", "accounts", "orgs", "roster")


def from_cases() -> list[Input]:
    """The files of tests/cases, each with the accounts, orgs and mapping of its case."""
    made = []
    for folder in sorted(path.parent for path in CASES.glob("*/case.toml")):
        mode = re.search(r'"(partial|full|students|staff)"', (folder / "case.toml").read_text(encoding="utf-8"))
        accounts, orgs, mapping = (_bytes(folder / name) for name in ("accounts.csv", "orgs.csv", "mapping.properties"))
        rosters = [path for path in sorted(folder.glob("roster.*")) if path.stat().st_size < MOST_CASE_BYTES]
        for path in rosters:
            mode_name = mode[1] if mode else "full"
            made.append(Input(path.read_bytes(), accounts, orgs or ORGS.encode(), mapping, b"", mode_name))
    return made


def _bytes(path: Path) -> bytes:
    return path.read_bytes() if path.exists() else b""


def make_input(random: Random, cases: list[Input]) -> Input:
    """Half from the cases, half by grammar; then none to a few accidents, most of them to the roster."""
    made = random.choice(cases) if cases and random.random() < 0.5 else _by_grammar(random)
    made = replace(made, settings=grammar.settings(random))
    if random.random() < 0.2:
        made = replace(made, mapping=grammar.mapping(random), mode=random.choice(MODES))
    for _ in range(random.choice((0, 1, 1, 2, 4, 8))):
        made = replace(made, roster=damaged(random, made.roster, keeps_first_line=random.random() < 0.8))
    for name, chance in (("settings", 0.3), ("mapping", 0.05), ("accounts", 0.05), ("orgs", 0.02)):
        if random.random() < chance:
            made = made.with_file(name, damaged(random, getattr(made, name)))
    return made


def _by_grammar(random: Random) -> Input:
    return Input(
        roster=grammar.roster(random),
        accounts=grammar.accounts(random) if random.random() < 0.8 else b"",
        orgs=ORGS.encode(),
        mapping=grammar.mapping(random) if random.random() < 0.3 else b"",
        settings=b"",
        mode=random.choice(MODES),
    )
