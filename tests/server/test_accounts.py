"""Accounts created and changed by hand: permission, validation, history."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.http import Http404

from sis_sync.core.errors import NotPermitted
from sis_sync.server.accounts.models import Account
from sis_sync.server.accounts.selectors import access_account, search_accounts
from sis_sync.server.accounts.services import (
    create_account,
    delete_accounts,
    disable_accounts,
    enable_accounts,
    restore_accounts,
    set_password,
    update_account,
)
from sis_sync.server.audit.models import AccountChange
from sis_sync.server.errors import ValuesRefused
from sis_sync.server.orgs.models import Org
from sis_sync.server.orgs.services import give_right

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases_at_night]

ELIF = {
    "first_name": " Elif ",
    "last_name": "O\u0308zkan",
    "email": "Elif@riverbend.example",
    "custom_id": "0042",
    "user_type": "student",
    "grade": "k",
    "position": "ignored for students",
}
ChangeMany = Callable[..., int]


def create(org: Org, actor: Account | None, now: datetime, **values: str) -> Account:
    return create_account(
        school_system=org.school_system, org=org, values=ELIF | values, password=None, actor=actor, now=now
    )


def test_values_follow_the_file_rules(north: Org, bob: Account, now: datetime) -> None:
    held = Account.objects.get(pk=create(north, bob, now).pk)
    assert (held.first_name, held.last_name, held.custom_id) == ("Elif", "\u00d6zkan", "0042")
    assert (held.user_type, held.grade, held.position, held.status) == ("Student", "K", "", "Active")
    assert not held.has_usable_password()
    change = AccountChange.objects.get(account=held)
    assert (change.action, change.actor, change.after["grade"]) == ("create", bob, "K")
    assert "middle_name" in change.after


def test_typed_account_logs_no_steps(north: Org, bob: Account, now: datetime, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "sis_sync"):
        create(north, bob, now)
    assert caplog.messages == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("first_name", " "),
        ("last_name", "x" * 101),
        ("email", ""),
        ("email", "elif@example"),
        ("user_type", "Janitor"),
        ("grade", "14"),
        ("status", "Retired"),
        ("custom_id", "N/A"),
        ("custom_id", "9" * 65),
    ],
)
def test_wrong_values_named_by_field(north: Org, bob: Account, now: datetime, field: str, value: str) -> None:
    with pytest.raises(ValuesRefused) as refused:
        create(north, bob, now, **{field: value})
    assert list(refused.value.errors) == [field]
    assert not Account.objects.filter(last_name="\u00d6zkan").exists()


@pytest.mark.parametrize("value", ["a\x00b", "a\x07b", "x" * 40_000, "\ud800"])
def test_values_not_text_are_refused(north: Org, bob: Account, now: datetime, value: str) -> None:
    with pytest.raises(ValuesRefused):
        create(north, bob, now, first_name=value)


@pytest.mark.parametrize("value", ['O"Brien, Jr.', "=SUM(A1)", "-", "Zo\u00eb\u200d Smith"])
def test_odd_names_are_kept(north: Org, bob: Account, now: datetime, value: str) -> None:
    assert create(north, bob, now, last_name=value).last_name == value


def test_account_without_an_id(north: Org, bob: Account, now: datetime) -> None:
    assert create(north, bob, now, custom_id="").custom_id is None
    assert create(north, bob, now, custom_id=" ", email="other@riverbend.example").custom_id is None
    assert search_accounts(actor=bob, without_id=True).count() == 2


def test_account_in_unnamed_school(north: Org, bob: Account, now: datetime) -> None:
    Org.objects.filter(pk=north.pk).update(external_id=None)
    north.refresh_from_db()
    assert create(north, bob, now).org == north


def test_move_between_schools_without_external_id_is_in_the_history(
    alice: Account, bob: Account, north: Org, south: Org, now: datetime
) -> None:
    Org.objects.filter(pk__in=[north.pk, south.pk]).update(external_id=None)
    account = create(Org.objects.get(pk=north.pk), bob, now)
    update_account(account=account, values={}, org=Org.objects.get(pk=south.pk), actor=alice, now=now)
    change = AccountChange.objects.filter(account=account).latest("pk")
    field = "school_district_external_id"
    old, new = (f"{each.name} (no external ID)" for each in (north, south))
    assert (change.action, change.before, change.after) == ("update", {field: old}, {field: new})


@pytest.mark.both_databases
def test_ids_and_addresses_are_unique(north: Org, bob: Account, charlie: Account, now: datetime) -> None:
    create(north, bob, now)
    with pytest.raises(ValuesRefused) as refused:
        create(north, bob, now, email="ELIF@Riverbend.example")
    assert set(refused.value.errors) == {"email", "custom_id"}
    assert create(charlie.org, charlie, now).school_system == charlie.school_system


def test_who_may_make_accounts_where(
    alice: Account, bob: Account, charlie: Account, dana: Account, south: Org, now: datetime
) -> None:
    for person in (bob, charlie, dana):
        with pytest.raises(NotPermitted):
            create(south, person, now)
    assert create(south, alice, now).org == south


@pytest.mark.both_databases
def test_foreign_account_looks_absent(alice: Account, bob: Account, charlie: Account, dana: Account) -> None:
    assert access_account(actor=alice, account_id=dana.pk) == dana
    assert access_account(actor=bob, account_id=str(dana.pk)) == dana
    for person, account_id in ((bob, alice.pk), (charlie, dana.pk), (dana, dana.pk), (alice, 10**9), (alice, "1 or 1")):
        with pytest.raises(Http404):
            access_account(actor=person, account_id=account_id)


@pytest.mark.both_databases
def test_search_by_all_criteria(
    alice: Account, bob: Account, charlie: Account, dana: Account, north: Org, south: Org, now: datetime
) -> None:
    student = create(south, alice, now)
    assert list(search_accounts(actor=alice)) == [alice, bob, dana, student]
    assert list(search_accounts(actor=bob)) == [bob, dana]
    assert list(search_accounts(actor=dana)) == []
    assert list(search_accounts(actor=alice, text="DAN dub")) == [dana]
    assert list(search_accounts(actor=alice, text="0042")) == [student]
    assert list(search_accounts(actor=alice, text="castillo")) == []
    assert list(search_accounts(actor=alice, text="da\x00na")) == []
    assert list(search_accounts(actor=alice, user_type="Student", org_id=south.pk)) == [student]
    delete_accounts(accounts=[student], actor=alice, now=now)
    assert student not in search_accounts(actor=alice)
    assert list(search_accounts(actor=alice, status="Deleted")) == [student]


def test_update_changes_named_fields_only(alice: Account, dana: Account, south: Org, now: datetime) -> None:
    update_account(account=dana, values={"last_name": "Dupont"}, actor=alice, now=now)
    dana.refresh_from_db()
    assert (dana.last_name, dana.first_name, dana.custom_id, dana.org.name) == (
        "Dupont",
        "Dana",
        "E-4",
        "North School",
    )
    change = AccountChange.objects.get(account=dana)
    assert (change.before, change.after) == ({"last_name": "Dubois"}, {"last_name": "Dupont"})
    update_account(account=dana, values={"last_name": "Dupont"}, actor=alice, now=now)
    assert AccountChange.objects.filter(account=dana).count() == 1


def test_move_needs_both_schools(alice: Account, bob: Account, dana: Account, south: Org, now: datetime) -> None:
    with pytest.raises(NotPermitted):
        update_account(account=dana, values={"school_district_external_id": "S1"}, actor=bob, now=now)
    moved = update_account(account=dana, values={"school_district_external_id": "S1"}, actor=alice, now=now)
    assert moved.org == south
    with pytest.raises(ValuesRefused):
        update_account(account=dana, values={"school_district_external_id": "X9"}, actor=alice, now=now)


def test_new_teacher_loses_the_grade(alice: Account, north: Org, now: datetime) -> None:
    student = create(north, alice, now)
    teacher = update_account(account=student, values={"user_type": "Teacher"}, actor=alice, now=now)
    assert (teacher.user_type, teacher.grade) == ("Teacher", "")


def test_protection_has_a_reason(alice: Account, dana: Account, now: datetime) -> None:
    protected = update_account(
        account=dana, values={}, actor=alice, now=now, is_protected=True, protected_reason="On leave"
    )
    assert (protected.is_protected, protected.protected_reason) == (True, "On leave")
    assert AccountChange.objects.get(account=dana).after == {"is_protected": True}


def test_greater_managers_are_not_changed(
    alice: Account, bob: Account, charlie: Account, dana: Account, district: Org, north: Org, now: datetime
) -> None:
    give_right(account=dana, org=district, actor=alice, now=now)
    for person in (bob, charlie):
        with pytest.raises(NotPermitted):
            update_account(account=dana, values={"email": "mine@riverbend.example"}, actor=person, now=now)
        with pytest.raises(NotPermitted):
            set_password(account=dana, password="correct horse battery", actor=person, now=now)
        with pytest.raises(NotPermitted):
            disable_accounts(accounts=[dana], actor=person, now=now)


@pytest.mark.both_databases
@pytest.mark.parametrize("change", [disable_accounts, delete_accounts])
def test_bulk_change_all_or_none(
    alice: Account, bob: Account, charlie: Account, dana: Account, north: Org, now: datetime, change: ChangeMany
) -> None:
    student = create(north, alice, now)
    for person, accounts in (
        (bob, [student, alice]),
        (charlie, [student]),
        (dana, [student]),
        (alice, [student, charlie]),
    ):
        with pytest.raises(NotPermitted):
            change(accounts=accounts, actor=person, now=now)
        student.refresh_from_db()
        assert student.is_active
    assert change(accounts=[student, dana], actor=bob, now=now) == 2
    assert change(accounts=[student, dana], actor=bob, now=now) == 0


def test_disabled_by_hand_stays_disabled(bob: Account, dana: Account, now: datetime) -> None:
    disable_accounts(accounts=[dana], actor=bob, now=now)
    dana.refresh_from_db()
    assert (dana.status, dana.is_held_by_hand, dana.is_active) == ("Disabled", True, False)
    enable_accounts(accounts=[dana], actor=bob, now=now)
    dana.refresh_from_db()
    assert (dana.status, dana.is_held_by_hand, dana.is_active) == ("Active", False, True)
    history = list(AccountChange.objects.filter(account=dana).order_by("id").values_list("action", "before", "after"))
    assert history == [
        ("disable", {"status": "Active"}, {"status": "Disabled"}),
        ("enable", {"status": "Disabled"}, {"status": "Active"}),
    ]


def test_disabling_again_by_hand_holds(bob: Account, north: Org, now: datetime) -> None:
    held = create(north, bob, now)
    Account.objects.filter(pk=held.pk).update(status="Disabled", is_held_by_hand=False)
    assert disable_accounts(accounts=[held], actor=bob, now=now) == 1
    assert disable_accounts(accounts=[held], actor=bob, now=now) == 0
    held.refresh_from_db()
    assert (held.status, held.is_held_by_hand) == ("Disabled", True)
    change = AccountChange.objects.filter(account=held, action="disable").get()
    assert (change.before, change.after) == ({"is_held_by_hand": False}, {"is_held_by_hand": True})


def test_update_disables_and_enables(bob: Account, dana: Account, now: datetime) -> None:
    assert update_account(account=dana, values={"status": "Disabled"}, actor=bob, now=now).is_held_by_hand
    assert not update_account(account=dana, values={"status": "active"}, actor=bob, now=now).is_held_by_hand


@pytest.mark.both_databases
def test_delete_frees_address_restore_retakes(alice: Account, dana: Account, north: Org, now: datetime) -> None:
    delete_accounts(accounts=[dana], actor=alice, now=now)
    with pytest.raises(NotPermitted):
        update_account(account=dana, values={"first_name": "D"}, actor=alice, now=now)
    with pytest.raises(ValuesRefused) as refused:
        create(north, alice, now, custom_id="E-4")
    assert "Restore" in refused.value.errors["custom_id"]
    successor = create(north, alice, now, email=dana.email.upper())
    dana.refresh_from_db()
    with pytest.raises(ValuesRefused):
        restore_accounts(accounts=[dana], actor=alice, now=now)
    delete_accounts(accounts=[successor], actor=alice, now=now)
    assert restore_accounts(accounts=[dana], actor=alice, now=now + timedelta(days=179)) == 1
    dana.refresh_from_db()
    assert (dana.is_active, dana.is_held_by_hand) == (True, False)


@pytest.mark.both_databases
def test_no_restore_after_180_days(alice: Account, dana: Account, now: datetime) -> None:
    delete_accounts(accounts=[dana], actor=alice, now=now)
    dana.refresh_from_db()
    with pytest.raises(ValuesRefused):
        restore_accounts(accounts=[dana], actor=alice, now=now + timedelta(days=180))
    assert create(dana.org, alice, now + timedelta(days=180), custom_id="E-4").custom_id == "E-4"


@pytest.mark.both_databases
def test_last_manager_stays(alice: Account, dana: Account, district: Org, now: datetime) -> None:
    for change in (disable_accounts, delete_accounts):
        with pytest.raises(NotPermitted):
            change(accounts=[alice, dana], actor=alice, now=now)
    with pytest.raises(NotPermitted):
        update_account(account=alice, values={"status": "Disabled"}, actor=alice, now=now)
    alice.refresh_from_db()
    dana.refresh_from_db()
    assert alice.is_active
    assert dana.is_active
    give_right(account=dana, org=district, actor=alice, now=now)
    assert disable_accounts(accounts=[alice], actor=dana, now=now) == 1


def test_people_set_their_password(
    alice: Account, bob: Account, charlie: Account, dana: Account, now: datetime
) -> None:
    set_password(account=dana, password="correct horse battery", actor=dana, now=now)
    set_password(account=dana, password="staple battery horse", actor=bob, now=now)
    for account, person in ((bob, dana), (dana, charlie), (alice, bob)):
        with pytest.raises(NotPermitted):
            set_password(account=account, password="correct horse battery", actor=person, now=now)
    for weak in ("short", "password123", "1234567890123", "dana.dubois"):
        with pytest.raises(ValuesRefused):
            set_password(account=dana, password=weak, actor=bob, now=now)
    dana.refresh_from_db()
    assert dana.password.startswith("argon2$argon2id$")
    assert dana.check_password("staple battery horse")
    changes = AccountChange.objects.filter(account=dana, action="password").order_by("id")
    assert [(change.actor, change.before, change.after) for change in changes] == [(dana, {}, {}), (bob, {}, {})]
