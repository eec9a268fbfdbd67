"""What a search for people finds: by beginnings of words, without case and accents, on both databases, by the index."""

# ruff: noqa: RUF001 - letters that look like others are what this is about

from datetime import datetime

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st
from kit.rosters import student, sync
from server.conftest import make_account

from sis_sync.server.accounts import search
from sis_sync.server.accounts.apps import make_search_index
from sis_sync.server.accounts.models import Account
from sis_sync.server.accounts.search import drop_removed_words, words_of
from sis_sync.server.accounts.selectors import search_accounts
from sis_sync.server.accounts.services import delete_accounts, update_account
from sis_sync.server.orgs.models import Org
from sis_sync.server.web.views import people as views

pytestmark = pytest.mark.django_db
BOTH = pytest.mark.both_databases

PEOPLE = {
    "alicia": ("Alicia", "Moreno", "0100596"),
    "hernandez": ("Juan-Carlos", "HERNÁNDEZ", "0100002"),
    "nguyen": ("Đạt", "Nguyễn", "X-77"),
    "oneill": ("Søren", "O’Neill", "12"),
    "strauss": ("Zoë", "Strauß", "13"),
    "garcia": ("José", "García Márquez", "14"),
    "anna": ("АННА", "Иванова", "15"),
    "wei": ("伟", "王", "16"),
}

QUESTIONS: list[tuple[str, set[str]]] = [
    ("Moreno, Alicia", {"alicia"}),
    ("alicia   MORENO", {"alicia"}),
    ("mor", {"alicia"}),
    ("oreno", set()),
    ("HERNÁNDEZ", {"hernandez"}),
    ("hernandez", {"hernandez"}),
    ("Hernández, Juan-Carlos", {"hernandez"}),
    ("carlos", {"hernandez"}),
    ("Herna\u0301ndez", {"hernandez"}),
    ("dat nguyen", {"nguyen"}),
    ("ĐẠT NGUYỄN", {"nguyen"}),
    ("soren o'neill", {"oneill"}),
    ("SØREN O’NEILL", {"oneill"}),
    ("strauss", {"strauss"}),
    ("STRAUẞ zoe", {"strauss"}),
    ("márquez", {"garcia"}),
    ("marquez garcia jose", {"garcia"}),
    ("анна", {"anna"}),
    ("王", {"wei"}),
    ("0100596", {"alicia"}),
    ("100596", {"alicia"}),
    ("x-77", {"nguyen"}),
    ("alicia.a@lakeview.example", {"alicia"}),
    ("a.alicia@lakeview.example", set()),
    ("@lakeview.example", set(PEOPLE)),
    ("\u202aalicia.a@lakeview.example\u202c", {"alicia"}),  # as other programs copy it, with marks of direction
    ("\u200emoreno, \u2068alicia\u2069", {"alicia"}),
    ("---", set()),
    ("'\"*:()", set()),
    ("★", set()),
    ("alicia OR hernandez", set()),
    ("alicia' --", {"alicia"}),
    ("\\", set()),
    ("x" * 254, set()),
]


@pytest.fixture
def people(north: Org) -> dict[str, Account]:
    return {
        name: make_account(north, first, last, custom_id, email=f"{name}.a@lakeview.example")
        for name, (first, last, custom_id) in PEOPLE.items()
    }


def found(alice: Account, text: str, people: dict[str, Account]) -> set[str]:
    names = {account.pk: name for name, account in people.items()}
    return {names.get(account.pk, account.first_name) for account in search_accounts(actor=alice, text=text)}


@BOTH
def test_what_is_found(alice: Account, people: dict[str, Account]) -> None:
    for text, names in QUESTIONS:
        assert found(alice, text, people) == names, text


@BOTH
@pytest.mark.parametrize("text", ["㌖" * 254, "𝕏" * 254, "ﷺ" * 254, "'\\", "＇zz＼", ":*|!&<->()"])
def test_text_that_no_name_has_finds_nobody(alice: Account, people: dict[str, Account], text: str) -> None:
    assert list(search_accounts(actor=alice, text=text)) == []


