"""Undo of a run, and restore of the people who left by it, on both databases."""

import random
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from kit.plans import TIMES, at_night
from kit.rosters import approved, imported, needs_approval, student, sync, teacher
from pytest_django.fixtures import Settings

from sis_sync.core.errors import NotPermitted, RunClosed
from sis_sync.server.accounts.first_sign_in import claim_account, make_claim_codes
from sis_sync.server.accounts.models import Account
from sis_sync.server.accounts.services import (
    create_account,
    delete_accounts,
    disable_accounts,
    enable_accounts,
    restore_accounts,
    update_account,
)
from sis_sync.server.accounts.validation import values_of
from sis_sync.server.errors import ValuesRefused
from sis_sync.server.keys.services import create_key
from sis_sync.server.orgs.models import Org, SchoolSystem
from sis_sync.server.orgs.services import give_right, update_org
from sis_sync.server.runs.models import ModeSettings, Run
from sis_sync.server.runs.selectors import PlanRow, plan_rows
from sis_sync.server.runs.settings import settings_of
from sis_sync.server.runs.undo import ask_undo, why_not
from sis_sync.server.runs.worker import work_until_idle
from sis_sync.steps.guard import guard

pytestmark = pytest.mark.django_db
both_databases = pytest.mark.both_databases
HOUR = timedelta(hours=1)
State = dict[str, str]
TYPED = ("user_type", "grade", "position")


@pytest.fixture(autouse=True)
def own_data_folder(settings: Settings, tmp_path: Path) -> None:
    settings.SIS_SYNC_DATA_FOLDER = tmp_path


def undone(run: Run, actor: Account, now: datetime, *, only_leavers: bool = False) -> Run:
    """The run that takes `run` back, approved and applied."""
    undo = planned_undo(run, actor, now, only_leavers=only_leavers)
    return undo if undo.state == "applied" else approved(undo, actor, now)


def planned_undo(run: Run, actor: Account, now: datetime, *, only_leavers: bool = False) -> Run:
    undo = ask_undo(run=run, by=actor, now=now, only_leavers=only_leavers)
    work_until_idle(clock=lambda: now)
    undo.refresh_from_db()
    return undo


def rows_of(run: Run) -> list[PlanRow]:
    return list(plan_rows(run=run, page_size=1000).rows)


def accounts_now(system: SchoolSystem) -> dict[int, State]:
    """The ten values of each account, and whether it is deleted or protected."""
    return {
        account.pk: {
            **values_of(account),
            "is_deleted": str(account.deleted_at is not None),
            "is_protected": str(account.is_protected),
        }
        for account in Account.objects.filter(school_system=system).select_related("org")
    }


@dataclass
class District:
    """A small district whose people change at random, by files and by hand."""

    org: Org
    actor: Account
    random: random.Random
    now: datetime
    edited: set[tuple[int, str]] = field(default_factory=set)

    def roster(self) -> list[dict[str, str]]:
        """A file of some of 14 people, some with other values than the last time."""
        people = self.random.sample(range(14), self.random.randint(7, 14))
        return [self._row(number) for number in people]

    def _row(self, number: int) -> dict[str, str]:
        pick = self.random.choice
        values = {
            "first_name": pick(["Ana", "Ana", "Ben"]),
            "last_name": pick(["Okafor", "Okafor", "Moreno"]),
            "middle_name": pick(["", "", "Q"]),
            "org": pick(["N1", "N1", "S1"]),
            "status": pick(["Active", "Active", "Active", "Disabled"]),
            # Some addresses wander between two people.
            "email": f"p{number + pick([0, 0, 0, number % 2 * -1 or 1])}@riverbend.example",
        }
        if pick([True, True, False]):
            return student(f"P{number}", **values, grade=pick(["7", "8", ""]))
        return teacher(f"P{number}", **values, position=pick(["", "Coach"]))

    def roster_of(self, mode: str) -> list[dict[str, str]]:
        """A file of that mode, with one more person, so that it is never empty."""
        last = teacher("P99") if mode == "staff" else student("P99")
        rows = [*self.roster(), last]
        return [
            row
            for row in rows
            if mode in ("partial", "full") or (row["user_type"] == "Student") == (mode == "students")
        ]

    def edit(self) -> None:
        """Change a few accounts by hand. What cannot be done is not done."""
        system = self.org.school_system
        for _ in range(self.random.randint(0, 6)):
            before = accounts_now(system)
            people = list(Account.objects.filter(school_system=system, custom_id__startswith="P").order_by("pk"))
            if not people:
                return
            with suppress(ValuesRefused, NotPermitted):
                self._edit_one(self.random.choice(people))
            after = accounts_now(system)
            self.edited |= {
                (pk, name)
                for pk, values in after.items()
                for name in values
                if before.get(pk, {}).get(name) != values[name]
            }

    def _edit_one(self, account: Account) -> None:
        someone: dict[str, Any] = {"accounts": [account], "actor": self.actor, "now": self.now}
        if account.deleted_at is not None:
            restore_accounts(**someone)
            return
        pick = self.random.choice
        deed = pick(
            ["name", "name", "address", "type", "status", "move", "protect", "disable", "enable", "delete", "id"]
        )
        if deed in ("disable", "enable", "delete"):
            {"disable": disable_accounts, "enable": enable_accounts, "delete": delete_accounts}[deed](**someone)
            return
        values: dict[str, dict[str, str]] = {
            "name": {"first_name": pick(["Cleo", "Ana"])},
            "address": {"email": f"hand{account.pk}@riverbend.example"},
            "type": {"user_type": pick(["Student", "Teacher"]), "grade": "", "position": ""},
            "status": {"status": pick(["Active", "Disabled"])},
            "move": {"school_district_external_id": pick(["N1", "S1"])},
            "id": {"custom_id": f"{account.custom_id}x"},
            "protect": {},
        }
        is_protected = True if deed == "protect" else None
        update_account(account=account, values=values[deed], is_protected=is_protected, actor=self.actor, now=self.now)


