"""School systems, orgs and rights: permission and refusal."""

from datetime import datetime
from importlib import import_module

import psycopg
import pytest
from django.apps import apps
from django.db import connection
from django.http import Http404

from sis_sync.core.errors import NotPermitted
from sis_sync.server.accounts.models import Account
from sis_sync.server.audit.models import AuditEntry
from sis_sync.server.errors import ValuesRefused
from sis_sync.server.orgs.last_manager import keeping_a_manager
from sis_sync.server.orgs.models import Org, Right, SchoolSystem
from sis_sync.server.orgs.selectors import access_org, is_district_manager, is_manager, managed_orgs, scope_org
from sis_sync.server.orgs.services import (
    create_org,
    give_right,
    import_orgs,
    take_right,
    update_org,
)
from sis_sync.server.setup.services import create_school_system

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases_at_night]


def test_new_system_has_safe_modes(school_system: SchoolSystem) -> None:
    assert [(org.kind, org.name) for org in school_system.orgs.all()] == [("district", "Riverbend Unified")]
    approval = {mode.mode: mode.requires_approval for mode in school_system.mode_settings.all()}
    assert approval == {"partial": False, "full": True, "students": True, "staff": True}


@pytest.mark.both_databases
def test_same_name_gets_another_slug(school_system: SchoolSystem, now: datetime) -> None:
    assert create_school_system(name="Riverbend", slug="riverbend", time_zone="UTC", now=now).slug == "riverbend-2"


def test_ids_of_earlier_versions_are_trimmed(district: Org, north: Org, south: Org, now: datetime) -> None:
    third = create_org(
        school_system=district.school_system, kind="school", name="Third", external_id="T1", actor=None, now=now
    )
    for org, external_id in ((north, "\u200eN1\u200f"), (south, "\u202a \u202c"), (third, "\u200eRB")):
        Org.objects.filter(pk=org.pk).update(external_id=external_id)
    import_module("sis_sync.server.orgs.migrations.0006_tidied_ids").tidy_ids(apps, None)
    found = dict(Org.objects.values_list("pk", "external_id"))
    assert found == {district.pk: "RB", north.pk: "N1", south.pk: None, third.pk: "\u200eRB"}  # RB is taken


def test_unknown_time_zone_is_refused(db: None, now: datetime) -> None:
    with pytest.raises(ValuesRefused) as refused:
        create_school_system(name="X", slug="x", time_zone="Mars/Olympus", now=now)
    assert list(refused.value.errors) == ["time_zone"]


def test_who_manages_what(
    alice: Account, bob: Account, charlie: Account, dana: Account, north: Org, south: Org, district: Org
) -> None:
    assert list(managed_orgs(actor=alice)) == [district, north, south]
    assert list(managed_orgs(actor=bob)) == [north]
    assert [org.name for org in managed_orgs(actor=charlie)] == ["Lakeside Schools"]
    assert list(managed_orgs(actor=dana)) == []
    assert [is_manager(account=person) for person in (alice, bob, charlie, dana)] == [True, True, True, False]
    assert [is_district_manager(account=person) for person in (alice, bob, charlie, dana)] == [True, False, True, False]


def test_scope_is_district_or_school(alice: Account, bob: Account, dana: Account, district: Org, north: Org) -> None:
    assert scope_org(actor=alice) == district
    assert scope_org(actor=bob) == north
    with pytest.raises(NotPermitted):
        scope_org(actor=dana)


@pytest.mark.both_databases
def test_foreign_org_looks_absent(alice: Account, bob: Account, charlie: Account, dana: Account, south: Org) -> None:
    assert access_org(actor=alice, org_id=str(south.pk)) == south
    for person, org_id in ((bob, south.pk), (charlie, south.pk), (dana, south.pk), (alice, 10**9), (alice, "x")):
        with pytest.raises(Http404):
            access_org(actor=person, org_id=org_id)


def test_only_the_district_makes_schools(
    alice: Account, bob: Account, charlie: Account, dana: Account, school_system: SchoolSystem, now: datetime
) -> None:
    def create(actor: Account) -> Org:
        return create_org(
            school_system=school_system, kind="school", name="East", external_id=" E1 ", actor=actor, now=now
        )

    for person in (bob, charlie, dana):
        with pytest.raises(NotPermitted):
            create(person)
    assert create(alice).external_id == "E1"
    with pytest.raises(ValuesRefused) as refused:
        create(alice)
    assert "East has the external ID" in refused.value.errors["external_id"]


@pytest.mark.both_databases
def test_a_second_district_is_refused(alice: Account, school_system: SchoolSystem, now: datetime) -> None:
    with pytest.raises(ValuesRefused):
        create_org(school_system=school_system, kind="district", name="D", external_id="D", actor=alice, now=now)


