"""Members > User Admin."""

import html
import re
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest
from django.test import Client
from django.utils import timezone
from kit.plans import at_night
from kit.rosters import imported, student, sync

from sis_sync.server.accounts.edited_names import name_edits
from sis_sync.server.accounts.models import Account
from sis_sync.server.accounts.services import create_account, delete_accounts
from sis_sync.server.audit.models import AccountChange
from sis_sync.server.orgs.models import Org, Right


def make_account(org: Org, first_name: str, last_name: str, custom_id: str | None, **values: str) -> Account:
    """An account at `org`, a teacher unless `values` say otherwise."""
    names = {
        "first_name": first_name,
        "last_name": last_name,
        "email": f"{first_name}.{last_name}@riverbend.example".lower(),
        "custom_id": custom_id or "",
        "user_type": "Teacher",
    }
    now = datetime(2026, 9, 1, tzinfo=UTC)
    return create_account(
        school_system=org.school_system, org=org, values=names | values, password=None, actor=None, now=now
    )


def listed(client: Client, query: str = "") -> str:
    return client.get(f"/members{query}").content.decode()


def make_students(north: Org, number: int) -> list[Account]:
    rows = [student(f"S{index:03}", f"Okafor{index:03}") for index in range(number)]
    imported(north, *rows, now=datetime(2026, 9, 1, tzinfo=UTC))
    return list(Account.objects.filter(custom_id__startswith="S").order_by("last_name"))


def test_managers_see_their_people(client: Client, alice: Account, bob: Account, dana: Account) -> None:
    client.force_login(alice)
    assert "<strong>3</strong> people" in listed(client)
    client.force_login(bob)
    page = listed(client)
    assert "<strong>2</strong> people" in page
    assert "Abara" not in page


def test_address_has_filters_without_text(as_alice: Client, dana: Account, north: Org) -> None:
    values = {"text": "Dubois", "type": "Teacher", "school": str(north.pk)}
    response = as_alice.post("/members/search", values)
    address = response.headers["Location"]
    assert response.status_code == 303
    assert "Dubois" not in address
    assert f"type=Teacher&school={north.pk}&search=" in address
    page = as_alice.get(address).content.decode()
    assert "<strong>1</strong> person found for “Dubois”" in page
    assert 'value="Dubois"' in page
    assert "Abara" not in page.split("<main", 1)[1]
    assert "Dubois, Dana" in page


def test_htmx_search_pushes_list_address(as_alice: Client, dana: Account) -> None:
    headers = {"HX-Request": "true"}
    response = as_alice.post("/members/search", {"text": "dubois"}, headers=headers, follow=True)
    assert 'id="people"' in response.content.decode()
    assert urlsplit(response.headers["HX-Push-Url"]).path == "/members"


def test_people_without_id_are_counted(as_alice: Client, north: Org) -> None:
    make_account(north, "Noah", "Evans", None)
    assert "No Employee/Student ID (1)" in listed(as_alice)
    page = listed(as_alice, "?no_id=yes")
    assert "Evans, Noah" in page
    assert "These people have no Employee/Student ID." in page
    assert "Abara, Alice" not in page


@pytest.mark.night
def test_pages_of_fifty_both_ways(as_alice: Client, north: Org) -> None:
    accounts = make_students(north, 120)
    first = listed(as_alice)
    assert "<strong>121</strong> people" in first
    assert "Previous 50" not in first
    second = listed(as_alice, f"?after={accounts[48].pk}")
    assert "Okafor049" in second
    assert "Okafor098" in second
    assert "Okafor099" not in second
    assert "Okafor048" not in second
    back = listed(as_alice, f"?before={accounts[49].pk}")
    assert "Abara, Alice" in back
    assert "Okafor048" in back
    assert "Okafor049" not in back
    assert "Previous 50" not in back
    last = listed(as_alice, f"?after={accounts[98].pk}")
    assert "Okafor119" in last
    assert "Next 50" not in last
    assert "<strong>121</strong> people" in last


def test_page_ignores_foreign_start(as_bob: Client, alice: Account, dana: Account) -> None:
    assert "Dubois, Dana" in listed(as_bob, f"?after={alice.pk}")


