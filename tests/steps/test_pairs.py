"""Which lines cancel out with their account, and which never do, or not on every night."""

import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path
from random import Random
from typing import Any

import duckdb
import pytest
from kit.nights import District, Values
from kit.plans import at_night, table
from kit.services import need_spark
from kit.ways import Ways

import sis_sync
from sis_sync.core.fields import FIELD_NAMES
from sis_sync.core.guards import History
from sis_sync.core.modes import MODES, FieldSettings
from sis_sync.engine.duckdb import open_session
from sis_sync.steps.map.mapper_lines import parse_mapping
from sis_sync.steps.memory import memory
from sis_sync.steps.memory.memory import open_memory

TODAY = date(2026, 11, 18)
OWN = FIELD_NAMES
LEARNED = (*FIELD_NAMES, "more", "from", "to")  # with such columns, no line is the own line of an account


def person(custom_id: str, **values: str) -> Values:
    plain = {
        "first_name": "Ana",
        "middle_name": "",
        "last_name": "Ruiz",
        "email": f"{custom_id.strip().lower().replace('+', '-')}@x.example",
        "custom_id": custom_id,
        "school_district_external_id": "010",
        "user_type": "Student",
        "position": "",
        "grade": "9",
        "status": "Active",
    }
    return plain | values


PEOPLE = [person(f"S{number}") for number in range(100, 130)]
IDS = frozenset(each["custom_id"] for each in PEOPLE)


class Known(Ways):
    """A district whose files have these columns. The first night is over: the memory has learned its lines."""

    def __init__(self, folder: Path, columns: tuple[str, ...], *odd: tuple[Values, dict[str, str]], **settings: Any):
        super().__init__(folder, District(Random(0)))
        self.columns, self.settings = columns, settings
        for values, more in [*((each, {}) for each in PEOPLE), *odd]:
            self.district.add(values, **more)
        self.rows = [values for values, _ in odd] + PEOPLE
        self.first = self.night()

    def night(
        self, *others: Values, lines: tuple[str, ...] = (), reads_all: bool = False, **settings: Any
    ) -> frozenset[str]:
        """The IDs of the pairs of a night, after a comparison with the plan in full."""
        given = self.given(**{"mode": MODES["full"], "today": TODAY, **self.settings, **settings})
        text = table(self.columns, [{"more": "1", "to": "2026-11-18"} | row for row in (*self.rows, *others)])
        given.file.write_text(text + "".join(f"{line}\n" for line in lines), encoding="utf-8")
        full, fast = self.outcome(given, "full"), self.outcome(given, "fast", reads_all=reads_all)
        assert fast.told == full.told
        assert not fast.was_unusable
        self.left = fast.left
        return fast.pairs

    def account(self, custom_id: str) -> int:
        """The number of the account."""
        return next(number for number, each in self.district.accounts.items() if each["custom_id"] == custom_id)


ODD = {
    "rights": (person("RIGHTS"), {"rights": "school"}),
    "protected": (person("PROTECTED"), {"protected": "yes"}),
    "held": (person("HELD"), {"held_by_hand": "yes"}),
    "edited name": (person("EDITED"), {"edited_names": '{"first_name": {"of_sis": "Anne"}}'}),
    "deleted": (person("DELETED"), {"state": "deleted", "deleted_on": "2026-11-01"}),
    "another scope": (person("SCOPE"), {"in_scope": "no"}),
    "an ID that a spreadsheet rounds": (person("1234567890123450"), {}),
    "an ID that a spreadsheet writes": (person("1E+5"), {}),
    "an address as a name": (person("AT", last_name="a@b"), {}),
    "an address as an org": (person("ATORG", school_district_external_id="x@y"), {}),
    "a name for nothing": (person("NOTHING", first_name="NULL"), {}),
    "another case": (person("CASE", user_type="STUDENT"), {"user_type": "student"}),
}


@pytest.mark.parametrize(
    ("columns", "reads_all"),
    [
        (OWN, False),  # the first night has only own lines, the second also learned ones
        *at_night((LEARNED, False), (LEARNED, True)),
    ],
)
def test_who_cancels_out(tmp_path: Path, columns: tuple[str, ...], reads_all: bool) -> None:
    """Odd people never do, because a guard or another rule must see their rows. Edits and other rows end it."""
    known = Known(tmp_path, columns, *ODD.values())
    district = known.district
    assert known.first == (IDS if columns == OWN else set())
    assert known.night() == IDS
    district.change(known.account("S100"), last_name="Edited")
    district.change(known.account("S101"), rights="district")
    del district.accounts[known.account("S102")]
    district.touched.append(3)
    district.remember(known.account("S103"), "yes", "update", {"position": "Old"}, {"position": ""})
    others = (
        PEOPLE[4],  # the same row again
        person("0S105"),
        person("NEW", email="S106@X.example"),
    )
    history = History(recent_changes=district.recent_file(tmp_path / "recent.csv"))
    pairs = known.night(*others, lines=("S107,short",), history=history, reads_all=reads_all)
    assert pairs == IDS - {f"S10{number}" for number in range(8)}


@pytest.mark.night
def test_accounts_with_one_address_are_no_pairs(tmp_path: Path) -> None:
    """One had the address when its line was learned, another has it now."""
    known = Known(tmp_path, LEARNED)
    first, second = known.account("S100"), known.account("S101")
    for number in (first, second):
        known.district.change(number, email=f"other{number}@x.example")
    known.district.change(second, email=PEOPLE[0]["email"])
    known.rows = [{**PEOPLE[1], "email": PEOPLE[0]["email"]}, *PEOPLE[2:]]
    known.night()
    known.rows = [PEOPLE[0], *known.rows]
    assert known.night() == IDS - {"S100", "S101"}