def expected_state(before: State | None, after: State, now: State, edited: set[str]) -> State | None:
    """What an undo makes of an account that its run changed. None: deleted, with whatever values."""
    if before is None or before["is_deleted"] > after["is_deleted"]:  # it was made or brought back
        return now if edited else {**before, "status": now["status"]} if before else None
    if "is_deleted" in edited or ("status" in edited and before["is_deleted"] < after["is_deleted"]):
        return now
    kept = set(edited)
    crosses = (before["user_type"] == "Student") != (after["user_type"] == "Student")
    if crosses and not edited.isdisjoint(TYPED):
        kept |= {name for name in TYPED if before[name] != after[name]}
    return {name: now[name] if name in kept or before[name] == after[name] else before[name] for name in now}


def is_gone(state: State | None) -> bool:
    return state is None or state["is_deleted"] == "True"


def random_undo(district: Org, actor: Account, seed: int, now: datetime) -> None:
    """Apply a random file, change people by hand, undo the file, and compare each account."""
    place = District(district, actor, random.Random(seed), now)
    for mode in ("partial", "full"):
        imported(district, *place.roster(), mode=mode, now=place.now)
    place.edit()
    mode = place.random.choice(["partial", "full", "students", "staff"])
    rows = place.roster_of(mode)
    before = accounts_now(district.school_system)
    run = imported(district, *rows, mode=mode, now=now + HOUR)
    after = accounts_now(district.school_system)
    place.edited.clear()
    place.now = now + 2 * HOUR
    place.edit()
    edited_now = accounts_now(district.school_system)
    if why_not(run, now=place.now):
        return
    undo = undone(run, actor, now + 3 * HOUR)
    assert undo.state == "applied"
    told = {row.custom_id: row for row in rows_of(undo)}
    for pk, found in accounts_now(district.school_system).items():
        row, was = told.get(found["custom_id"]), before.get(pk)
        edited = {name for other, name in place.edited if other == pk}
        expected: State | None = edited_now[pk]
        if was != after[pk] and "is_protected" not in edited and not (row and row.action == "failed"):
            expected = expected_state(was, after[pk], edited_now[pk], edited)
        assert found == expected or (expected is None and is_gone(found)), (
            seed,
            was,
            after[pk],
            edited_now[pk],
            edited,
        )
        if was != after[pk] and found != was and not (is_gone(found) and is_gone(was)):
            assert row is not None, (seed, found)
            assert row.message, (seed, found)
    touched = {edited_now[pk]["custom_id"] for pk, _ in place.edited}
    touched |= {custom_id for custom_id, row in told.items() if row.action == "failed"}
    assert_done_again(run, rows, touched, now + 4 * HOUR)