def test_school_manager_sets_external_id(
    bob: Account, charlie: Account, dana: Account, north: Org, south: Org, now: datetime
) -> None:
    assert update_org(org=north, name="North", external_id="\u00a0N-7\u200b", actor=bob, now=now).external_id == "N-7"
    assert update_org(org=north, name="North", external_id=" ", actor=bob, now=now).external_id is None
    entry = AuditEntry.objects.filter(action="org.updated").latest("id")
    assert (entry.actor, entry.detail["after"]) == (bob, {"name": "North", "external_id": None})
    for person, org in ((bob, south), (charlie, north), (dana, north)):
        with pytest.raises(Http404):
            update_org(org=org, name="Mine", external_id="X", actor=person, now=now)


@pytest.mark.both_databases
@pytest.mark.parametrize(
    ("name", "external_id"), [("", "N"), ("N" * 201, "N"), ("a\x00", "N"), ("N", "a\x00b"), ("N", "9" * 101)]
)
def test_unstorable_names_are_refused(north: Org, bob: Account, now: datetime, name: str, external_id: str) -> None:
    with pytest.raises(ValuesRefused):
        update_org(org=north, name=name, external_id=external_id, actor=bob, now=now)


@pytest.mark.both_databases
def test_external_ids_are_compared_exactly(north: Org, south: Org, alice: Account, now: datetime) -> None:
    update_org(org=south, name="South", external_id="n1", actor=alice, now=now)
    update_org(org=south, name="South", external_id="0N1", actor=alice, now=now)
    with pytest.raises(ValuesRefused):
        update_org(org=south, name="South", external_id="N1 ", actor=alice, now=now)


@pytest.mark.both_databases
def test_orgs_are_imported(alice: Account, district: Org, north: Org, now: datetime) -> None:
    text = "external_id,name,kind\nRB-2,Riverbend,district\nN1,North School,\n007,West School,school\n"
    imported = import_orgs(school_system=district.school_system, text=text, actor=alice, now=now)
    assert (imported.created, imported.updated, imported.unchanged) == (1, 1, 1)
    assert Org.objects.get(external_id="007").name == "West School"
    assert Org.objects.get(pk=district.pk).external_id == "RB-2"


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("", "file"),
        ("name,kind\nA,school\n", "file"),
        ('external_id,name\nA,"B\n', "file"),
        ("external_id,name\nA,B,school,more\n", "line 2"),
        ("external_id,name\nA,\n", "line 2"),
        ("external_id,name,kind\nA,B,university\n", "line 2"),
        ("external_id,name\nA,B\nA,C\n", "line 3"),
        ("external_id,name\nRB,North\n", "line 2"),
    ],
)
def test_faulty_import_changes_nothing(alice: Account, district: Org, now: datetime, text: str, where: str) -> None:
    before = Org.objects.count()
    with pytest.raises(ValuesRefused) as refused:
        import_orgs(school_system=district.school_system, text=text, actor=alice, now=now)
    assert (list(refused.value.errors), Org.objects.count()) == ([where], before)


def test_only_district_managers_give_rights(
    alice: Account, bob: Account, charlie: Account, dana: Account, district: Org, now: datetime
) -> None:
    for person in (bob, charlie, dana):
        with pytest.raises(NotPermitted):
            give_right(account=dana, org=district, actor=person, now=now)
        with pytest.raises(NotPermitted):
            take_right(account=alice, org=district, actor=person, now=now)
    give_right(account=dana, org=district, actor=alice, now=now)
    give_right(account=dana, org=district, actor=alice, now=now)
    assert Right.objects.filter(account=dana).count() == 1
    assert AuditEntry.objects.filter(action="right.given", actor=alice).count() == 1


def test_nobody_manages_another_school_system(alice: Account, charlie: Account, district: Org, now: datetime) -> None:
    with pytest.raises(NotPermitted):
        give_right(account=charlie, org=district, actor=alice, now=now)


@pytest.mark.both_databases
def test_last_manager_keeps_the_right(alice: Account, dana: Account, district: Org, now: datetime) -> None:
    with pytest.raises(NotPermitted):
        take_right(account=alice, org=district, actor=alice, now=now)
    assert is_district_manager(account=alice)
    give_right(account=dana, org=district, actor=alice, now=now)
    take_right(account=alice, org=district, actor=dana, now=now)
    assert not is_district_manager(account=alice)


def test_disabled_manager_does_not_count(alice: Account, dana: Account, district: Org, now: datetime) -> None:
    give_right(account=dana, org=district, actor=alice, now=now)
    Account.objects.filter(pk=dana.pk).update(status="Disabled")
    with pytest.raises(NotPermitted):
        take_right(account=alice, org=district, actor=None, now=now)


@pytest.mark.both_databases
@pytest.mark.django_db(transaction=True)
def test_history_writes_do_not_wait(school_system: SchoolSystem) -> None:
    """Otherwise a manager who locks an account and writes its history would deadlock with the watcher."""
    if connection.vendor != "postgresql":
        return  # SQLite has one writer at a time and no row locks
    with keeping_a_manager(school_system.pk), psycopg.connect(**connection.get_connection_params()) as other:
        other.execute("select 1 from orgs_schoolsystem where id = %s for key share nowait", [school_system.pk])
