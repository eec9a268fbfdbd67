"""User Admin: what can be done to many people at once."""

import html
import re

import pytest
from django.test import Client

from sis_sync.server.accounts.models import Account
from sis_sync.server.audit.models import AccountChange, AuditEntry
from sis_sync.server.orgs.models import Org

both_databases = pytest.mark.both_databases


def make_students(org: Org, number: int) -> list[Account]:
    """Students of grade 7 with the IDs S000 and so on."""
    accounts = Account.objects.bulk_create(
        Account(
            school_system=org.school_system,
            org=org,
            first_name="Sam",
            last_name=f"Okafor{each:03}",
            email=f"s{each}@riverbend.example",
            custom_id=f"S{each:03}",
            user_type="Student",
            grade="7",
            password="!",
        )
        for each in range(number)
    )
    return list(accounts)


@pytest.fixture
def people(north: Org) -> list[Account]:
    """60 students of grade 7 at North School, and a coach."""
    coach = Account.objects.create(
        school_system=north.school_system,
        org=north,
        first_name="Tom",
        last_name="Zola",
        email="t1@riverbend.example",
        custom_id="T1",
        user_type="Teacher",
        position="Coach",
        password="!",
    )
    return [*make_students(north, 60), coach]


def act(client: Client, accounts: list[Account], **values: str) -> str:
    data = {"action": "edit", "account": [each.pk for each in accounts], **values}
    return client.post("/members/act", data, follow=True).content.decode()


def hidden_values(page: str) -> dict[str, list[str]]:
    """What the form of the page would send with its first button."""
    found: dict[str, list[str]] = {}
    for tag in re.findall(r'<input type="hidden"[^>]*>', page.partition("<main")[2]):
        values = {name: html.unescape(value) for name, value in re.findall(r'(name|value)="([^"]*)"', tag)}
        found.setdefault(values["name"], []).append(values.get("value", ""))
    return found


@both_databases
def test_several_are_edited_after_a_review(as_alice: Client, people: list[Account], south: Org) -> None:
    three = [people[0], people[1], people[-1]]
    asked = act(as_alice, three)
    assert "Edit User Info of 3 people" in asked
    assert "Leave as it is" in asked
    review = act(as_alice, three, step="review", org=str(south.pk), grade="8")
    assert "Update 3 people?" in review
    assert '<del class="was">North School</del>' in review
    assert review.count('<ins class="now">8</ins>') == 2, "the teacher stays without a grade"
    assert not Account.objects.filter(org=south).exists()
    done = as_alice.post("/members/act", {**hidden_values(review), "step": "save"}, follow=True).content.decode()
    assert "Updated: 3 people." in done
    saved = Account.objects.filter(org=south).order_by("last_name").values_list("custom_id", "grade", "position")
    assert list(saved) == [("S000", "8", ""), ("S001", "8", ""), ("T1", "", "Coach")]
    change = AccountChange.objects.filter(account=people[0]).latest("pk")
    assert (change.action, change.before["grade"], change.after) == (
        "update",
        "7",
        {"school_district_external_id": "S1", "grade": "8"},
    )
    assert AuditEntry.objects.latest("pk").detail == {"accounts": 3}


def test_new_type_takes_its_own_fields(as_alice: Client, people: list[Account]) -> None:
    act(
        as_alice, people[:2], step="save", user_type="Staff", position=" Nurse ", protection="yes", protected_reason="x"
    )
    first = Account.objects.get(pk=people[0].pk)
    assert (first.user_type, first.grade, first.position) == ("Staff", "", "Nurse")
    assert (first.is_protected, first.protected_reason) == (True, "x")
    same = act(as_alice, people[:2], step="review", user_type="Staff")
    assert "Nothing would change" in same
    assert "2 people stay as they are" in same
    act(as_alice, people[:2], step="save", protection="no")
    assert not Account.objects.filter(is_protected=True).exists()


def test_wrong_values_change_nobody(as_alice: Client, people: list[Account]) -> None:
    nothing = act(as_alice, people[:2], step="review")
    assert "Nothing is chosen." in nothing
    too_long = act(as_alice, people[-2:], step="save", position="x" * 101)
    assert 'href="#id_position"' in too_long
    assert 'value="xxx' in too_long
    assert Account.objects.get(custom_id="T1").position == "Coach"