def assert_done_again(run: Run, rows: list[dict[str, str]], touched: set[str], now: datetime) -> None:
    """The same file would do the same to everybody whom nobody has touched."""
    needs_approval(run.scope_org, run.mode)
    again = sync(run.scope_org, *rows, mode=run.mode, now=now)
    done, planned = ({row.custom_id: row for row in rows_of(each)} for each in (run, again))
    for custom_id, row in done.items():
        if custom_id in touched or "failed" in (row.action, planned[custom_id].action):
            continue
        assert planned[custom_id].action == ("restore" if row.action == "create" else row.action), custom_id
        if row.action == "update":
            assert planned[custom_id].changes == row.changes


@both_databases
@pytest.mark.parametrize("seed", range(1, 2))
def test_random_runs_are_undone(
    district: Org, alice: Account, north: Org, south: Org, now: datetime, seed: int
) -> None:
    random_undo(district, alice, seed, now)


@both_databases
@pytest.mark.night
@pytest.mark.parametrize("seed", range(2, 2 + 5 * TIMES))
def test_many_random_runs_are_undone(
    district: Org, alice: Account, north: Org, south: Org, now: datetime, seed: int
) -> None:
    random_undo(district, alice, seed, now)


def state_of(custom_id: str) -> str:
    account = Account.objects.get(custom_id=custom_id)
    return "Deleted" if account.deleted_at else account.status


@pytest.fixture
def cut_off(district: Org, north: Org, alice: Account, now: datetime) -> Run:
    """An applied students run: S5 to S9 left, S0 is renamed, N1 is new."""
    rows = [student(f"S{number}") for number in range(10)]
    imported(district, *rows, now=now)
    renamed = {**rows[0], "last_name": "Adeyemi"}
    return imported(district, renamed, *rows[1:5], student("N1"), mode="students", now=now + HOUR)


def test_undo_waits_for_a_person(cut_off: Run, district: Org, alice: Account, now: datetime) -> None:
    needs_approval(district, "students", required=False)
    undo = planned_undo(cut_off, alice, now + 2 * HOUR)
    assert undo.state in ("waiting", "held")
    assert [undo.counts[name] for name in ("update", "restore", "delete")] == [1, 5, 1]
    assert planned_undo(cut_off, alice, now + 2 * HOUR) == undo
    renamed = Account.objects.get(custom_id="S0")
    update_account(account=renamed, values={"last_name": "Ibarra"}, actor=alice, now=now + 2 * HOUR)
    assert approved(undo, alice, now + 3 * HOUR).state in ("waiting", "held")
    assert state_of("S9") == "Deleted"
    assert approved(undo, alice, now + 4 * HOUR).state == "applied"
    assert (state_of("S9"), state_of("N1")) == ("Active", "Deleted")
    kept = next(row for row in rows_of(undo) if row.custom_id == "S0")
    assert (kept.action, kept.codes) == ("ignored", ("undo.changed_since",))
    assert 'last_name (now "Ibarra", then "Okafor")' in kept.message
    redo = undone(undo, alice, now + 5 * HOUR)
    assert [redo.counts[name] for name in ("update", "restore", "delete")] == [0, 1, 5]
    assert (state_of("S9"), state_of("N1")) == ("Deleted", "Active")


@pytest.mark.night
def test_undo_of_a_run_that_left_the_history(cut_off: Run, alice: Account, as_alice: Client, now: datetime) -> None:
    undo = planned_undo(cut_off, alice, now)
    Run.objects.filter(pk=cut_off.pk).delete()
    assert settings_of(Run.objects.get(pk=undo.pk)).mode == "full"
    assert as_alice.get(f"/runs/{undo.pk}/approve").status_code == 200


def test_small_undo_waits_though_its_mode_needs_no_approval(
    district: Org, north: Org, alice: Account, now: datetime
) -> None:
    rows = [student(f"S{number}") for number in range(3)]
    imported(district, *rows, now=now)
    needs_approval(district, "students", required=False)
    renamed = imported(district, {**rows[0], "last_name": "Adeyemi"}, *rows[1:], mode="students", now=now + HOUR)
    assert planned_undo(renamed, alice, now + 2 * HOUR).state == "waiting"


def test_newcomer_who_claimed_the_account_stays(cut_off: Run, alice: Account, now: datetime) -> None:
    newcomer = Account.objects.get(custom_id="N1")
    (shown,) = make_claim_codes(accounts=[newcomer], valid_for=HOUR, actor=alice, now=now + HOUR)
    password = "Grey-harbour-12"
    someone: dict[str, Any] = {"school_system": newcomer.school_system, "place": "192.0.2.1", "now": now + HOUR}
    claim_account(name="N1", code=shown.secret, password=password, **someone)
    undo = undone(cut_off, alice, now + 2 * HOUR)
    (row,) = (row for row in rows_of(undo) if row.custom_id == "N1")
    assert (row.action, row.codes, state_of("N1"), state_of("S9")) == ("ignored", ("undo.claimed",), "Active", "Active")
    assert row.message.startswith("The person has claimed the account since")


