"""A job that is queued wakes a worker at once, on both databases."""

import threading
from datetime import datetime
from pathlib import Path

import pytest
from django.db import connection
from kit.rosters import needs_approval, send, student
from pytest_django.fixtures import Settings

from sis_sync.server.jobs.wake import Rest, wake_workers
from sis_sync.server.orgs.models import Org
from sis_sync.server.runs import worker
from sis_sync.server.runs.worker import work_once

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]

LONG = 60.0  # seconds that a worker rests if nothing wakes it


@pytest.fixture(autouse=True)
def own_data_folder(settings: Settings, tmp_path: Path) -> None:
    settings.SIS_SYNC_DATA_FOLDER = tmp_path


def test_call_between_two_rests_is_heard() -> None:
    rest, stop = Rest(), threading.Event()
    assert not rest.until_woken(stop, 0.01)
    wake_workers()
    assert rest.until_woken(stop, LONG)
    assert not rest.until_woken(stop, 0.01)


def test_upload_wakes_a_resting_worker(
    district: Org, north: Org, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker finds no job, rests, and is woken by the upload of another thread, not by the end of its rest."""
    needs_approval(district, "partial")
    is_resting, stop = threading.Event(), threading.Event()

    def look(**values: object) -> bool:
        if work_once(clock=lambda: now):
            stop.set()
            return True
        is_resting.set()
        return False

    def upload() -> None:
        is_resting.wait(LONG)
        try:
            runs.append(send(district, student("S1"), now=now))
        finally:
            connection.close()

    runs: list[object] = []
    monkeypatch.setattr(worker, "work_once", look)
    monkeypatch.setattr(worker, "POLL_SECONDS", LONG)
    sender = threading.Thread(target=upload)
    sender.start()
    gave_up = threading.Timer(LONG / 2, stop.set)
    gave_up.start()
    worker.work_forever(stop, clock=lambda: now)
    sender.join()
    assert gave_up.is_alive()
    gave_up.cancel()
    assert runs