def test_nobody_ticked_is_reported(as_alice: Client) -> None:
    response = as_alice.post("/members/act", {"action": "delete"}, follow=True)
    assert "No one is ticked." in response.content.decode()


@pytest.mark.parametrize("number", ["9" * 30, "-1", *at_night("999999999", "9" * 19, "9" * 5000, "\u0665", "x")])
def test_unknown_numbers_are_not_ticked(as_alice: Client, dana: Account, number: str) -> None:
    for action in ("disable", "edit", "password", "restore"):
        page = as_alice.post("/members/act", {"action": action, "account": number}, follow=True).content.decode()
        assert "No one is ticked." in page
    both = as_alice.post("/members/act", {"action": "disable", "account": [number, str(dana.pk)]}).content.decode()
    assert "Disable 1 person?" in both


def test_disable_asks_first(as_alice: Client, dana: Account) -> None:
    asked = as_alice.post("/members/act", {"action": "disable", "account": dana.pk}).content.decode()
    assert "Disable 1 person?" in asked
    assert "Dubois, Dana" in asked
    assert Account.objects.get(pk=dana.pk).status == "Active"
    values = {"action": "disable", "account": dana.pk, "confirmed": "yes", "back": "type=Teacher"}
    done = as_alice.post("/members/act", values)
    assert done.headers["Location"] == "/members?type=Teacher"
    assert Account.objects.get(pk=dana.pk).status == "Disabled"
    assert "Disabled: 1 person." in as_alice.get("/members").content.decode()


def test_eleven_deletions_need_their_number(as_alice: Client, north: Org) -> None:
    people = make_students(north, 21)
    ten, eleven = [each.pk for each in people[:10]], [each.pk for each in people[10:]]
    values = {"action": "delete", "confirmed": "yes"}
    as_alice.post("/members/act", {**values, "account": ten})
    assert Account.objects.filter(deleted_at__isnull=False).count() == 10
    refused = as_alice.post("/members/act", {**values, "account": eleven, "typed": "10"}).content.decode()
    assert "Type 11, the number of people that will be deleted. Nothing was deleted." in refused
    assert Account.objects.filter(deleted_at__isnull=False).count() == 10
    as_alice.post("/members/act", {**values, "account": eleven, "typed": "11"})
    assert Account.objects.filter(deleted_at__isnull=False).count() == 21


def test_deleted_people_are_hidden_and_restorable(as_alice: Client, dana: Account) -> None:
    as_alice.post("/members/act", {"action": "delete", "account": dana.pk, "confirmed": "yes"})
    assert "Dubois, Dana" not in listed(as_alice)
    assert "Dubois, Dana" in listed(as_alice, "?status=Deleted")
    as_alice.post("/members/act", {"action": "restore", "account": dana.pk, "confirmed": "yes"})
    assert "Dubois, Dana" in listed(as_alice)


def test_deleted_account_says_who_restores(
    as_alice: Client, district: Org, north: Org, dana: Account, now: datetime
) -> None:
    def account_page() -> str:
        return as_alice.get(f"/members/{dana.pk}").content.decode()

    as_alice.post("/members/act", {"action": "disable", "account": dana.pk, "confirmed": "yes"})
    assert "Disabled by hand: no file enables or changes it until someone enables it here." in account_page()
    run = sync(district, student("S1"), mode="staff", now=timezone.now())
    Account.objects.filter(pk=dana.pk).update(deleted_at=timezone.now())
    AccountChange.objects.create(school_system=district.school_system, account=dana, run=run, action="delete")
    assert f"Disabled by hand, and later deleted by run {run.pk}, whose file did not name it." in account_page()
    AccountChange.objects.create(school_system=district.school_system, account=dana, action="delete")
    assert "Deleted by hand: it stays deleted" in account_page()
    assert ", restorable until " in account_page()
    assert 'value="restore"' in account_page()
    Account.objects.filter(pk=dana.pk).update(deleted_at=timezone.now() - timedelta(days=200))
    assert "no longer restorable since" in account_page()
    assert 'value="restore"' not in account_page()
    assert "until someone restores it" not in account_page()


def test_bob_cannot_delete_elsewhere(as_bob: Client, south: Org) -> None:
    stranger = make_account(south, "Sofia", "Silva", "E-9")
    values = {"action": "delete", "account": stranger.pk, "confirmed": "yes"}
    assert "No one is ticked." in as_bob.post("/members/act", values, follow=True).content.decode()
    assert Account.objects.get(pk=stranger.pk).deleted_at is None


