"""Pages of a large district: they count and read no more rows than they show."""

from datetime import datetime, timedelta

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries
from server.conftest import make_account

from sis_sync.server.accounts.models import Account
from sis_sync.server.audit.models import AuditEntry
from sis_sync.server.audit.services import record
from sis_sync.server.orgs.models import Org, SchoolSystem
from sis_sync.server.orgs.services import give_right
from sis_sync.server.web import mode_cards
from sis_sync.server.web.mode_cards import risks_of_modes

both_databases = pytest.mark.both_databases


@both_databases
def test_audit_log_goes_back_in_order(as_alice: Client, school_system: SchoolSystem, now: datetime) -> None:
    AuditEntry.objects.all().delete()
    moments = [now + timedelta(minutes=number // 3) for number in range(120)]  # three at the same moment
    for number, at in enumerate(moments):
        record(school_system=school_system, action="run.waiting", detail={"accounts": number}, now=at)
    address, seen = "/audit", list[int]()
    for _ in range(3):
        context = as_alice.get(address).context
        seen += [entry.detail["accounts"] for entry, _ in context["rows"]]
        address = f"/audit?before={context['older']}"
    assert seen == list(range(119, -1, -1))
    assert context["older"] is None


def test_audit_log_starts_at_the_newest_for_a_foreign_entry(
    as_alice: Client, charlie: Account, other_system: SchoolSystem, now: datetime
) -> None:
    foreign = record(school_system=other_system, action="signed_in", by=charlie, now=now - timedelta(days=900))
    for before in (str(foreign.pk), "x", "9" * 30):
        assert as_alice.get(f"/audit?before={before}").context["is_newest"]


def test_audit_log_links_what_it_names(
    as_alice: Client, alice: Account, north: Org, charlie: Account, other_system: SchoolSystem, now: datetime
) -> None:
    give_right(account=make_account(north, "Noa", "Evans", "E-9"), org=north, actor=alice, now=now)
    detail = {"account": charlie.pk, "digest": "f" * 64}
    record(school_system=north.school_system, action="account.told_apart", detail=detail, now=now)
    page = as_alice.get("/audit").content.decode()
    assert f'School or district: <a href="/settings/schools/{north.pk}">North School</a>' in page
    assert ">Noa Evans</a>" in page
    assert "Castillo" not in page, "an account of another school system is a number"
    assert "ffff" not in page


@both_databases
def test_settings_page_a_hundred_schools(
    as_alice: Client,
    school_system: SchoolSystem,
    north: Org,
    dana: Account,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    Org.objects.bulk_create(
        Org(school_system=school_system, kind="school", name=f"School {number:03}", external_id=f"{number}")
        for number in range(120)
    )
    with django_assert_max_num_queries(20):
        first = as_alice.get("/settings").content.decode()
    assert "122 schools and districts" in first
    assert ("School 050" in first, "School 119" in first, "Page 1 of 2" in first) == (True, False, True)
    assert 'data-label="People">1<' in first.partition("North School")[2]
    assert "School 119" in as_alice.get("/settings?page=2").content.decode()


@both_databases
def test_people_at_risk_are_counted_up_to_a_limit(
    alice: Account, north: Org, south: Org, bob: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mode_cards, "MOST_AT_RISK", 3)
    for number in range(5):
        make_account(north, "Sam", f"Okafor{number}", f"S{number}", user_type="Student")
    make_account(south, "Mia", "Moreau", "S9", user_type="Student")
    sentences = {each.mode.name: each.sentence for each in risks_of_modes(actor=alice)}
    assert sentences["students"] == "more than 3 students here; any not in the file will be deleted."
    assert sentences["staff"].startswith("2 administrators, teachers and staff here;")
    monkeypatch.setattr(mode_cards, "MOST_AT_RISK", 5)
    of_bob = {each.mode.name: each.sentence for each in risks_of_modes(actor=bob)}
    assert of_bob["students"] == "5 students here; any not in the file will be deleted."


def test_schools_are_escaped_and_chosen(
    as_alice: Client, school_system: SchoolSystem, north: Org, dana: Account
) -> None:
    Org.objects.create(school_system=school_system, kind="school", name='<b>"East" & Co')
    page = as_alice.get(f"/members/{dana.pk}/edit").content.decode()
    assert ">&lt;b&gt;&quot;East&quot; &amp; Co</option>" in page
    assert f'<option value="{north.pk}" selected>North School</option>' in page
    assert page.count(" selected>North School") == 1
    select = page[page.index('name="org"') - 200 : page.index('name="org"') + 100]
    assert 'id="id_org"' in select
    assert 'class="form-select"' in select