def test_last_manager_stays_and_the_undo_says_so(cut_off: Run, district: Org, alice: Account, now: datetime) -> None:
    newcomer = Account.objects.get(custom_id="N1")
    give_right(account=newcomer, org=district, actor=alice, now=now + HOUR)
    undo = ask_undo(run=cut_off, by=alice, now=now + 2 * HOUR)
    Account.objects.filter(rights__org=district).exclude(pk=newcomer.pk).update(status="Disabled")
    work_until_idle(clock=lambda: now + 2 * HOUR)
    undo.refresh_from_db()
    (row,) = (row for row in rows_of(undo) if row.custom_id == "N1")
    assert (row.action, row.codes) == ("ignored", ("account.last_manager",))


@pytest.mark.both_databases_at_night
def test_people_who_cannot_simply_come_back(
    district: Org, north: Org, south: Org, alice: Account, now: datetime
) -> None:
    rows = [student(f"S{number}") for number in range(4)]
    imported(district, *rows, now=now)
    disable_accounts(accounts=[Account.objects.get(custom_id="S2")], actor=alice, now=now)
    moved = {**rows[0], "school_district_external_id": "S1"}
    run = imported(district, moved, rows[1], mode="students", now=now + HOUR)
    update_org(org=north, name=north.name, external_id="N9", actor=alice, now=now + HOUR)
    update_org(org=south, name=south.name, external_id="N1", actor=alice, now=now + HOUR)
    someone: dict[str, Any] = {"school_system": north.school_system, "org": north, "password": None}
    same_address = {**student("X1", org="N9"), "email": "s3@riverbend.example"}
    create_account(values=same_address, actor=alice, now=now + HOUR, **someone)
    undo = undone(run, alice, now + 2 * HOUR)
    assert (undo.counts["restore"], undo.counts["failed"], state_of("S3")) == (1, 1, "Deleted")
    failed = next(row for row in rows_of(undo) if row.action == "failed")
    holder = "belongs to the account with ID X1, which keeps it (email.taken)."
    assert failed.message == f'Email: "s3@riverbend.example" {holder}'
    account = Account.objects.get(custom_id="S2")
    assert (account.deleted_at, account.status, account.is_held_by_hand) == (None, "Disabled", True)
    assert Account.objects.get(custom_id="S0").org == north


@pytest.mark.night
def test_runs_that_cannot_be_taken_back(cut_off: Run, alice: Account, bob: Account, now: datetime) -> None:
    with pytest.raises(RunClosed, match="more than 30 days ago"):
        ask_undo(run=cut_off, by=alice, now=now + timedelta(days=31))
    with pytest.raises(NotPermitted):
        ask_undo(run=cut_off, by=bob, now=now + HOUR)
    assert "was not applied" in why_not(Run(state="waiting"), now=now)
    assert "No account was changed" in why_not(Run(state="applied", applied_at=now), now=now)