def test_school_manager_moves_nobody_elsewhere(
    as_bob: Client, people: list[Account], south: Org, alice: Account
) -> None:
    assert "is not one of the available choices" in act(as_bob, people[:2], step="save", org=str(south.pk))
    assert "Edit User Info" in act(as_bob, [people[0], alice])  # of the two, only one is Bob's
    act(as_bob, [people[0], people[1], alice], step="save", user_type="Staff")
    assert set(Account.objects.filter(user_type="Staff").values_list("custom_id", flat=True)) == {"S000", "S001"}
    assert Account.objects.get(pk=alice.pk).user_type == "Administrator"


def test_manager_above_is_not_edited(as_bob: Client, people: list[Account], alice: Account, north: Org) -> None:
    Account.objects.filter(pk=alice.pk).update(org=north)
    page = act(as_bob, [people[0], alice], step="save", user_type="Staff")
    assert "This would change someone who manages more than you do." in page
    assert not Account.objects.filter(user_type="Staff").exists()


@both_databases
def test_everyone_of_the_list(as_alice: Client, people: list[Account], alice: Account) -> None:
    search = as_alice.post("/members/search", {"text": "Okafor", "type": "Student"}).headers["Location"]
    listed = as_alice.get(search).content.decode()
    assert "All 60 people of this list, on every page" in listed
    back = html.unescape(re.findall(r'name="back" value="([^"]*)"', listed)[0])
    asked = as_alice.post("/members/act", {"action": "disable", "everyone": "yes", "back": back}).content.decode()
    assert "Disable 60 people?" in asked
    assert asked.count('name="account"') == 60
    page = as_alice.post("/members/act", {"action": "edit", "everyone": "yes", "back": back}).content.decode()
    review = {**hidden_values(page), "step": "review", "grade": "9"}
    saved = hidden_values(as_alice.post("/members/act", review).content.decode())
    as_alice.post("/members/act", {**saved, "step": "save"})
    assert Account.objects.filter(grade="9").count() == 60


def test_search_that_cannot_be_read_finds_no_one(as_alice: Client, people: list[Account]) -> None:
    found = as_alice.post("/members/search", {"text": "Okafor01"}).headers["Location"].partition("?")[2]
    act_on_all = {"action": "delete", "everyone": "yes"}
    assert "Delete 10 people?" in as_alice.post("/members/act", {**act_on_all, "back": found}).content.decode()
    cut = as_alice.post("/members/act", {**act_on_all, "back": found[:60]}, follow=True).content.decode()
    assert "No one is ticked." in cut


def test_history_has_only_what_was_saved(as_alice: Client, people: list[Account]) -> None:
    Account.objects.filter(pk=people[0].pk).update(first_name=" Sam")  # no page stores a blank there, but SQL may
    act(as_alice, people[:2], step="save", grade="9")
    assert Account.objects.get(pk=people[0].pk).first_name == " Sam"
    assert AccountChange.objects.filter(account=people[0]).latest("pk").after == {"grade": "9"}


def test_whole_list_on_one_page_has_no_such_box(as_alice: Client, alice: Account) -> None:
    assert 'name="everyone"' not in as_alice.get("/members").content.decode()


@pytest.mark.night
def test_five_hundred_and_no_more(as_alice: Client, north: Org) -> None:
    make_students(north, 501)
    everyone = {"everyone": "yes", "back": "type=Student"}
    for action in ("edit", "disable", "delete", "password", "codes"):
        page = as_alice.post("/members/act", {"action": action, **everyone}, follow=True).content.decode()
        assert "You ticked more than 500 people. Tick fewer" in page
    Account.objects.get(custom_id="S500").delete()
    accounts = list(Account.objects.filter(user_type="Student"))
    act(as_alice, accounts, step="save", grade="8")
    assert Account.objects.filter(grade="8").count() == 500
    for action, typed in (("disable", ""), ("enable", ""), ("delete", "500")):
        act(as_alice, accounts, action=action, confirmed="yes", typed=typed)
    assert Account.objects.filter(deleted_at__isnull=False).count() == 500
