"""People change the names that are shown of them, where their district allows it."""

from datetime import datetime

import pytest
from django.test import Client
from kit.rosters import imported, student, sync, teacher
from server.conftest import make_account

from sis_sync.core.errors import NotPermitted
from sis_sync.server.accounts.models import Account
from sis_sync.server.accounts.own_names import change_own_names
from sis_sync.server.audit.models import AccountChange, AuditEntry
from sis_sync.server.orgs.models import Org, SchoolSystem

NAMES = {"what": "names", "first_name": "Dee", "middle_name": "", "last_name": "Dubois"}


def test_teacher_changes_own_names_and_files_keep_them(
    client: Client, alice: Account, dana: Account, district: Org, north: Org, now: datetime
) -> None:
    client.force_login(dana)
    assert "Change your names" in client.get("/profile").content.decode()
    assert client.post("/profile", NAMES).status_code == 303
    dana.refresh_from_db()
    assert (dana.full_name, dana.user_type, dana.org) == ("Dee Dubois", "Teacher", north)
    saved_at = dana.updated_at
    assert client.post("/profile", NAMES).status_code == 303
    dana.refresh_from_db()
    assert dana.updated_at == saved_at, "nothing differs, so nothing is written"
    row = teacher("E-4", first_name="Dana", last_name="Dubois", email=dana.email, position="")
    sync(district, row, now=now)
    assert Account.objects.get(pk=dana.pk).first_name == "Dee"
    sync(district, {**row, "first_name": "Daniela"}, now=now)
    assert Account.objects.get(pk=dana.pk).first_name == "Daniela"


def test_managers_see_who_changed_it_and_set_it_back(client: Client, bob: Account, dana: Account) -> None:
    client.force_login(dana)
    client.post("/profile", NAMES)
    client.force_login(bob)
    page = client.get(f"/members/{dana.pk}").content.decode()
    assert "by the person; the SIS had Dana" in page
    assert client.post(f"/members/{dana.pk}/names-of-sis").status_code == 303
    dana.refresh_from_db()
    assert (dana.first_name, dana.edited_names) == ("Dana", None)
    assert AccountChange.objects.filter(account=dana).latest("pk").actor == bob
    values = {"first_name": "Didi", "last_name": "Dubois", "email": dana.email, "user_type": "Teacher"}
    client.post(f"/members/{dana.pk}/edit", values | {"custom_id": "E-4", "org": dana.org_id, "status": "Active"})
    assert "by Bob Brandt; the SIS had Dana" in client.get(f"/members/{dana.pk}").content.decode()


def test_students_may_not_unless_the_district_says_so(
    client: Client, alice: Account, north: Org, school_system: SchoolSystem, now: datetime
) -> None:
    sam = make_account(north, "Sam", "Okafor", "S1", user_type="Student")
    client.force_login(sam)
    assert "Change your names" not in client.get("/profile").content.decode()
    assert "You cannot change your names here." in client.post("/profile", NAMES, follow=True).content.decode()
    with pytest.raises(NotPermitted):
        change_own_names(account=sam, names=NAMES, now=now)
    client.force_login(alice)
    assert "Teachers, staff and administrators may change" in client.get("/settings").content.decode()
    client.post("/settings/own-names", {"user_types": ["Student"]})
    assert AuditEntry.objects.latest("pk").action == "own_names.changed"
    client.force_login(sam)
    assert client.post("/profile", {**NAMES, "first_name": "Sammy"}).status_code == 303
    assert Account.objects.get(pk=sam.pk).first_name == "Sammy"
    client.force_login(alice)
    refused = client.post("/profile", NAMES, follow=True).content.decode()
    assert "You cannot change your names here." in refused, "no longer for staff"
    client.post("/settings/own-names", {})
    assert "No one may change" in client.get("/settings").content.decode()


def test_wrong_name_is_refused_beside_its_field(client: Client, dana: Account) -> None:
    client.force_login(dana)
    page = client.post(
        "/profile", {**NAMES, "first_name": " ", "custom_id": "X", "user_type": "Staff"}
    ).content.decode()
    assert "<title>Error: My profile" in page
    assert 'href="#id_first_name"' in page
    dana.refresh_from_db()
    assert (dana.first_name, dana.custom_id) == ("Dana", "E-4")
    client.post("/profile", {**NAMES, "custom_id": "X", "user_type": "Staff"})
    dana.refresh_from_db()
    assert (dana.first_name, dana.custom_id, dana.user_type) == ("Dee", "E-4", "Teacher")


def test_a_student_of_a_file_has_no_form(
    client: Client, alice: Account, district: Org, north: Org, now: datetime
) -> None:
    imported(district, student("S1"), now=now)
    pupil = Account.objects.get(custom_id="S1")
    client.force_login(pupil)
    assert 'name="last_name"' not in client.get("/profile").content.decode()
