"""The setting "update passwords" of a mode: files that set the passwords of people who have an account."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from kit.rosters import approved, imported, needs_approval, roster, save_mode_settings, send, settled, student, sync
from pytest_django.fixtures import Settings

from sis_sync.server.accounts.first_sign_in import make_claim_codes
from sis_sync.server.accounts.models import Account, ClaimCode, FilePassword
from sis_sync.server.accounts.sealed_passwords import KEY_FOLDER
from sis_sync.server.accounts.services import disable_accounts, enable_accounts, set_password, update_account
from sis_sync.server.audit.models import AccountChange
from sis_sync.server.keys.models import ApiKey
from sis_sync.server.keys.services import create_key
from sis_sync.server.orgs.models import Org, Right
from sis_sync.server.orgs.services import give_right
from sis_sync.server.runs import flow, passwords
from sis_sync.server.runs.approval import approve_run
from sis_sync.server.runs.cancel import cancel_run
from sis_sync.server.runs.models import ModeSettings, Run
from sis_sync.server.runs.results import results_of
from sis_sync.server.runs.undo import ask_undo

pytestmark = pytest.mark.django_db
BOTH = pytest.mark.both_databases
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


@pytest.fixture(autouse=True)
def own_data_folder(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.SIS_SYNC_DATA_FOLDER = tmp_path
    monkeypatch.setattr(passwords, "SLICE_SECONDS", 3600.0)


@pytest.fixture
def pupils(district: Org, north: Org, now: datetime) -> list[dict[str, str]]:
    """Three pupils without a password, in a mode whose files set passwords without approval."""
    rows = [student(f"S{number}") for number in range(3)]
    imported(district, *rows, now=now - DAY)
    needs_approval(district, "partial", required=False, sets_passwords="on")
    return rows


@pytest.fixture
def key(district: Org, alice: Account, now: datetime) -> ApiKey:
    made, _ = create_key(school_system=district.school_system, org=district, name="pc", actor=alice, now=now)
    return made


def brought(*rows: dict[str, str], word: str = "Grey-harbour", **each: str) -> bytes:
    """A file of these people, each with the password of its ID in `each`, or one made of `word` and the ID."""
    rows = tuple({**row, "password": each.get(row["custom_id"], f"{word}-{row['custom_id']}")} for row in rows)
    return roster(*rows, extra=("password",))


def account(custom_id: str = "S1") -> Account:
    return Account.objects.get(custom_id=custom_id)


def has(password: str, custom_id: str = "S1") -> bool:
    return account(custom_id).check_password(password)


def guards_of(run: Run) -> list[str]:
    return [hit["code"] for hit in run.guards]


def outcome_of(custom_id: str) -> str:
    return FilePassword.objects.get(account__custom_id=custom_id).outcome


@BOTH
def test_only_another_password_than_the_last_is_set(
    pupils: list[dict[str, str]], district: Org, alice: Account, now: datetime, client: Client
) -> None:
    pair = {"email": "s1@riverbend.example", "password": "Grey-harbour-S1"}
    run = sync(district, content=brought(*pupils), now=now)
    assert (run.state, run.passwords_of_existing, run.counts["unchanged"]) == ("applied", 3, 3)
    assert client.post("/sign-in/riverbend", pair).status_code == 303
    change = AccountChange.objects.get(account=account(), action="password")
    assert (change.run_id, change.line, change.before, change.after) == (run.pk, 3, {}, {})
    set_password(account=account(), password="My-own-lighthouse-7", actor=account(), now=now + HOUR)
    make_claim_codes(accounts=[account("S2")], valid_for=DAY * 30, actor=alice, now=now + HOUR)
    again = sync(district, content=brought(*pupils), now=now + DAY)
    assert (again.state, again.passwords_of_existing, again.decided_by) == ("applied", 0, None)
    assert has("My-own-lighthouse-7")
    signed_in = Client()
    assert signed_in.post("/sign-in/riverbend", {**pair, "password": "My-own-lighthouse-7"}).status_code == 303
    third = sync(district, content=brought(*pupils, S1="Red-harbour-8"), now=now + 2 * DAY)
    assert (third.passwords_of_existing, has("Red-harbour-8")) == (1, True)
    assert signed_in.get(reverse("web:profile")).status_code == 302  # the session has ended
    assert ClaimCode.objects.count() == 1
    sync(district, content=brought(*pupils, S1="Red-harbour-8", S2="Blue-harbour-9"), now=now + 3 * DAY)
    assert not ClaimCode.objects.exists()


@pytest.mark.night
@BOTH
def test_no_password_where_the_setting_is_off(pupils: list[dict[str, str]], district: Org, now: datetime) -> None:
    needs_approval(district, "partial", required=False, sets_passwords="off")
    run = sync(district, content=brought(*pupils, student("S9")), now=now)
    assert (run.newcomers_with_password, run.passwords_of_existing) == (1, 0)
    assert has("Grey-harbour-S9", "S9")
    assert not account().has_usable_password()


def test_never_for_an_account_with_rights(
    pupils: list[dict[str, str]], district: Org, north: Org, alice: Account, now: datetime
) -> None:
    for each, org in (("S0", district), ("S1", north)):
        give_right(account=account(each), org=org, actor=alice, now=now)
    run = sync(district, content=brought(*pupils), now=now)
    assert (run.passwords_of_existing, has("Grey-harbour-S2", "S2")) == (1, True)
    assert not any(account(each).has_usable_password() for each in ("S0", "S1"))


@BOTH
def test_rights_that_came_later_keep_the_password(
    pupils: list[dict[str, str]], district: Org, north: Org, alice: Account, now: datetime
) -> None:
    needs_approval(district, "partial")
    run = sync(district, content=brought(*pupils), now=now)
    give_right(account=account("S1"), org=north, actor=alice, now=now)
    run = approved(run, alice, now)
    assert (run.state, run.passwords_of_existing) == ("waiting", 2)  # planned again
    assert run.decision_reason == "1 accounts that it touches have rights now"
    approve_run(run=run, digest=run.plan_digest, by=alice, now=now)
    flow.apply_run(run.pk, now=now)
    give_right(account=account("S2"), org=north, actor=alice, now=now)
    settled(run, now=now)
    assert (has("Grey-harbour-S0", "S0"), outcome_of("S2")) == (True, "not_needed")
    assert not any(account(each).has_usable_password() for each in ("S1", "S2"))
    Right.objects.filter(account=account("S2")).delete()
    assert sync(district, content=brought(*pupils), now=now + DAY).passwords_of_existing == 1


@BOTH
def test_own_password_since_the_file_came_stays(
    pupils: list[dict[str, str]], district: Org, alice: Account, now: datetime
) -> None:
    needs_approval(district, "partial")
    run = sync(district, content=brought(*pupils), now=now)
    set_password(account=account("S0"), password="My-own-lighthouse-7", actor=account("S0"), now=now + HOUR)
    approve_run(run=run, digest=run.plan_digest, by=alice, now=now + 2 * HOUR)
    flow.apply_run(run.pk, now=now + 2 * HOUR)
    assert (outcome_of("S0"), outcome_of("S1")) == ("overtaken", "waiting")
    set_password(account=account("S1"), password="Two-own-lighthouses", actor=account("S1"), now=now + 3 * HOUR)
    settled(run, now=now + 4 * HOUR)
    assert [outcome_of(each) for each in ("S0", "S1", "S2")] == ["not_needed", "not_needed", "set"]
    assert has("My-own-lighthouse-7", "S0")
    assert has("Two-own-lighthouses", "S1")
    later = sync(district, content=brought(*pupils), now=now + DAY)
    assert (later.state, later.passwords_of_existing) == ("applied", 0)


@pytest.mark.night
@BOTH
def test_password_that_waits_counts_as_brought(
    pupils: list[dict[str, str]], district: Org, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as busy:  # nothing is hashed yet
        busy.setattr(passwords, "prepare_passwords", lambda *_a, **_k: True)
        first = send(district, content=brought(*pupils), now=now)
        flow.plan_run(first.pk, now=now)
        flow.apply_run(first.pk, now=now)
        second = send(district, content=brought(*pupils, S1="Red-harbour-8"), now=now + HOUR)
        flow.plan_run(second.pk, now=now + HOUR)
        flow.apply_run(second.pk, now=now + HOUR)
    second.refresh_from_db()
    assert (second.state, second.passwords_of_existing) == ("applied", 1)
    settled(second, now=now + 2 * HOUR)
    assert has("Red-harbour-8")
    assert has("Grey-harbour-S2", "S2")


@pytest.mark.night
@BOTH
def test_older_plan_does_not_set_an_older_password(
    pupils: list[dict[str, str]], district: Org, alice: Account, now: datetime
) -> None:
    needs_approval(district, "partial")
    older = sync(district, content=brought(*pupils), now=now)
    newer = sync(district, content=brought(pupils[1], word="Red-harbour"), now=now + HOUR)
    assert approved(newer, alice, now + HOUR).state == "applied"
    older = approved(older, alice, now + 2 * HOUR)
    assert (older.state, has("Red-harbour-S1")) == ("waiting", True)
    assert older.decision_reason == "a newer file over the same accounts was applied since"


def test_more_than_20_in_a_week_wait_for_a_person(
    district: Org, north: Org, alice: Account, key: ApiKey, now: datetime
) -> None:
    rows = [student(f"S{number:02}") for number in range(42)]
    imported(district, *rows, now=now - DAY)
    needs_approval(district, "partial", required=False, sets_passwords="on")
    first = sync(district, content=brought(*rows[:12]), by=key, now=now)
    assert (first.state, first.passwords_of_existing) == ("applied", 12)
    with_names = [{**row, "last_name": "Moss"} for row in rows[12:20]]
    assert sync(district, content=brought(*with_names), now=now + DAY).state == "applied"
    held = sync(district, content=brought(rows[20]), by=key, now=now + 2 * DAY)
    assert (held.state, guards_of(held)) == ("held", ["guard.passwords"])
    assert held.guards[0]["message"].startswith(
        "With this run, 21 people who have an account would have got a password"
    )
    assert not account("S20").has_usable_password()
    assert sync(district, content=brought(rows[20]), now=now + 7 * DAY).state == "applied"  # 8 and 1


@pytest.mark.night
@BOTH
def test_sum_of_passwords_begins_anew(district: Org, north: Org, alice: Account, now: datetime) -> None:
    rows = [student(f"S{number:02}") for number in range(21)]
    imported(district, *rows, now=now - DAY)
    needs_approval(district, "partial", required=False, sets_passwords="on")
    held = sync(district, content=brought(*rows), now=now)
    assert held.state == "held"
    assert approved(held, alice, now).state == "applied"
    assert sync(district, content=brought(*rows[1:], word="Red"), now=now + HOUR).state == "applied"
    assert sync(district, content=brought(rows[0], word="Red"), now=now + 2 * HOUR).state == "held"


def test_key_learns_no_password_by_trying(
    pupils: list[dict[str, str]], district: Org, alice: Account, key: ApiKey, now: datetime
) -> None:
    sync(district, content=brought(*pupils), now=now)
    needs_approval(district, "partial", sets_passwords="on")
    tried = {"mode": "partial", "state": "cancelled", "passwords_of_existing": 1, "received_at": now}
    values = {"school_system": district.school_system, "scope_org": district, "file_size_bytes": 1, "api_key": key}
    Run.objects.bulk_create(Run(**values, **tried) for _ in range(20))
    run = sync(district, content=brought(pupils[1], S1="a guess"), by=key, now=now + HOUR)
    assert cancel_run(run=run, by=key, now=now + HOUR).state == "cancelled"
    right = sync(district, content=brought(pupils[1]), by=key, now=now + 2 * HOUR)
    assert (right.state, right.passwords_of_existing, guards_of(right)) == ("held", 0, ["guard.passwords"])
    assert right.guards[0]["message"].startswith("With this run, 21 files of API keys would have set other passwords")
    plain = sync(district, student("S1"), by=key, now=now + 3 * HOUR)
    assert plain.state == "applied"  # it brings none
    needs_approval(district, "partial", required=False, sets_passwords="on")
    approved(right, alice, now + 4 * HOUR)
    assert sync(district, content=brought(pupils[1]), by=key, now=now + 5 * HOUR).state == "applied"  # anew


@pytest.mark.night
def test_disabled_people_get_it_once_they_are_active(
    pupils: list[dict[str, str]], district: Org, alice: Account, now: datetime
) -> None:
    off = {**pupils[0], "status": "Disabled"}
    disable_accounts(accounts=[account("S1")], actor=alice, now=now)
    run = sync(district, content=brought(off, *pupils[1:]), now=now)
    assert (run.passwords_of_existing, run.counts["update"], run.counts["ignored"]) == (1, 1, 1)
    enable_accounts(accounts=[account("S1")], actor=alice, now=now)
    run = sync(district, content=brought(*pupils), now=now + DAY)
    assert (run.passwords_of_existing, run.counts["update"]) == (2, 1)
    assert has("Grey-harbour-S0", "S0")


@pytest.mark.night
def test_rows_that_are_not_taken_set_none(pupils: list[dict[str, str]], district: Org, now: datetime) -> None:
    wrong = {**pupils[0], "grade": "99"}
    run = sync(district, content=brought(wrong, pupils[1], pupils[1], S1="Grey-harbour-S1"), now=now)
    assert (run.passwords_of_existing, run.counts["failed"], run.counts["ignored"]) == (1, 1, 1)
    assert not account("S0").has_usable_password()


@pytest.mark.night
def test_plan_made_again_sets_the_same(
    pupils: list[dict[str, str]], district: Org, alice: Account, now: datetime
) -> None:
    needs_approval(district, "partial")
    run = sync(district, content=brought(*pupils, {**student("S9"), "last_name": "Moss"}), now=now)
    digest = run.plan_digest
    flow.plan_again(run.pk, reason="a test", now=now, states=(run.state,))
    run = settled(run, now=now)
    assert (run.plan_digest, run.passwords_of_existing, run.newcomers_with_password) == (digest, 3, 1)
    update_account(account=account("S1"), values={"last_name": "Moss"}, actor=alice, now=now + HOUR)
    assert approved(run, alice, now + HOUR).state == "waiting"  # an account that it touches was changed by hand
    assert approved(run, alice, now + HOUR).state == "applied"
    assert all(has(f"Grey-harbour-S{number}", f"S{number}") for number in (0, 1, 2, 9))


@pytest.mark.night
def test_results_do_not_show_it(pupils: list[dict[str, str]], district: Org, now: datetime) -> None:
    run = sync(district, content=brought(*pupils), now=now)
    plain = sync(district, *pupils, now=now + HOUR)
    for is_whole in (True, False):
        with_it, without = (results_of(each, is_whole=is_whole).read_bytes() for each in (run, plain))
        assert with_it == without
    assert b"harbour" not in run.plan_digest.encode() + results_of(run).read_bytes()


@pytest.mark.night
def test_lost_key_of_the_fingerprints(
    pupils: list[dict[str, str]], district: Org, now: datetime, tmp_path: Path
) -> None:
    sync(district, content=brought(*pupils), now=now)
    (tmp_path / KEY_FOLDER / "fingerprints").unlink()  # the server was restored from a backup
    run = sync(district, content=brought(*pupils), now=now + DAY)
    assert (run.state, run.passwords_of_existing) == ("applied", 3)
    assert sync(district, content=brought(*pupils), now=now + 2 * DAY).passwords_of_existing == 0


def test_what_the_pages_say(
    pupils: list[dict[str, str]], district: Org, alice: Account, as_alice: Client, now: datetime
) -> None:
    needs_approval(district, "partial")
    run = sync(district, content=brought(*pupils), now=now)
    page = as_alice.get(reverse("web:approve", args=[run.pk])).content.decode()
    assert "3 people get the password of this file. Nothing else would change." in page
    assert "Approve: set 3 passwords" in page
    assert "<b>Get a password: 3</b>" in page
    assert "Grey-harbour" not in page
    run = approved(run, alice, now)
    page = as_alice.get(reverse("web:run", args=[run.pk])).content.decode()
    assert "This file brought another password for 3 people who have an account." in page
    assert "No changes" not in page
    page = as_alice.get(reverse("web:undo", args=[run.pk])).content.decode()
    assert "Old passwords cannot be put back." in page
    history = as_alice.get(reverse("web:account_history", args=[account().pk])).content.decode()
    assert "Password changed" in history


@pytest.mark.night
def test_undo_says_that_old_passwords_do_not_come_back(
    pupils: list[dict[str, str]], district: Org, alice: Account, as_alice: Client, now: datetime
) -> None:
    run = sync(district, content=brought({**pupils[0], "last_name": "Moss"}, pupils[1]), now=now)
    Run.objects.filter(pk=run.pk).update(applied_at=timezone.now())
    assert "2 people got the password" in as_alice.get(reverse("web:undo", args=[run.pk])).content.decode()
    undone = settled(ask_undo(run=run, by=alice, now=now), now=now)
    page = as_alice.get(reverse("web:approve", args=[undone.pk])).content.decode()
    assert f"Run {run.pk} brought passwords for 2 people. Their old passwords do not come back." in page
    approved(undone, alice, now)
    assert (account("S0").last_name, has("Grey-harbour-S0", "S0")) == ("Okafor", True)


def test_switching_it_on_warns(district: Org, as_alice: Client) -> None:
    address = reverse("web:mode_settings", args=["partial"])
    values = {"failed_rows_percent": "5", "requires_approval": "on", "sets_passwords": "on"}
    review = as_alice.post(address, values).content.decode()
    assert "Whoever sends a file of this mode then chooses passwords of people who have an account" in review
    save_mode_settings(as_alice, "partial", values)
    assert ModeSettings.objects.get(school_system=district.school_system, mode="partial").sets_passwords == "on"
    assert "Update passwords: <strong>on</strong>" in as_alice.get(reverse("web:sync_settings")).content.decode()