@BOTH
def test_every_change_is_found(alice: Account, people: dict[str, Account], now: datetime) -> None:
    person = people["alicia"]
    update_account(account=person, values={"last_name": "Ångström"}, actor=alice, now=now)
    assert found(alice, "moreno", people) == set()
    assert found(alice, "angstrom", people) == {"alicia"}
    Account.objects.filter(pk=person.pk).update(last_name="Özil")
    assert found(alice, "ozil", people) == {"alicia"}
    delete_accounts(accounts=[person], actor=alice, now=now)
    assert found(alice, "ozil", people) == set()
    assert [each.pk for each in search_accounts(actor=alice, text="ozil", status="Deleted")] == [person.pk]
    Account.objects.filter(pk=person.pk).delete()
    assert list(search_accounts(actor=alice, text="ozil", status="Deleted")) == []


@BOTH
def test_people_of_a_run_are_found(alice: Account, district: Org, north: Org, now: datetime) -> None:
    row = student("S-0042", first_name="Zoë", last_name="Ñandú", school_district_external_id="N1")
    assert sync(district, row, now=now).state == "applied"
    assert [each.custom_id for each in search_accounts(actor=alice, text="nandu, zoe")] == ["S-0042"]
    sync(district, {**row, "last_name": "Éclair"}, now=now)
    assert [each.custom_id for each in search_accounts(actor=alice, text="eclair")] == ["S-0042"]


@BOTH
def test_other_school_systems_are_not_found(charlie: Account, people: dict[str, Account]) -> None:
    assert found(charlie, "moreno", people) == set()


def test_index_is_made_again_if_it_is_lost(alice: Account, people: dict[str, Account]) -> None:
    """Django drops the triggers of a table of SQLite when a migration changes it."""
    with connection.cursor() as cursor:
        for name in ("insert", "update", "delete"):
            cursor.execute(f"DROP TRIGGER account_search_{name}")
        cursor.execute("DROP TABLE account_search")
    for _ in range(2):
        make_search_index()
    make_account(people["wei"].org, "Late", "Comer", "99")
    assert found(alice, "moreno", people) == {"alicia"}
    assert found(alice, "late", people) == {"Late"}


def test_words_of_removed_people_leave_the_file(people: dict[str, Account]) -> None:
    def stored() -> bytes:
        with connection.cursor() as cursor:
            return b"".join(row[0] for row in cursor.execute("SELECT block FROM account_search_data").fetchall())

    drop_removed_words()
    assert b"trauss" in stored()
    people["strauss"].delete()
    drop_removed_words()
    assert b"trauss" not in stored()
    assert b"oreno" in stored()


@BOTH
def test_the_index_answers(alice: Account, people: dict[str, Account]) -> None:
    """No one looks at every account, and PostgreSQL does not walk through the names until 50 people fit."""
    org = people["wei"].org
    crowd = [
        Account(
            school_system=org.school_system, org=org, first_name="Ana", last_name=f"Last{n}", email=f"{n}@x.example"
        )
        for n in range(3000)
    ]
    Account.objects.bulk_create(crowd)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE accounts_account")
    with CaptureQueriesContext(connection) as asked:
        assert list(search_accounts(actor=alice, text="moreno")[:51]) == [people["alicia"]]
    sql = next(query["sql"] for query in asked if "account_words" in query["sql"] or "account_search" in query["sql"])
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {'QUERY PLAN ' if connection.vendor == 'sqlite' else ''}{sql}")
        plan = str(cursor.fetchall())
    assert ("on account_search" if connection.vendor == "postgresql" else "SCAN account_search") in plan, plan


@BOTH
def test_a_word_of_very_many_people(
    alice: Account, people: dict[str, Account], client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "MOST_LISTED", 3)
    monkeypatch.setattr(views, "MOST_LISTED", 3)
    some = found(alice, "lakeview", people)
    assert (len(some), some <= set(PEOPLE)) == (4, True)
    assert found(alice, "moreno", people) == {"alicia"}
    client.force_login(alice)
    page = client.post("/members/search", {"text": "lakeview"}, follow=True).content.decode()
    assert "<strong>more than 3</strong> people found for “lakeview”" in page
    assert "the list has only some of them" in page
    page = client.post("/members/search", {"text": "lakeview", "type": "Student"}, follow=True).content.decode()
    assert "No one fits this search." in page
    one = client.post("/members/search", {"text": "moreno"}, follow=True).content.decode()
    assert "the list has only some of them" not in one


@given(st.text(max_size=40))
def test_any_text_is_a_question(text: str) -> None:
    assert all(word and not set(word) & set(" -'.@,") for word in words_of(text))
