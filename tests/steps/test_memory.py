"""A plan made with the memory equals one made without it, byte for byte, whatever happened since."""

import shutil
from datetime import date
from pathlib import Path
from random import Random
from typing import Any

import pytest
from kit.nights import EXTRA, MAPPINGS, District
from kit.plans import TIMES
from kit.ways import Ways

from sis_sync.core.fields import FIELD_NAMES
from sis_sync.core.guards import History
from sis_sync.core.modes import MODES, FieldSettings
from sis_sync.steps.map.mapper_lines import parse_mapping
from sis_sync.steps.map.mapping import NO_MAPPING
from sis_sync.steps.memory import pairs

LEAST_PAIRS = 40  # of the short form


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the tables of these few people several parts long."""
    monkeypatch.setattr(pairs, "PART_ROWS", 29)


class Nights(Ways):
    """A random district, its memory, and copies of the memory that somebody may bring back.

    Of two nights, one is also planned offline, and one tells its key what became of the file: both would cost more.
    """

    def __init__(self, folder: Path, seed: int, people: int, *, is_plain: bool = False) -> None:
        self.random, self.is_plain = Random(seed), is_plain
        super().__init__(folder, District(self.random))
        self.district.begin(people)
        self.kept = folder / "kept.duckdb"
        self.last = History()
        self.pairs = 0
        self.settings = self._drawn_settings()

    def night(self) -> None:
        chance, district = self.random.random, self.district
        for _ in range(self.random.randrange(5)):
            district.edit()
        if chance() < 0.1:
            district.change_around()
        is_damaged = self._handle_the_file()
        if chance() < 0.1:
            self.settings = self._drawn_settings()
        recent = district.recent_file(self.folder / "recent.csv")
        history = History(
            self.last.last_plan,
            self.last.last_rows,
            had_deleting_sync=chance() < 0.7,
            # With recent changes, a plan has no offline memory.
            recent_changes=recent if self.is_telling or chance() < 0.2 else None,
            most_of_runs=(2, 1, 0) if chance() < 0.2 else None,
        )
        given = self.given(
            history=history if chance() < 0.8 else None,
            today=date(2026, 11, 18 + self.random.randrange(2)),
            **self.settings,
        )
        given.file.write_bytes(district.roster())
        full, fast = self.outcome(given, "full"), self.outcome(given, "fast", reads_all=chance() < 0.2)
        assert fast.told == full.told
        assert is_damaged or not fast.was_unusable
        self.pairs += len(fast.pairs)
        if not self.is_telling:
            offline = self.outcome(given, "offline")
            assert offline.without_account_ids == full.without_account_ids  # a plan without a server stores none
            assert not offline.was_unusable or (given.history and given.history.recent_changes)
            self.pairs += len(offline.pairs)
        self.is_telling = not self.is_telling
        if full.plan and chance() < 0.7:
            names = ("plan", "unchanged")
            files = tuple((self.folder / f"full-{name}").replace(self.folder / f"last-{name}") for name in names)
            self.last = History((files[0], files[1]), len(full.plan))
            district.apply(full.plan)

    def _drawn_settings(self) -> dict[str, Any]:
        """What stays the same on most nights. If the nights are plain, nothing keeps lines from cancelling out."""
        chance, pick = self.random.random, self.random.choice
        if self.is_plain:
            self.district.columns = pick((FIELD_NAMES, (*FIELD_NAMES, *EXTRA)))  # with and without own lines
            return {"mode": MODES[pick(("full", "full", "students"))]}
        self.district.columns = pick((FIELD_NAMES, FIELD_NAMES[::-1], (*FIELD_NAMES, *EXTRA)))
        mapping = pick(MAPPINGS)
        return {
            "mode": MODES[pick((*["full"] * 5, "partial", "students", "staff"))],
            "mapping": parse_mapping(mapping) if mapping else NO_MAPPING,
            "on_absent": pick(("delete", "delete", "disable", "nothing")),
            "creates_disabled": chance() < 0.3,
            "keeps_everyone": chance() < 0.1,
            "two_people": ("7",) if chance() < 0.2 else (),
            "field_settings": FieldSettings(email="off") if chance() < 0.1 else FieldSettings(names="always"),
        }

    def _handle_the_file(self) -> bool:
        """Somebody deletes the memory, damages it, keeps a copy, or brings the copy back. Return True if damaged."""
        what = (
            self.random.choice(("delete", "cut", "garbage", "keep", "bring back"))
            if self.random.random() < 0.12
            else ""
        )
        if self.is_plain or not self.memory.exists():
            return False
        if what == "delete":
            self.memory.unlink()
        elif what == "cut":
            with self.memory.open("r+b") as file:
                file.truncate(self.random.randrange(self.memory.stat().st_size))
        elif what == "garbage":
            self.memory.write_bytes(b"x" * self.random.randrange(100_000))
        elif what == "keep":
            shutil.copyfile(self.memory, self.kept)
        elif what == "bring back" and self.kept.exists():
            shutil.copyfile(self.kept, self.memory)
        return what in ("cut", "garbage")


def run(folder: Path, seed: int, *, nights: int, people: int, is_plain: bool) -> int:
    """Return the number of pairs of all nights."""
    made = Nights(folder, seed, people, is_plain=is_plain)
    for _ in range(nights):
        made.night()
    return made.pairs


def test_memory_changes_nothing(tmp_path: Path) -> None:
    assert run(tmp_path, seed=3, nights=3, people=80, is_plain=True) > LEAST_PAIRS


@pytest.mark.night
@pytest.mark.parametrize("is_plain", [True, False])
@pytest.mark.parametrize("seed", range(10 * TIMES))
def test_memory_changes_nothing_in_many_nights(tmp_path: Path, seed: int, is_plain: bool) -> None:
    run(tmp_path, seed, nights=12, people=60, is_plain=is_plain)