def test_last_manager_stays_active(as_alice: Client, alice: Account) -> None:
    values = {"action": "disable", "account": alice.pk, "confirmed": "yes"}
    page = as_alice.post("/members/act", values).content.decode()
    assert "There is a problem" in page
    assert Account.objects.get(pk=alice.pk).status == "Active"


def account_values(account: Account, **values: str) -> dict[str, str]:
    names = ("first_name", "middle_name", "last_name", "email", "user_type", "grade", "position", "status")
    kept = {name: getattr(account, name) for name in names}
    return {**kept, "custom_id": account.custom_id or "", "org": str(account.org_id), **values}


def test_edit_sets_custom_id(as_alice: Client, north: Org) -> None:
    noah = make_account(north, "Noah", "Evans", None)
    page = as_alice.get(f"/members/{noah.pk}/edit").content.decode()
    assert "Employee ID" in page
    values = account_values(noah, custom_id=" 0042 ", is_protected="on", protected_reason="on long leave")
    assert as_alice.post(f"/members/{noah.pk}/edit", values).status_code == 303
    noah.refresh_from_db()
    assert (noah.custom_id, noah.is_protected, noah.protected_reason) == ("0042", True, "on long leave")
    history = as_alice.get(f"/members/{noah.pk}").content.decode()
    assert "Protected from sync: no file changes" in history
    assert "0042" in history
    assert "Alice Abara, by hand" in history


def test_edit_overwrites_nothing_that_nobody_touched(
    as_alice: Client, dana: Account, district: Org, north: Org
) -> None:
    page = as_alice.get(f"/members/{dana.pk}/edit").content.decode()
    shown = re.findall(r'<input type="hidden" name="(initial-[a-z_]+)"(?: value="([^"]*)")?', page)
    # Meanwhile a file moves and renames her, and another manager protects her.
    Account.objects.filter(pk=dana.pk).update(
        last_name="Moss", org=district, status="Disabled", is_protected=True, protected_reason="on leave"
    )
    values = {name: html.unescape(value) for name, value in shown}
    values |= account_values(dana, position="Head", first_name="")
    again = as_alice.post(f"/members/{dana.pk}/edit", values).content.decode()
    assert "First name is empty." in again
    assert f'name="initial-last_name" value="{dana.last_name}"' in again
    assert as_alice.post(f"/members/{dana.pk}/edit", values | {"first_name": "Dee"}).status_code == 303
    now = Account.objects.get(pk=dana.pk)
    assert (now.first_name, now.last_name, now.position) == ("Dee", "Moss", "Head")
    assert (now.org, now.status) == (district, "Disabled")
    assert (now.is_protected, now.protected_reason) == (True, "on leave")
    assert [edit.field for edit in name_edits(now)] == ["first_name"]


def test_edit_shows_faults_keeps_values(as_alice: Client, dana: Account) -> None:
    values = account_values(dana, email="no address", first_name="")
    page = as_alice.post(f"/members/{dana.pk}/edit", values).content.decode()
    assert "<title>Error: Edit User Info" in page
    assert 'href="#id_email"' in page
    assert 'href="#id_first_name"' in page
    assert 'value="no address"' in page
    assert "First name is empty." in page
    assert "E-mail: &quot;no address&quot; is not an email address." in page
    assert 'aria-invalid="true"' in page
    dana.refresh_from_db()
    assert dana.first_name == "Dana"


def test_student_has_student_id(as_alice: Client, north: Org) -> None:
    sam = make_account(north, "Sam", "Okafor", "S1", user_type="Student", grade="7")
    assert "Student ID" in as_alice.get(f"/members/{sam.pk}/edit").content.decode()


def test_bob_creates_at_own_school(as_bob: Client, north: Org, south: Org) -> None:
    values = {
        "first_name": "Mia",
        "last_name": "Moreau",
        "email": "mia@riverbend.example",
        "user_type": "Teacher",
        "custom_id": "E-77",
        "status": "Active",
    }
    refused = as_bob.post("/members/new", {**values, "org": str(south.pk)})
    assert refused.status_code == 200
    assert not Account.objects.filter(custom_id="E-77").exists()
    assert as_bob.post("/members/new", {**values, "org": str(north.pk)}).status_code == 303
    assert Account.objects.get(custom_id="E-77").org_id == north.pk


