"""Settings of orgs and modes, the Sync Client tab, column mappings, the audit log."""

import re
from datetime import datetime, timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from kit.rosters import save_mode_settings, student, sync

from sis_sync.core.limits import Retention
from sis_sync.server.accounts.models import Account
from sis_sync.server.audit.models import AuditEntry
from sis_sync.server.keys.authenticate import authenticate_key
from sis_sync.server.keys.models import ApiKey
from sis_sync.server.orgs.models import Org, SchoolSystem
from sis_sync.server.orgs.retention import retention_of
from sis_sync.server.orgs.services import give_right
from sis_sync.server.runs.models import ModeSettings


def test_external_id_change_counts_accounts(as_alice: Client, north: Org, dana: Account, bob: Account) -> None:
    page = as_alice.get(f"/settings/schools/{north.pk}").content.decode()
    assert "2 accounts are found in files by the external ID N1." in page
    values = {"name": "North School", "external_id": "N-100"}
    page = as_alice.post(f"/settings/schools/{north.pk}", values, follow=True).content.decode()
    assert "Its external ID was N1 and is now N-100." in page
    assert "2 accounts of North School" in page


def test_taken_external_id_names_school(as_alice: Client, north: Org, south: Org) -> None:
    page = as_alice.post(f"/settings/schools/{north.pk}", {"name": "North", "external_id": "S1"}).content.decode()
    assert "South School has the external ID" in page
    assert 'href="#id_external_id"' in page
    north.refresh_from_db()
    assert north.external_id == "N1"


def test_missing_external_id_is_flagged(as_alice: Client, district: Org) -> None:
    as_alice.post("/settings/schools/new", {"name": "West School", "external_id": ""})
    page = as_alice.get("/settings").content.decode()
    assert "1 school or district has no external ID." in page
    assert "West School" in page


def test_schools_are_imported_all_or_none(as_alice: Client, school_system: SchoolSystem, district: Org) -> None:
    def imported(text: str) -> str:
        file = SimpleUploadedFile("schools.csv", text.encode())
        return as_alice.post("/settings/schools/import", {"file": file}, follow=True).content.decode()

    page = imported("external_id,name,kind\n1,West School,school\n,Nameless,school\n")
    assert "Line 3: external_id and name are both needed." in page
    assert Org.objects.filter(school_system=school_system).count() == 1
    assert "2 schools were added" in imported("external_id,name,kind\n1,West School,\n2,East School,school\n")
    assert Org.objects.filter(school_system=school_system).count() == 3


def test_networks_of_the_schools_are_named(as_alice: Client, school_system: SchoolSystem, district: Org) -> None:
    def named(text: str) -> str:
        return as_alice.post("/settings/networks", {"networks": text}, follow=True).content.decode()

    assert "&quot;north&quot; is not a network" in named("198.51.100.0/24\nnorth")
    assert "10.0.0.0/8 is wider than /16" in named("10.1.2.3/8")
    assert "2 networks are named." in named("198.51.100.7/24\r\n\n198.51.100.0/24\n2001:db8::/48\n")
    school_system.refresh_from_db()
    assert school_system.networks == ["198.51.100.0/24", "2001:db8::/48"]
    assert "198.51.100.0/24\n2001:db8::/48</textarea>" in as_alice.get("/settings/networks").content.decode()


def test_bob_edits_own_school_only(as_bob: Client, north: Org, south: Org) -> None:
    page = as_bob.get("/settings").content.decode()
    assert "North School" in page
    assert "South School" not in page
    assert "Add a school" not in page
    assert as_bob.get(f"/settings/schools/{north.pk}").status_code == 200
    assert as_bob.get(f"/settings/schools/{south.pk}").status_code == 404


def test_mode_settings_are_changed_and_recorded(as_alice: Client, school_system: SchoolSystem, district: Org) -> None:
    values = {
        "on_absent": "disable",
        "deletions_percent": "15",
        "deletions_count": "300",
        "deletions_slice_percent": "25",
        "failed_rows_percent": "5",
    }
    assert save_mode_settings(as_alice, "students", values, without_approval="on").status_code == 303
    found = ModeSettings.objects.get(school_system=school_system, mode="students")
    assert (found.requires_approval, found.on_absent, found.deletions_percent) == (False, "disable", 15)
    log = as_alice.get("/audit").content.decode()
    assert "Sync settings updated" in log
    assert "Limit: percent of all people who leave 15" in log


