"""People who are like known ones: IDs that lost their zeros, people who come back, and disabled strangers."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse
from kit.rosters import approved, imported, needs_approval, settled, student, sync
from pytest_django.fixtures import Settings

from sis_sync.server.accounts.models import Account
from sis_sync.server.audit.models import AuditEntry
from sis_sync.server.orgs.models import Org
from sis_sync.server.runs.models import ModeSettings, Run, ToldApart
from sis_sync.server.runs.results import results_of
from sis_sync.server.runs.two_people import forget_told_apart

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases_at_night]
DAY = timedelta(days=1)
BEN = student("7", "Cole", email="ben@riverbend.example")


@pytest.fixture(autouse=True)
def own_data_folder(settings: Settings, tmp_path: Path) -> None:
    settings.SIS_SYNC_DATA_FOLDER = tmp_path


def message_of(run: Run) -> str:
    return results_of(run).read_text(encoding="utf-8")


def test_a_manager_tells_two_people_apart_on_the_run_page(
    client: Client, district: Org, north: Org, alice: Account, now: datetime
) -> None:
    imported(district, student("007"), now=now)
    needs_approval(district, "partial")
    run = sync(district, BEN, student("S2"), now=now + DAY)
    assert (run.counts["failed"], run.state) == (1, "waiting")
    client.force_login(alice)
    assert "They are two people" in client.get(reverse("web:run", args=[run.pk]), {"action": ""}).content.decode()
    address = reverse("web:two_people_of_run", args=[run.pk])
    client.post(address, {"line": "3"})  # the other row has not failed
    assert not ToldApart.objects.exists()
    client.post(address, {"line": "2"})
    run = settled(run, now=now + DAY)
    assert (run.counts["failed"], run.counts["create"], run.state) == (0, 2, "waiting")
    assert run.findings == {"custom_id.lost_zeros": 1}
    assert AuditEntry.objects.filter(action="account.told_apart").get().detail == {"run": run.pk, "line": 2}


def test_a_manager_tells_two_people_apart_on_the_account_page(
    client: Client, district: Org, north: Org, alice: Account, now: datetime
) -> None:
    imported(district, student("007"), now=now)
    account = Account.objects.get(custom_id="007")
    client.force_login(alice)
    address = reverse("web:two_people_of_account", args=[account.pk])
    for wrong in ("007", "8", "0" * 70 + "7", ""):
        client.post(address, {"custom_id": wrong})
    assert not ToldApart.objects.exists()
    page = client.post(address, {"custom_id": " 7 "}, follow=True).content.decode()
    assert "they are two people" in page
    assert sync(district, BEN, now=now + DAY).counts["create"] == 1
    forget_told_apart([account.pk])
    assert ToldApart.objects.count() == 1  # it is about the other person
    forget_told_apart([Account.objects.get(custom_id="7").pk])
    assert not ToldApart.objects.exists()


def test_a_waiting_plan_is_out_of_date_once_people_are_told_apart(
    district: Org, north: Org, alice: Account, now: datetime
) -> None:
    imported(district, student("007"), now=now)
    needs_approval(district, "partial")
    run = sync(district, BEN, student("S2"), now=now + DAY)
    ToldApart.objects.create(school_system=district.school_system, custom_id="7", said_by=alice, said_at=now)
    run = approved(run, alice, now + DAY)
    assert (run.state, run.counts["create"]) == ("waiting", 2)


def test_disabled_strangers_are_made_on_demand_only(
    client: Client, district: Org, north: Org, alice: Account, now: datetime
) -> None:
    needs_approval(district, "partial", required=False)
    leaver = student("S9", status="Disabled")
    run = sync(district, leaver, student("S1"), now=now)
    assert (run.counts["create"], run.counts["ignored"], run.findings) == (1, 1, {"row.not_created": 1})
    client.force_login(alice)
    page = client.get(reverse("web:run", args=[run.pk])).content.decode()
    assert "No account was created for 1 disabled person." in page
    ModeSettings.objects.filter(mode="partial").update(creates_disabled=True)
    assert sync(district, leaver, now=now + DAY).counts["create"] == 1


def test_people_who_come_back_are_named_with_the_day_they_left(district: Org, north: Org, now: datetime) -> None:
    imported(district, student("S1"), now=now)
    Account.objects.filter(custom_id="S1").update(deleted_at=now)
    run = sync(district, student("S2", email="new@riverbend.example"), now=now + DAY)
    assert run.findings == {"custom_id.returning": 1}
    assert f"S1, deleted on {now:%Y-%m-%d}" in message_of(run)