def test_password_is_set_never_shown(as_alice: Client, dana: Account) -> None:
    values = {"action": "password", "account": dana.pk, "confirmed": "yes"}
    weak = as_alice.post("/members/act", {**values, "password": "dana"}).content.decode()
    assert "too short" in weak
    assert 'value="dana"' not in weak
    as_alice.post("/members/act", {**values, "password": "quiet-otter-lamp-42"})
    dana.refresh_from_db()
    assert dana.check_password("quiet-otter-lamp-42")


def test_rights_are_given_and_taken(as_alice: Client, dana: Account, north: Org) -> None:
    address = f"/members/{dana.pk}/rights"
    as_alice.post(address, {"action": "give", "org": north.pk})
    assert Right.objects.filter(account=dana, org=north).exists()
    as_alice.post(address, {"action": "take", "org": north.pk})
    assert not Right.objects.filter(account=dana).exists()


@pytest.mark.night
def test_history_links_to_run(as_alice: Client, district: Org, north: Org, now: datetime) -> None:
    run = sync(district, student("S1"), now=now)
    sync(district, student("S1", "Adeyemi"), now=now)
    sam = Account.objects.get(custom_id="S1")
    page = as_alice.get(f"/members/{sam.pk}").content.decode()
    assert f'href="/runs/{run.pk}"' in page
    assert "line 2 of the file" in page
    assert '<del class="was">Okafor</del>' in page
    assert '<ins class="now">Adeyemi</ins>' in page


def test_form_behind_an_address_is_explained(as_alice: Client) -> None:
    for address in ("/members/act", "/bulk/client/api", "/sign-out", "/members/search"):
        answer = as_alice.get(address)
        assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")
        assert "This address only takes a form." in answer.content.decode()
    assert b"<html" not in as_alice.get("/api/v1/runs/1/approve").content


def test_search_points_to_deleted_people(as_alice: Client, dana: Account) -> None:
    delete_accounts(accounts=[dana], actor=None, now=timezone.now())
    page = as_alice.post("/members/search", {"text": "E-4"}, follow=True).content.decode()
    assert "1 deleted person fits this search." in page
    link = re.search(r'href="\?(status=Deleted[^"]*)"', page)
    assert link is not None
    assert "Dubois, Dana" in as_alice.get(f"/members?{html.unescape(link[1])}").content.decode()
    nobody = as_alice.post("/members/search", {"text": "Zzz"}, follow=True).content.decode()
    assert "deleted" not in nobody.split("<main")[1].split("No one fits")[0]


def test_action_of_an_account_returns_to_it(as_alice: Client, dana: Account) -> None:
    values = {"action": "disable", "account": dana.pk, "from_account": "yes"}
    asked = as_alice.post("/members/act", values).content.decode()
    assert asked.count(f'href="/members/{dana.pk}"') == 2  # the breadcrumb and Cancel
    assert 'name="from_account"' in asked
    done = as_alice.post("/members/act", {**values, "confirmed": "yes"})
    assert done.headers["Location"] == f"/members/{dana.pk}"


def test_restored_person_may_leave_again(as_alice: Client, dana: Account) -> None:
    delete_accounts(accounts=[dana], actor=None, now=timezone.now())
    values = {"action": "restore", "account": dana.pk, "confirmed": "yes", "from_account": "yes"}
    page = as_alice.post("/members/act", values, follow=True).content.decode()
    assert "A complete list deletes them again if it does not name them." in page


def test_confirmation_shows_middle_names(as_alice: Client, dana: Account) -> None:
    Account.objects.filter(pk=dana.pk).update(middle_name="Quinn")
    assert (
        "Dubois, Dana Quinn" in as_alice.post("/members/act", {"action": "delete", "account": dana.pk}).content.decode()
    )


def test_address_breaks_between_its_words(as_alice: Client, dana: Account) -> None:
    assert "dana.<wbr>dubois@<wbr>riverbend.<wbr>example" in as_alice.get("/members").content.decode()