def test_settings_warn_about_waiting_plans(as_alice: Client, district: Org, north: Org) -> None:
    values = {"requires_approval": "on", "failed_rows_percent": "6"}
    save_mode_settings(as_alice, "partial", values)
    page = as_alice.get("/bulk/settings").content.decode()
    assert "The new settings apply from the next run on." in page
    sync(district, student("S1"), now=timezone.now())
    save_mode_settings(as_alice, "partial", {**values, "failed_rows_percent": "7"})
    page = as_alice.get("/bulk/settings").content.decode()
    assert "1 run of this mode waits for approval. If the plan goes out of date" in page


def test_percentage_above_100_is_refused(as_alice: Client, district: Org) -> None:
    page = as_alice.post("/bulk/settings/partial", {"failed_rows_percent": "101"}).content.decode()
    fault = "Percent of rows that failed: enter a whole number from 0 to 100."
    assert f'<a href="#id_failed_rows_percent">{fault}</a>' in page
    page = as_alice.post(
        "/bulk/settings/full", {"deletions_count": "1000001", "deletions_percent": ""}
    ).content.decode()
    assert "Number of people who would leave: enter a whole number from 0 to 1,000,000." in page
    assert "Percent of all people who would leave: enter a whole number from 0 to 100." in page
    assert as_alice.get("/bulk/settings/sideways").status_code == 404


def test_bob_only_reads_mode_settings(as_bob: Client) -> None:
    page = as_bob.get("/bulk/settings").content.decode()
    assert "Managers of the district change these." in page
    assert "/bulk/settings/full" not in page


FULL = {
    "requires_approval": "on",
    "on_absent": "delete",
    "sets_names": "unless_edited",
    "deletions_percent": "10",
    "deletions_count": "500",
    "deletions_slice_percent": "20",
    "failed_rows_percent": "5",
}


def key_values(org: Org, **values: str | list[str]) -> dict[str, str | list[str]]:
    return {"name": "office", "org": str(org.pk), "scopes": ["upload"], "modes": ["partial"], **values}


def test_key_is_shown_with_properties(as_alice: Client, school_system: SchoolSystem, district: Org) -> None:
    made = as_alice.post("/bulk/client/keys/new", key_values(district))
    assert (made.status_code, made.content) == (303, b"")
    page = as_alice.get(made.headers["Location"]).content.decode()
    key = ApiKey.objects.get()
    secret = secret_in(page)
    assert authenticate_key(secret=secret, now=timezone.now(), address="", client_version="").pk == key.pk
    assert "backend.url=http://testserver" in page
    assert "partial.sync.enabled=false" in page
    assert "full.sync" not in page
    later = as_alice.get("/bulk/client").content.decode()
    assert secret not in later
    assert key.prefix in later
    assert ">1 key</caption>" in later


def test_own_results_are_ticked_knowingly(as_alice: Client, district: Org) -> None:
    form = as_alice.get("/bulk/client/keys/new").content.decode()
    ticked = [line for line in form.splitlines() if 'name="scopes"' in line and "checked" in line]
    assert ["upload" in line for line in ticked] == [True]
    assert "anyone who has the key can find out which IDs and addresses have an account here" in form
    as_alice.post("/bulk/client/keys/new", key_values(district, scopes=["upload", "own_results"]))
    assert "upload, own results" in as_alice.get("/bulk/client").content.decode()


def test_reload_neither_makes_nor_shows_key(as_alice: Client, district: Org) -> None:
    form = as_alice.get("/bulk/client/keys/new").content.decode()
    form_id = form.split('name="form_id" value="')[1].split('"')[0]
    shown = as_alice.post("/bulk/client/keys/new", key_values(district, form_id=form_id), follow=True)
    assert "shown this once" in shown.content.decode()
    assert secret_in(shown.content.decode()) not in str(list(as_alice.session.items()))
    again = as_alice.get("/bulk/client/keys/new/shown", follow=True).content.decode()
    assert "A new key is shown once, and not again." in again
    assert "sissync_" not in again.replace(ApiKey.objects.get().prefix, "")
    twice = as_alice.post("/bulk/client/keys/new", key_values(district, form_id=form_id), follow=True).content.decode()
    assert "A new key is shown once, and not again." in twice
    assert ApiKey.objects.count() == 1


def test_form_sent_twice_makes_one_key(as_alice: Client, district: Org) -> None:
    form = as_alice.get("/bulk/client/keys/new").content.decode()
    values = key_values(district, form_id=form.split('name="form_id" value="')[1].split('"')[0])
    as_alice.post("/bulk/client/keys/new", values)  # whose answer nobody waits for
    assert "shown this once" in as_alice.post("/bulk/client/keys/new", values, follow=True).content.decode()
    assert ApiKey.objects.count() == 1


