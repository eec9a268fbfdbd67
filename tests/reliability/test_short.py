"""The short form of `make reliability`: two weeks of a stolen key, and how tries are kept. The rest runs at night."""

from dataclasses import replace
from itertools import islice
from pathlib import Path

import pytest
from django.db import connection
from django.utils import timezone
from kit.rosters import send, settled
from pytest_django.fixtures import Settings
from reliability.__main__ import ROWS, tried
from reliability.limits import passed_limits, people_of
from reliability.people import ACTIVE, Person
from reliability.rows import Outcome, Row, outcome
from reliability.school_systems import make
from reliability.stage import Stages
from reliability.tactics import TACTICS

from sis_sync.server.keys.models import ApiKey

FILES = 3  # of each tactic
SHORT = ("new addresses in parts", "people moved into a school that then leaves")


def ask(sql: str) -> list[tuple[str, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return list(cursor.fetchall())


@pytest.mark.django_db
@pytest.mark.parametrize("name", SHORT)
def test_week_of_stolen_key(name: str, settings: Settings, tmp_path: Path) -> None:
    settings.SIS_SYNC_DATA_FOLDER = tmp_path
    now = timezone.now()
    make("riverbend", now=now)
    key = ApiKey.objects.select_related("org").get()
    before = people_of(ask, "riverbend")
    states = []
    for sent in islice(TACTICS[name](), FILES):
        values = {"by": key, "mapping_lines": sent.mapping}
        run = send(key.org, content=sent.text.encode(), mode=sent.mode, now=now, **values)
        states.append(settled(run, now=now).state)
    assert states == ["applied", "held", "held"]
    assert passed_limits(before, people_of(ask, "riverbend")) == []


def test_passed_limits_are_named() -> None:
    person = {"email": "a@x.example", "status": "Active", "is_deleted": "", "is_manager": "", "password": ""}
    person |= dict.fromkeys(("first_name", "middle_name", "last_name", "org", "user_type"), "")
    before = {f"P{number}": person for number in range(ACTIVE)} | {"D": {**person, "status": "Disabled"}}
    before["M"] = {**before.pop("P0"), "is_manager": "yes"}

    def found(count: int, **values: str) -> list[str]:
        return passed_limits(before, before | {f"P{number}": {**person, **values} for number in range(1, count + 1)})

    assert (found(36, status="Disabled"), found(37, is_deleted="yes")) == ([], ["37 left, at most 36 may"])
    assert (found(19, email="b"), found(20, email="b")) == ([], ["20 changed address, at most 19 may"])
    fresh: dict[str, Person] = {f"Z{number}": person for number in range(61)}
    assert passed_limits(before, before | fresh) == ["61 arrived or returned, at most 60 may"]
    taken_over = before | {"M": {**before["M"], "password": "other"}}
    assert passed_limits(before, taken_over) == ["1 managers changed, at most 0 may"]


def test_tries_are_kept_unless_violated(tmp_path: Path) -> None:
    done: list[str] = []

    def good(_stages: Stages) -> Outcome:
        done.append("good")
        return outcome(3, it_holds=True)

    def bad(_stages: Stages) -> Outcome:
        done.append("bad")
        return outcome(1, it_holds=True, nothing_is_lost=len(done) > 2)

    def broken(_stages: Stages) -> Outcome:
        raise ValueError("no such file")

    row = Row("row", "It holds", {"good": good, "bad": bad})
    kept = tmp_path / "build" / "kept.json"
    assert dict(tried(row, "sqlite", kept=kept)) == {"good": Outcome(3), "bad": Outcome(1, ("nothing is lost",))}
    assert dict(tried(row, "sqlite", kept=kept)) == {"good": Outcome(3), "bad": Outcome(1)}
    assert done == ["good", "bad", "bad"]
    assert dict(tried(row, "sqlite", kept=kept, part="oo")) == {"good": Outcome(3)}
    ((_, stopped),) = tried(replace(row, tries={"broken": broken}), "sqlite", kept=kept)
    assert stopped.violations[0].startswith("ValueError: no such file (test_short.py:")


def test_every_row_has_tries() -> None:
    assert len({row.name for row in ROWS}) == len(ROWS)
    assert all(row.tries for row in ROWS)
