"""Many newcomers are written straight into the accounts: the same accounts and history as in the usual way."""

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from kit.rosters import imported, needs_approval, roster, settled, student, sync, teacher
from pytest_django.fixtures import Settings

from sis_sync.core.run_states import DECIDABLE
from sis_sync.server.accounts import feed
from sis_sync.server.accounts.feed_triggers import are_triggers_there, drop_triggers
from sis_sync.server.accounts.models import Account, FeedEntry, FilePassword
from sis_sync.server.accounts.selectors import search_accounts
from sis_sync.server.accounts.services import delete_accounts
from sis_sync.server.audit.models import AccountChange
from sis_sync.server.orgs.models import Org
from sis_sync.server.runs.apply import newcomers
from sis_sync.server.runs.approval import approve_run
from sis_sync.server.runs.undo import ask_undo

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases_at_night]

NAMES = ("Ana Lía", "O'Neill", 'Zoë "Z"', "back\\slash", "tab", "Đạt", "伟")


@pytest.fixture(autouse=True)
def own_data_folder(settings: Settings, tmp_path: Path) -> None:
    settings.SIS_SYNC_DATA_FOLDER = tmp_path


@pytest.fixture
def straight(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Let any number of newcomers go straight. Return how many accounts were written so."""
    monkeypatch.setattr(newcomers, "MIN_NEWCOMERS", 1)
    written: list[int] = []
    write = newcomers.Newcomers.write

    def counted(self: newcomers.Newcomers, parameters: dict[str, Any]) -> int:
        written.append(write(self, parameters))
        return written[-1]

    monkeypatch.setattr(newcomers.Newcomers, "write", counted)
    return written


def people() -> list[dict[str, str]]:
    pupils = [student(f"S{number}", first_name=name, middle_name=name[:2]) for number, name in enumerate(NAMES)]
    return [*pupils, student("BAD", email="none"), teacher("T1", position="Music", status="Disabled")]


def stored() -> list[tuple[object, ...]]:
    """All accounts with a custom ID and their history, but for IDs and passwords."""
    found: list[tuple[object, ...]] = []
    for account in Account.objects.filter(custom_id__isnull=False).order_by("custom_id"):
        values = {name: value for name, value in vars(account).items() if name not in ("_state", "id", "password")}
        changes = account.changes.order_by("pk")
        lines = [(each.action, each.line, each.before, each.after, each.changed_at) for each in changes]
        found.append((values, account.password[0], account.has_usable_password(), lines))
    return found


def schema() -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = current_schema() ORDER BY 1")
        else:
            cursor.execute("SELECT name, sql FROM sqlite_master WHERE type IN ('index', 'trigger') ORDER BY name")
        return list(cursor.fetchall())


def test_same_as_in_the_usual_way(
    district: Org, north: Org, alice: Account, now: datetime, straight: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = schema()
    run = imported(district, *people(), now=now)
    there, plan = stored(), run.counts
    assert straight == [run.counts["create"]]
    assert schema() == before
    assert all(account.changes.get().run == run for account in Account.objects.exclude(pk=alice.pk))
    Account.objects.exclude(pk=alice.pk).delete()
    monkeypatch.setattr(newcomers, "MIN_NEWCOMERS", 1_000)
    assert imported(district, *people(), now=now).counts == plan
    assert stored() == there
    assert straight == [run.counts["create"]]


@pytest.mark.both_databases
def test_next_accounts_get_free_ids(
    district: Org, north: Org, alice: Account, now: datetime, straight: list[int]
) -> None:
    sync(district, student("S1"), now=now)
    Account.objects.get(custom_id="S1").delete()
    sync(district, student("S2"), student("S3"), now=now)
    by_hand = Account.objects.create(
        school_system=district.school_system, org=north, first_name="A", last_name="B", email="a@b.example"
    )
    sync(district, student("S4"), now=now)
    ids = [Account.objects.get(custom_id=custom_id).pk for custom_id in ("S2", "S3")]
    assert [*ids, by_hand.pk, Account.objects.get(custom_id="S4").pk] == [ids[0] + number for number in range(4)]
    assert straight == [1, 2, 1]


@pytest.mark.both_databases
def test_newcomers_are_found_by_their_words(
    district: Org, north: Org, alice: Account, now: datetime, straight: list[int]
) -> None:
    sync(district, student("S1", first_name="Søren"), student("S2"), now=now)
    sync(district, student("S3", first_name="Søren"), now=now)
    found = search_accounts(actor=alice, text="soren")
    assert {account.custom_id for account in found} == {"S1", "S3"}
    assert len(straight) == 2


@pytest.mark.parametrize("has_triggers", [True, False])
def test_triggers_stay_as_they_are(
    district: Org, north: Org, now: datetime, straight: list[int], monkeypatch: pytest.MonkeyPatch, has_triggers: bool
) -> None:
    monkeypatch.setattr(feed, "FEW_CHANGES", 1)  # so that one entry covers all
    if not has_triggers:
        drop_triggers()  # the feed may have missed changes, which triggers made again would hide
    before = schema()
    sync(district, student("S1"), student("S2"), now=now)
    assert straight == [2]
    assert (schema(), are_triggers_there()) == (before, has_triggers)


@pytest.mark.parametrize("is_covered", [True, False])
def test_the_feed_knows_newcomers(
    district: Org, north: Org, now: datetime, straight: list[int], monkeypatch: pytest.MonkeyPatch, is_covered: bool
) -> None:
    monkeypatch.setattr(feed, "FEW_CHANGES", 1 if is_covered else 1_000)
    before = FeedEntry.objects.latest("pk").pk
    sync(district, student("S1"), student("S2"), now=now)
    assert straight == [2]
    entries = FeedEntry.objects.filter(pk__gt=before, school_system_id=district.school_system_id)
    there = set(Account.objects.filter(custom_id__isnull=False).values_list("pk", flat=True))
    assert set(entries.values_list("account_id", flat=True)) == ({None} if is_covered else there)


def test_passwords_wait_for_their_account(district: Org, north: Org, now: datetime, straight: list[int]) -> None:
    rows = [student("S1", password="Grey-harbour-12"), student("S2"), student("S3", password="Blue-harbour-34")]
    sync(district, content=roster(*rows, extra=("password",)), now=now)
    assert straight == [3]
    found = FilePassword.objects.order_by("line").values_list("account__custom_id", "line", "outcome")
    assert list(found) == [("S1", 2, "set"), ("S3", 4, "set")]
    assert Account.objects.get(custom_id="S3").check_password("Blue-harbour-34")


def test_first_import_is_taken_back(
    district: Org, north: Org, alice: Account, now: datetime, straight: list[int]
) -> None:
    run = imported(district, *people(), now=now)
    Account.objects.filter(custom_id="S1").update(grade="8")
    undo = settled(ask_undo(run=run, by=alice, now=now), now=now)
    assert (undo.counts["delete"], undo.findings) == (run.counts["create"] - 1, {"undo.changed_since": 1})


@pytest.mark.both_databases
@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"custom_id": "S1"}, "accounts that it creates already exist"),
        ({"email": "S1@Riverbend.example"}, "addresses that it assigns belong to other accounts"),
    ],
)
def test_taken_since_is_planned_again(
    district: Org,
    north: Org,
    alice: Account,
    now: datetime,
    straight: list[int],
    change: dict[str, str],
    reason: str,
) -> None:
    needs_approval(district, "partial")
    before = schema()
    run = sync(district, student("S1"), student("S2"), now=now)
    approve_run(run=run, digest=run.plan_digest, by=alice, reason="checked", now=now)
    Account.objects.filter(pk=alice.pk).update(**change)
    run = settled(run, now=now)
    assert (run.state in DECIDABLE, reason in run.decision_reason) == (True, True)
    assert not Account.objects.filter(custom_id="S2").exists()
    assert schema() == before


def test_id_of_a_leaver_is_taken_in_the_usual_way(
    district: Org, north: Org, alice: Account, now: datetime, straight: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "FEW_CHANGES", 1)  # so that one entry covers all
    before = schema()
    sync(district, student("S1"), now=now)
    delete_accounts(accounts=Account.objects.filter(custom_id="S1"), actor=alice, now=now)
    run = sync(district, student("S1", email="new@riverbend.example"), student("S2"), now=now + timedelta(days=181))
    assert (run.state, run.counts["create"], straight, schema()) == ("applied", 2, [1], before)
    assert Account.objects.filter(custom_id="S1").count() == 1


def test_school_creates_in_its_school_only(
    district: Org, north: Org, south: Org, bob: Account, now: datetime, straight: list[int]
) -> None:
    run = sync(north, student("S1", org="N1"), now=now)
    assert (run.counts["create"], straight) == (1, [1])
    assert Account.objects.get(custom_id="S1").org == north


@pytest.mark.both_databases
def test_history_is_plain_json(district: Org, north: Org, now: datetime, straight: list[int]) -> None:
    sync(district, student("S1", first_name='Zoë "Z"'), now=now)
    with connection.cursor() as cursor:
        cursor.execute('SELECT CAST("before" AS text), CAST("after" AS text) FROM audit_accountchange')
        before, after = cursor.fetchone()
    assert (json.loads(before), json.loads(after)["first_name"]) == ({}, 'Zoë "Z"')
    assert AccountChange.objects.get().after["school_district_external_id"] == "N1"
