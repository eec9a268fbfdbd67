"""The daily purge: when it happens, when it waits, and that it gives way to jobs."""

from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from threading import Event
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.contrib.sessions.models import Session
from kit.rosters import student, sync
from pytest_django.fixtures import Settings

from sis_sync.server.accounts.models import Account
from sis_sync.server.audit.models import AuditEntry, Purge
from sis_sync.server.orgs.models import Org, SchoolSystem
from sis_sync.server.runs import worker
from sis_sync.server.runs.files import run_files
from sis_sync.server.runs.purge import daily as daily_module
from sis_sync.server.runs.purge.daily import DailyPurge
from sis_sync.server.runs.purge.purge import purge
from sis_sync.server.runs.worker import work_once

pytestmark = pytest.mark.django_db
on_both = pytest.mark.both_databases

DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def own_data_folder(settings: Settings, tmp_path: Path) -> None:
    settings.SIS_SYNC_DATA_FOLDER = tmp_path / "data"
    (tmp_path / "data").mkdir()


def at_night(day: int, hour: int = 3) -> datetime:
    """A moment in Chicago, where these schools are; the first of September is day 1."""
    return datetime(2026, 9, 1, hour, 30, tzinfo=ZoneInfo("America/Chicago")) + (day - 1) * DAY


def days_purged(*moments: datetime) -> list[bool]:
    """For each of these moments in turn, whether a purge happens then."""
    found = []
    for moment in moments:
        before = Purge.objects.count()
        daily = DailyPurge()
        while daily.do_piece(now=moment):
            pass
        found.append(Purge.objects.count() > before)
    return found


@on_both
def test_daily_purge_at_night(school_system: SchoolSystem, now: datetime) -> None:
    noon, evening, night, later = at_night(1, 12), at_night(1, 23), at_night(2, 2), at_night(2, 4)
    assert days_purged(noon, evening, night, later) == [False, False, True, False]
    next_noon, next_night = at_night(2, 12), at_night(3, 2)
    assert days_purged(next_noon, next_night, next_night) == [False, True, False]
    # Off at night: it catches up by day, and goes on the next night.
    assert days_purged(at_night(5, 9), at_night(5, 10), at_night(6, 3)) == [True, False, True]
    # A clock that was set back does not stop it.
    assert days_purged(at_night(1, 3), at_night(1, 4)) == [True, False]


def test_clock_that_jumped_ahead_purges_nothing_that_night(district: Org, north: Org, now: datetime) -> None:
    run = sync(district, student("S1"), now=at_night(1))
    assert days_purged(at_night(2), at_night(3)) == [True, True]
    AuditEntry.objects.create(school_system=district.school_system, action="test", at=at_night(400, 2))
    assert days_purged(at_night(400), at_night(400, 4)) == [False, False]
    assert run_files(run).original.is_file()
    assert AuditEntry.objects.filter(action="data.purge_waits").count() == 1
    assert days_purged(at_night(4)) == [True]  # the clock was set right
    assert run_files(run).original.is_file()
    assert days_purged(at_night(14), at_night(15)) == [False, True]  # a server that was off for some time


def test_daily_purge_that_was_cut_off(school_system: SchoolSystem, now: datetime) -> None:
    Session.objects.create(session_key="old", session_data="", expire_date=now)
    daily = DailyPurge()
    assert daily.do_piece(now=at_night(2))
    assert days_purged(at_night(2)) == [False]  # another worker: the first one still has the lock
    del daily
    assert days_purged(at_night(2, 4), at_night(2, 5)) == [True, False]
    assert not Session.objects.exists()


def test_daily_purge_gives_way_to_jobs(
    district: Org, north: Org, alice: Account, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between any two pieces of the purge, the worker takes a job that has come."""
    Session.objects.create(session_key="old", session_data="", expire_date=now)
    AuditEntry.objects.create(school_system=district.school_system, action="test", at=now - 2000 * DAY)
    order: list[str] = []
    stop = Event()

    def next_piece(pieces: Any) -> Any:
        for removed in pieces:
            order.append("piece")
            yield removed
        stop.set()

    def look(**values: Any) -> bool:
        order.append("look")
        return work_once(**values)

    monkeypatch.setattr(daily_module, "purge", lambda **values: next_piece(purge(**values)))
    monkeypatch.setattr(worker, "work_once", look)
    worker.work_forever(stop, clock=lambda: at_night(2))
    assert order.count("piece") >= 2
    assert ("piece", "piece") not in pairwise(order)
    assert not Session.objects.exists()