def secret_in(page: str) -> str:
    return next(line for line in page.splitlines() if "backend.api.token=" in line).split("=", 1)[1]


def test_key_expires_after_local_day(as_alice: Client, district: Org) -> None:
    day = (timezone.now() + timedelta(days=10)).date()
    as_alice.post("/bulk/client/keys/new", key_values(district, expires_on=day.isoformat()))
    expires_at = ApiKey.objects.get().expires_at
    assert expires_at is not None
    assert expires_at.utcoffset() == timedelta(0)
    assert expires_at.hour in (5, 6)


def test_key_needs_scopes_and_modes(as_alice: Client, district: Org) -> None:
    page = as_alice.post("/bulk/client/keys/new", {"name": "", "org": str(district.pk)}).content.decode()
    assert 'href="#id_name"' in page
    assert 'href="#id_scopes_0"' in page
    assert 'href="#id_modes_0"' in page


def test_key_is_rotated_and_revoked(as_alice: Client, district: Org) -> None:
    as_alice.post("/bulk/client/keys/new", key_values(district))
    key = ApiKey.objects.get()
    assert "7 more days at most" in as_alice.get(f"/bulk/client/keys/{key.pk}/rotate").content.decode()
    page = as_alice.post(f"/bulk/client/keys/{key.pk}/rotate", follow=True).content.decode()
    assert "shown this once" in page
    assert ApiKey.objects.count() == 2
    as_alice.post(f"/bulk/client/keys/{key.pk}/revoke")
    key.refresh_from_db()
    assert key.revoked_at is not None
    assert "1 revoked or expired key" in as_alice.get("/bulk/client").content.decode()


def test_bob_makes_own_school_keys(as_bob: Client, north: Org, south: Org) -> None:
    page = as_bob.post("/bulk/client/keys/new", key_values(south)).content.decode()
    assert "There is a problem" in page
    assert not ApiKey.objects.exists()
    as_bob.post("/bulk/client/keys/new", key_values(north))
    assert ApiKey.objects.get().org_id == north.pk


def test_api_is_disabled_and_enabled(as_alice: Client, school_system: SchoolSystem, district_key: str) -> None:
    assert "Disable the API: stops 1 key" in as_alice.get("/bulk/client").content.decode()
    page = as_alice.post("/bulk/client/api", {"enabled": "no"}, follow=True).content.decode()
    assert "The Sync Client API is disabled" in page
    page = as_alice.post("/bulk/client/api", {"enabled": "yes"}, follow=True).content.decode()
    assert "The Sync Client API is enabled" in page


def test_preset_shows_its_lines(as_alice: Client, district: Org) -> None:
    page = as_alice.get("/bulk/mappings?preset=oneroster").content.decode()
    assert "mapper.oneroster." in page
    assert as_alice.get("/bulk/mappings?preset=nonsense").status_code == 404


def test_audit_log_excludes_other_systems(as_alice: Client, district: Org, charlie: Account) -> None:
    page = as_alice.get("/audit").content.decode()
    assert "School system created" in page
    assert "Castillo" not in page


def test_retention(as_alice: Client, school_system: SchoolSystem, district: Org, north: Org) -> None:
    page = as_alice.get("/settings").content.decode()
    assert "Files for 30 days, plans and results for 90 days, history for 1,095 days." in page
    longer = {"files_days": "60", "reports_days": "120", "history_days": "1095"}
    assert as_alice.post("/settings/retention", longer).status_code == 303
    school_system.refresh_from_db()
    assert retention_of(school_system) == Retention(60, 120, 1095)
    assert "Retention updated" in as_alice.get("/audit").content.decode()

    sync(district, student("S1"), now=timezone.now() - timedelta(days=40))
    shorter = {**longer, "files_days": "35"}
    page = as_alice.post("/settings/retention", shorter).content.decode()
    assert "1 uploaded file" in page
    school_system.refresh_from_db()
    assert retention_of(school_system).files_days == 60
    assert as_alice.post("/settings/retention", {**shorter, "confirmed": "yes"}).status_code == 303
    school_system.refresh_from_db()
    assert retention_of(school_system).files_days == 35


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"files_days": "6"}, "Files as they were sent: enter 7 to 365 days."),
        ({"files_days": "x"}, "Files as they were sent: enter 7 to 365 days."),
        ({"history_days": "3651"}, "History and audit log: enter 365 to 3,650 days."),
        ({"files_days": "91"}, "A file cannot be kept for longer than its results."),
        ({"reports_days": "1000", "history_days": "400"}, "Results cannot be kept for longer than the history."),
    ],
)
def test_retention_out_of_bounds(
    as_alice: Client, school_system: SchoolSystem, district: Org, changed: dict[str, str], message: str
) -> None:
    values = {"files_days": "30", "reports_days": "90", "history_days": "1095", "confirmed": "yes"}
    assert message in as_alice.post("/settings/retention", {**values, **changed}).content.decode()
    school_system.refresh_from_db()
    assert retention_of(school_system) == Retention()


