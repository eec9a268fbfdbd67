"""An ordinary district is not bothered: no guard holds a night of its school year, except the one in August.

Each night 0.5 % of the people change. Once a class moves to the other school. Ten newcomers come within a week, and now
and then someone leaves. In August, a fifth of the people leave and as many come.
"""

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from kit.plans import at_night
from kit.rosters import approved, had_leavers, needs_approval, student, sync
from pytest_django.fixtures import Settings

from sis_sync.server.accounts.models import Account
from sis_sync.server.orgs.models import Org

DAY = timedelta(days=1)
Row = dict[str, str]


@pytest.fixture(autouse=True)
def own_data_folder(settings: Settings, tmp_path: Path) -> None:
    settings.SIS_SYNC_DATA_FOLDER = tmp_path


class Year:
    """The list that a district exports, from night to night. The last person of the list stays."""

    def __init__(self, size: int, seed: int) -> None:
        self.random = random.Random(seed)
        self.made = 0
        self.rows: list[Row] = []
        self.come(size)

    def come(self, count: int) -> None:
        for _ in range(count):
            self.made += 1
            values = {"user_type": "Teacher", "grade": ""} if self.made % 10 == 0 else {}
            self.rows.insert(0, student(f"P{self.made:05}", org="N1" if self.made % 2 else "S1", **values))

    def leave(self, count: int) -> None:
        for _ in range(count):
            self.rows.pop(self.random.randrange(len(self.rows) - 1))

    def change(self, count: int) -> None:
        for row in self.random.sample(self.rows, count):
            if self.random.random() < 0.5 and row["user_type"] == "Student":
                row["grade"] = str(self.random.randrange(1, 13))
            else:
                row["email"] = f"e{self.random.randrange(10**9)}@riverbend.example"

    def nights(self, count: int) -> Iterator[int]:
        """Change the list for each night, and yield its number."""
        size = len(self.rows)
        moving = min(size // 40, 15)
        for night in range(1, count + 1):
            self.change(max(size // 200, night % 3 == 0))
            self.come(night % 7 != 0 and 1 + (night % 7 == 1) * 3)
            self.leave(night % 9 == 0)
            if night == count // 4:
                for row in self.rows[5 : 5 + moving]:
                    row["school_district_external_id"] = "S1"
            if night == august(count):
                self.leave(size // 5)
                self.come(size // 5)
            yield night


def august(nights: int) -> int:
    return nights - 3


def held_nights(district: Org, alice: Account, now: datetime, *, size: int, nights: int) -> list[tuple[int, str]]:
    """Return the nights that were held, with the guards; a manager approves each."""
    had_leavers(district, now)
    needs_approval(district, "full", required=False)
    Account.objects.filter(pk=alice.pk).update(custom_id=None)
    year = Year(size, seed=size)
    assert sync(district, *year.rows, now=now, mode="full").state == "applied"
    held = []
    for night in year.nights(nights):
        run = sync(district, *year.rows, now=now + night * DAY, mode="full")
        if run.state == "held":
            held.append((night, ",".join(hit["code"] for hit in run.guards)))
            run = approved(run, alice, now + night * DAY)
        assert run.state == "applied", held
    return held


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("size", "nights"),
    [(60, 8), *at_night((60, 30), (600, 30), (6_000, 30))],
)
def test_only_august_is_held(
    district: Org, north: Org, south: Org, alice: Account, now: datetime, size: int, nights: int
) -> None:
    held = held_nights(district, alice, now, size=size, nights=nights)
    assert [night for night, _ in held] == [august(nights)], held
