"""Passwords of a file: hashed in the plan, removed from the stored file, set when the account is created."""

from datetime import datetime
from pathlib import Path

import pytest
from kit.rosters import needs_approval, roster, settled, student, sync
from pytest_django.fixtures import Settings

from sis_sync.server.accounts.models import Account
from sis_sync.server.orgs.models import Org
from sis_sync.server.runs import flow
from sis_sync.server.runs.approval import approve_run
from sis_sync.server.runs.files import run_files

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


@pytest.fixture(autouse=True)
def own_data_folder(settings: Settings, tmp_path: Path) -> None:
    settings.SIS_SYNC_DATA_FOLDER = tmp_path


def test_passwords_leave_the_file(district: Org, north: Org, alice: Account, now: datetime) -> None:
    needs_approval(district, "partial")
    rows = [student("S1", password="Grey-harbour-12"), student("S2", middle_name="two\nlines", password="x")]
    broken = b"S3,too,few,Red-harbour-34\r\n"
    content = (
        roster(*rows, extra=("password",))
        + broken
        + roster(student("S4", password="y"), extra=("password",))[len(roster(extra=("password",))) :]
    )
    run = sync(district, content=content, now=now)
    stored = run_files(run).original.read_bytes()
    assert b"harbour" not in stored
    assert b"password" not in stored
    assert stored.count(b"\n") == content.count(b"\n")

    Account.objects.filter(pk=alice.pk).update(email="s4@riverbend.example")
    approve_run(run=run, digest=run.plan_digest, by=alice, now=now)
    again = settled(run, now=now)
    assert (again.state, again.counts["create"], again.counts["failed"]) == ("waiting", 2, 2)
    approve_run(run=again, digest=again.plan_digest, by=alice, now=now)
    assert settled(run, now=now).state == "applied"
    assert Account.objects.get(custom_id="S1").check_password("Grey-harbour-12")


def test_unsplittable_records_keep_their_people(district: Org, north: Org, alice: Account, now: datetime) -> None:
    pupils = [student(f"S{number}") for number in range(8)]
    sync(district, *pupils, now=now)
    whole = roster(*({**each, "password": ""} for each in pupils[1:]), extra=("password",))
    broken = b"Sam,,Okafor,s0@riverbend.example,S0;y,N1,Student,,7,Active,Grey-harbour-12,more\r\n"
    lines = "mapper.m.first.custom_id=;"
    run = sync(district, content=whole + broken, now=now, mode="students", mapping_lines=lines, mapping_name="m")
    assert run.counts["delete"] == 0
    assert b"harbour" not in run_files(run).original.read_bytes()
    flow.plan_again(run.pk, reason="a test", now=now, states=(run.state,))
    again = settled(run, now=now)
    assert (again.counts["delete"], again.counts["failed"]) == (0, 1)