def test_settings_are_reviewed_old_and_new(as_alice: Client, district: Org, alice: Account) -> None:
    address, values = "/bulk/settings/full", {**FULL, "sets_names": "never", "sets_grade": "off"}
    review = as_alice.post(address, values).content.decode()
    assert "Review the changes" in review
    for words in ("Update names", "Unless edited here", "Never: only when", "Update grade"):
        assert words in review
    assert ModeSettings.objects.get(mode="full").sets_names == "unless_edited"
    hidden = dict(re.findall(r'<input type="hidden" name="([a-z_]+)" value="([^"]*)"', review))
    ModeSettings.objects.filter(mode="full").update(failed_rows_percent=9)
    again = as_alice.post(address, hidden).content.decode()
    assert "Someone else has changed these settings in the meantime." in again
    assert save_mode_settings(as_alice, "full", values).status_code == 303
    found = ModeSettings.objects.get(mode="full")
    assert (found.sets_names, found.sets_grade, found.sets_email, found.failed_rows_percent) == (
        "never",
        "off",
        "on",
        5,
    )
    cards = as_alice.get("/bulk/settings").content.decode()
    assert "Update names: <strong>never: only when" in cards
    assert "Update grade: <strong>off</strong>" in cards
    assert as_alice.post(address, values).status_code == 303  # nothing changes, so there is nothing to review
    assert "Nothing was changed in the settings of Full." in as_alice.get("/bulk/settings").content.decode()


def test_ending_approval_asks(as_alice: Client, district: Org) -> None:
    values = {name: value for name, value in FULL.items() if name != "requires_approval"}
    asked = save_mode_settings(as_alice, "full", values).content.decode()
    assert "Without approval, a file of this mode changes accounts as soon as it is checked" in asked
    assert "Tick this, or cancel and leave the approval on." in asked
    assert ModeSettings.objects.get(mode="full").requires_approval
    assert save_mode_settings(as_alice, "full", values, without_approval="on").status_code == 303
    assert not ModeSettings.objects.get(mode="full").requires_approval


def test_nobody_ends_the_rule_of_two_persons_alone(
    as_alice: Client, alice: Account, bob: Account, district: Org, now: datetime
) -> None:
    give_right(account=bob, org=district, actor=alice, now=now)
    ModeSettings.objects.filter(mode="full").update(needs_two_persons=True)
    address = "/bulk/settings/full/one-person"
    assert "Two persons are needed until another manager" in as_alice.post("/bulk/settings/full", FULL).content.decode()
    assert save_mode_settings(as_alice, "full", {**FULL, "failed_rows_percent": "6"}).status_code == 303
    found = ModeSettings.objects.get(mode="full")
    assert (found.needs_two_persons, found.failed_rows_percent) == (True, 6)
    log = as_alice.get("/audit").content.decode()
    assert "End of the rule of two persons asked for" in log
    assert "Mode: Full; Before: Limit: percent of failed rows 5; After: Limit: percent of failed rows 6" in log
    assert "Decide in Sync settings" in as_alice.get("/").content.decode()
    as_alice.post(address, {"action": "agree"})
    assert "You asked for this yourself" in as_alice.get("/bulk/settings").content.decode()
    as_bob = Client()
    as_bob.force_login(bob)
    as_bob.post(address, {"action": "keep"})
    assert ModeSettings.objects.get(mode="full").needs_two_persons
    as_bob.post(address, {"action": "agree"})
    assert "No one is asking any more to end this rule." in as_bob.get("/bulk/settings").content.decode()
    save_mode_settings(as_alice, "full", {**FULL, "failed_rows_percent": "6"})
    page = as_bob.get("/bulk/settings").content.decode()
    assert "Alice" in page
    assert "Agree: one person is enough" in page
    as_bob.post(address, {"action": "agree"})
    assert not ModeSettings.objects.get(mode="full").needs_two_persons
    actions = AuditEntry.objects.filter(action__startswith="mode_settings.one_person").order_by("pk")
    asked, refused = "mode_settings.one_person_asked", "mode_settings.one_person_refused"
    assert [each.action for each in actions] == [asked, refused, asked, "mode_settings.one_person_agreed"]