@pytest.mark.night
def test_every_guard_can_judge_an_undo(
    cut_off: Run, alice: Account, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also one that only a large undo needs: it must find the tables that a file would have made."""
    monkeypatch.setattr(guard, "_may_hold", lambda *_, **__: True)
    assert planned_undo(cut_off, alice, now + 2 * HOUR).state in ("waiting", "held")


@pytest.mark.night
def test_pages_lead_to_undo_and_back(cut_off: Run, as_alice: Client, alice: Account) -> None:
    Run.objects.filter(pk=cut_off.pk).update(applied_at=timezone.now())
    assert f'href="/runs/{cut_off.pk}/undo"' in as_alice.get(f"/runs/{cut_off.pk}").content.decode()
    gone = Account.objects.get(custom_id="S9")
    assert "by which 5 people left" in as_alice.get(f"/members/{gone.pk}").content.decode()
    page = as_alice.get(f"/runs/{cut_off.pk}/undo").content.decode()
    assert "1 created, 1 updated, 5 deleted" in page
    assert "Plan to bring back only the 5 people who left" in page
    asked = as_alice.post(f"/runs/{cut_off.pk}/undo", {"what": "leavers"})
    begun = Run.objects.latest("pk")
    assert (asked.headers["Location"], begun.mode, begun.based_on) == (f"/runs/{begun.pk}", "restore", cut_off)
    work_until_idle()
    of_undo = as_alice.get(f"/runs/{begun.pk}").content.decode()
    assert f'href="/runs/{cut_off.pk}"' in of_undo
    assert "The next Student Only file that still says the same does it again (5 deleted)." in of_undo
    assert f'href="/runs/{begun.pk}"' in as_alice.get(f"/runs/{cut_off.pk}").content.decode()
    of_mode = as_alice.get("/bulk/history?mode=restore").content.decode()
    assert (f'href="/runs/{begun.pk}"' in of_mode, f'href="/runs/{cut_off.pk}"' in of_mode) == (True, False)
    begun.refresh_from_db()
    approved(begun, alice, timezone.now())
    assert (state_of("S9"), state_of("N1")) == ("Active", "Active")
    assert Account.objects.get(custom_id="S0").last_name == "Adeyemi"


@pytest.mark.parametrize("only_leavers", [True, *at_night(False)])
def test_whoever_asks_for_an_undo_is_its_sender(
    cut_off: Run, district: Org, as_alice: Client, alice: Account, bob: Account, now: datetime, only_leavers: bool
) -> None:
    """Where the mode needs two persons, an undo does too, and the undo of the undo."""
    give_right(account=bob, org=district, actor=alice, now=now)
    ModeSettings.objects.filter(mode="students").update(needs_two_persons=True)
    Run.objects.filter(pk=cut_off.pk).update(applied_at=timezone.now())
    cut_off.refresh_from_db()
    to_undo = cut_off
    for leavers in (only_leavers, False):
        undo = planned_undo(to_undo, alice, timezone.now(), only_leavers=leavers)
        page = as_alice.get(f"/runs/{undo.pk}").content.decode()
        assert f"You asked for this, and the mode of run {to_undo.pk} needs two persons" in page
        form = {"digest": undo.plan_digest, "reason": "the file was cut off"}
        refused = as_alice.post(f"/runs/{undo.pk}/approve", form).content.decode()
        assert "the person who asks may not approve" in refused
        undo.refresh_from_db()
        assert undo.state in ("waiting", "held")
        to_undo = approved(undo, bob, timezone.now())
        assert to_undo.state == "applied"


def test_key_asks_and_cannot_approve(
    cut_off: Run, district: Org, district_key: str, alice: Account, client: Client, settings: Settings
) -> None:
    settings.SIS_SYNC_OPEN_FILES = 1
    Run.objects.filter(pk=cut_off.pk).update(applied_at=timezone.now())
    scopes, now = ("upload", "read"), timezone.now()
    _, weak = create_key(
        school_system=district.school_system, org=district, name="weak", scopes=scopes, actor=alice, now=now
    )
    address = f"/api/v1/runs/{cut_off.pk}/undo"
    assert client.post(address, headers={"Authorization": f"Bearer {weak}"}).status_code == 403
    strong = {"Authorization": f"Bearer {district_key}"}
    asked = client.post(address, headers=strong)
    assert (asked.status_code, asked.json()["mode"]) == (202, "undo")
    assert client.post(address, headers=strong).json()["id"] == asked.json()["id"]
    assert client.post(f"{address}?only_leavers=true", headers=strong).status_code == 429
    work_until_idle()
    run = Run.objects.get(pk=asked.json()["id"])
    approval = {"digest": run.plan_digest}
    answer = client.post(f"/api/v1/runs/{run.pk}/approve", approval, content_type="application/json", headers=strong)
    assert (answer.status_code, state_of("S9")) == (403, "Deleted")


def test_sender_learns_no_numbers_of_an_undo(cut_off: Run, district: Org, alice: Account, client: Client) -> None:
    """Who comes back are people who were in no row of its file, so own results tell nothing about them."""
    scopes, now = ("upload", "approve", "own_results"), timezone.now()
    key, secret = create_key(
        school_system=district.school_system, org=district, name="own", scopes=scopes, actor=alice, now=now
    )
    Run.objects.filter(pk=cut_off.pk).update(applied_at=now, api_key=key)
    headers = {"Authorization": f"Bearer {secret}"}
    asked = client.post(f"/api/v1/runs/{cut_off.pk}/undo", headers=headers).json()
    work_until_idle()
    assert Run.objects.get(pk=asked["id"]).counts["restore"] == 5
    seen = client.get(f"/api/v1/runs/{asked['id']}", headers=headers).json()
    assert (seen["counts"], seen["findings"]) == ({}, {})
    assert client.get(f"/api/v1/runs/{asked['id']}/results.csv", headers=headers).status_code == 404