@pytest.mark.night
@pytest.mark.parametrize(
    ("lines", "columns"),
    [
        ("mapper.m.create.middle_name=new", LEARNED),
        ("mapper.m.keep.middle_name=", (*(name for name in LEARNED if name != "middle_name"),)),
        ("mapper.m.keep.middle_name=", LEARNED),
        ("mapper.m.choose=more: 1", LEARNED),
        ("mapper.m.template.email={custom_id:lower}@x.example", LEARNED),
        ("mapper.m.default.email={custom_id:lower}@x.example", LEARNED),
        ("mapper.m.decode.last_name=html", LEARNED),
        ("mapper.m.template.password=Red-harbour-{custom_id}", LEARNED),
        ("", (*LEARNED, "password")),
    ],
)
def test_lines_whose_meaning_is_not_in_their_bytes(tmp_path: Path, lines: str, columns: tuple[str, ...]) -> None:
    known = Known(tmp_path, columns, **({"mapping": parse_mapping(lines)} if lines else {}))
    assert known.night() == set()


@pytest.mark.night
@pytest.mark.parametrize("kept", [FieldSettings(names="never"), FieldSettings(names="always", grade="off")])
def test_values_that_accounts_keep_are_not_in_lines(tmp_path: Path, kept: FieldSettings) -> None:
    assert Known(tmp_path, LEARNED, field_settings=kept).night() == set()


@pytest.mark.night
def test_days_are_a_part_of_what_dates_mean(tmp_path: Path) -> None:
    lines = "mapper.m.dates.status=from | to\nmapper.m.dates.format=YYYY-MM-DD"
    known = Known(tmp_path, LEARNED, mapping=parse_mapping(lines))
    assert known.night() == IDS
    assert known.night(today=date(2026, 11, 19)) == set()


@pytest.mark.night
@pytest.mark.xdist_group("spark")
def test_spark_gets_what_is_left(tmp_path: Path) -> None:
    need_spark()
    known = Known(tmp_path, LEARNED)
    known.engine = "spark"
    district = known.district
    district.change(known.account("S100"), last_name="Edited")
    assert known.night(person("0S105"), person("NEW")) == IDS - {"S100", "S105"}
    assert known.left == (4, 2)
    assert known.night() == IDS - {"S100"}  # what Spark judged was learned


OTHER_ORGS = {"D1": "Lakeview District", "010": "North Elementary", "020": "Lakeview High"}


def use_other_orgs(known: Known) -> dict[str, Any]:
    known.district.orgs = OTHER_ORGS
    return {}


def use_other_header(known: Known) -> dict[str, Any]:
    known.columns = LEARNED[::-1]
    return {}


CHANGED: dict[str, Callable[[Known], dict[str, Any]]] = {
    "mode": lambda _: {"mode": MODES["students"]},
    "orgs": use_other_orgs,
    "mapping": lambda _: {"mapping": parse_mapping("mapper.m.value.status.on=Active\nmapper.m.column.status=status")},
    "header": use_other_header,
    "absence": lambda _: {"on_absent": "disable"},
    "disabled newcomers": lambda _: {"creates_disabled": True},
    "people told apart": lambda _: {"two_people": ("7",)},
    "field settings": lambda _: {"field_settings": FieldSettings(names="always", grade="off")},
    "everyone stays": lambda _: {"keeps_everyone": True},
}


@pytest.mark.night
@pytest.mark.parametrize("what", CHANGED)
def test_nothing_learned_under_other_settings_cancels(tmp_path: Path, what: str) -> None:
    known = Known(tmp_path, LEARNED)
    assert known.night() == IDS
    assert known.night(**CHANGED[what](known)) == set()


def position(path: Path, key: str = "0") -> str | None:
    """How current the memory in the file is, None if it was not believed."""
    with open_session(threads=1) as session:
        opened = open_memory(session, path, key=key)
        assert opened
        return opened.position


def test_memory_of_other_rules_is_not_believed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Or of another version of the engine, or of another school system."""
    known = Known(tmp_path, LEARNED)
    kept = shutil.copyfile(known.memory, tmp_path / "kept")

    def believed(**more: str) -> str | None:
        shutil.copyfile(kept, known.memory)
        memory._rules.cache_clear()
        return position(known.memory, **more)

    assert believed() == believed() == "30"
    assert believed(key="1") is None
    monkeypatch.setattr(duckdb, "__version__", "0.0.1")
    assert believed() is None
    monkeypatch.undo()
    root = tmp_path / "rules"
    for part in ("core", "engine", "steps"):
        shutil.copytree(Path(sis_sync.__file__).parent / part, root / part)
    monkeypatch.setattr(sis_sync, "__file__", str(root / "__init__.py"))
    assert believed() == "30"
    for part in ("core/limits.py", "engine/sql.py", "steps/guard/base.sql"):
        text = (root / part).read_text(encoding="utf-8")
        (root / part).write_text(f"{text}\n", encoding="utf-8")
        assert believed() is None, part
        (root / part).write_text(text, encoding="utf-8")
    assert believed() == "30"
    memory._rules.cache_clear()
