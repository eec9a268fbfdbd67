"""Field settings of each mode: which values a file sets on an account, and names that a person edited here."""

from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse
from kit.rosters import approved, imported, needs_approval, roster, settled, student, sync
from pytest_django.fixtures import Settings

from sis_sync.server.accounts.edited_names import NameEdit, name_edits
from sis_sync.server.accounts.models import Account
from sis_sync.server.accounts.services import delete_accounts, update_account
from sis_sync.server.orgs.models import Org
from sis_sync.server.runs.approval import reject_run
from sis_sync.server.runs.corrections import send_corrected_file
from sis_sync.server.runs.models import Run
from sis_sync.server.runs.results import results_of as results_path
from sis_sync.server.runs.undo import ask_undo

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases_at_night]
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def own_data_folder(settings: Settings, tmp_path: Path) -> None:
    settings.SIS_SYNC_DATA_FOLDER = tmp_path


def edited(of: str, actor: Account, now: datetime, **values: str) -> Account:
    """Return the account after a person changed these values of it."""
    return update_account(account=Account.objects.get(custom_id=of), values=values, actor=actor, now=now)


def first_name(custom_id: str = "S1") -> str:
    return Account.objects.get(custom_id=custom_id).first_name


def edits_of(custom_id: str) -> list[str]:
    """The names of which an edit is in force."""
    return [edit.field for edit in name_edits(Account.objects.get(custom_id=custom_id))]


def results_of(run: Run) -> str:
    return results_path(run).read_text(encoding="utf-8")


@pytest.mark.night
@pytest.mark.both_databases
def test_an_edit_remembers_the_value_of_the_sis(district: Org, north: Org, alice: Account, now: datetime) -> None:
    imported(district, student("S1"), now=now)
    account = edited("S1", alice, now, first_name="Sammy", middle_name="J")
    edited_on = now.date()  # also in Chicago
    first, middle = name_edits(account)
    assert (first, middle.of_sis) == (NameEdit("first_name", "Sammy", "Sam", edited_on), "")
    account = edited("S1", alice, now + DAY, first_name="Samuel", middle_name="")
    assert name_edits(account) == (NameEdit("first_name", "Samuel", "Sam", edited_on + DAY),)
    assert name_edits(edited("S1", alice, now, first_name="Sam")) == ()
    edited("S1", alice, now, first_name="Sammy")
    assert name_edits(edited("S1", alice, now, custom_id="S2")) == ()


def test_edited_name_stays_until_the_sis_sends_a_new_value(
    as_alice: Client, district: Org, north: Org, alice: Account, now: datetime
) -> None:
    imported(district, student("S1"), now=now)
    account = edited("S1", alice, now + DAY, first_name="Sammy")
    page = as_alice.get(reverse("web:account_history", args=[account.pk])).content.decode()
    assert f"edited here on Sep 2, 2026 by {alice.full_name}; the SIS had Sam</dd>" in page
    run = sync(district, student("S1"), now=now + 2 * DAY)
    assert (run.state, run.counts["unchanged"], first_name()) == ("applied", 1, "Sammy")
    assert run.findings == {"first_name.edited": 1}
    kept = 'first_name: the file has "Sam"; the account keeps ""Sammy"", edited here on 2026-09-02 (first_name.edited).'
    assert kept.replace('"', '""').replace('""""', '""') in results_of(run)
    assert "edited here on 2026-09-02" in as_alice.get(reverse("web:run", args=[run.pk])).content.decode()
    needs_approval(district, "partial")
    run = sync(district, student("S1", first_name="Samuel"), now=now + 3 * DAY)
    page = as_alice.get(reverse("web:run", args=[run.pk])).content.decode()
    assert "First name edited here, and replaced by the file: 1" in page
    assert "which replaces &quot;Sammy&quot;, edited here on 2026-09-02" in page
    run = approved(run, alice, now + 3 * DAY)
    assert (run.counts["update"], first_name()) == (1, "Samuel")
    assert run.findings == {"first_name.replaced": 1}
    needs_approval(district, "partial", required=False)
    assert sync(district, student("S1"), now=now + 4 * DAY).counts["update"] == 1
    page = as_alice.get(reverse("web:account_history", args=[account.pk])).content.decode()
    assert "edited here on" not in page


@pytest.mark.night
@pytest.mark.parametrize(
    ("names", "old", "third", "codes"),
    [
        ("always", "Sam", "Samuel", ("first_name.replaced", "")),
        ("never", "Sammy", "Sammy", ("first_name.edited", "first_name.kept")),
    ],
)
def test_names_always_and_never(
    names: str, old: str, third: str, codes: tuple[str, str], district: Org, north: Org, alice: Account, now: datetime
) -> None:
    imported(district, student("S1"), student("S2"), now=now)
    needs_approval(district, "partial", required=False, sets_names=names)
    edited("S1", alice, now, first_name="Sammy")
    run = sync(district, student("S1"), student("S3", first_name="Sol"), now=now + DAY)
    assert (first_name(), first_name("S3")) == (old, "Sol")
    assert codes[0] in run.findings
    run = sync(district, student("S1", first_name="Samuel"), student("S2", first_name="Sue"), now=now + 2 * DAY)
    assert first_name() == third
    assert first_name("S2") == ("Sue" if names == "always" else "Sam")
    assert run.findings.get("first_name.kept", 0) == (1 if codes[1] else 0)


@pytest.mark.night
def test_type_that_is_kept_keeps_the_grade(district: Org, north: Org, now: datetime) -> None:
    imported(district, student("S1"), now=now)
    needs_approval(district, "partial", required=False, sets_user_type="off")
    teacher = student("S1", user_type="Teacher", grade="", position="Librarian")
    run = sync(district, teacher, now=now + DAY)
    account = Account.objects.get(custom_id="S1")
    assert (run.counts["unchanged"], account.user_type, account.grade) == (1, "Student", "7")
    needs_approval(district, "partial", required=False, sets_user_type="on", sets_position="off", sets_grade="off")
    sync(district, teacher, now=now + 2 * DAY)
    account.refresh_from_db()
    assert (account.user_type, account.grade, account.position) == ("Teacher", "", "Librarian")


@pytest.mark.night
def test_value_that_is_kept_is_no_fault_of_the_file(district: Org, north: Org, alice: Account, now: datetime) -> None:
    imported(district, student("S1"), student("S2"), now=now)
    delete_accounts(accounts=[Account.objects.get(custom_id="S2")], actor=alice, now=now)
    Account.objects.filter(custom_id="S2").update(is_held_by_hand=False)
    needs_approval(district, "partial", required=False, sets_email="off", sets_school_district_external_id="off")
    wrong = {"email": "nobody", "school_district_external_id": "none"}
    run = sync(district, *(student(each, **wrong) for each in ("S1", "S2", "S3")), now=now + DAY)
    assert (run.counts["unchanged"], run.counts["failed"]) == (1, 2)
    assert {"email.kept", "school_district_external_id.kept", "email.invalid", "org.unknown"} <= {*run.findings}


@pytest.mark.night
def test_two_people_with_one_id_are_still_two(district: Org, north: Org, now: datetime) -> None:
    imported(district, student("S1"), now=now)
    needs_approval(district, "partial", required=False, sets_names="never")
    # The second pair differs from the account in one name each, by the same word.
    for rows in (
        (student("S1"), student("S1", "Moss", first_name="Ann")),
        (student("S1", first_name="Ann"), student("S1", "Ann")),
    ):
        run = sync(district, *rows, now=now + DAY)
        assert run.findings["custom_id.duplicate"] == 2


@pytest.mark.night
def test_an_edit_of_the_settings_makes_the_plan_again(district: Org, north: Org, alice: Account, now: datetime) -> None:
    imported(district, student("S1"), now=now)
    needs_approval(district, "partial")
    run = sync(district, student("S1", first_name="Samuel"), student("S2"), now=now + DAY)
    needs_approval(district, "partial", sets_names="never")
    run = approved(run, alice, now + DAY)
    assert (run.state, run.counts["update"], run.counts["create"]) == ("waiting", 0, 1)


@pytest.mark.night
@pytest.mark.parametrize("between", ["nothing", "another edit"])
def test_undo_brings_an_edited_name_back(
    between: str, district: Org, north: Org, alice: Account, now: datetime
) -> None:
    imported(district, student("S1"), now=now)
    edited("S1", alice, now, first_name="Sammy")
    run = sync(district, student("S1", first_name="Samuel"), now=now + DAY)
    if between == "another edit":
        edited("S1", alice, now + DAY, first_name="Samson")
    undone = settled(ask_undo(run=run, by=alice, now=now + 2 * DAY), now=now + 2 * DAY)
    if between == "another edit":
        assert (undone.counts["ignored"], undone.findings) == (1, {"undo.changed_since": 1})
        assert sync(district, student("S1", first_name="Samuel"), now=now + 3 * DAY).counts["unchanged"] == 1
        return
    approved(undone, alice, now + 2 * DAY)
    assert first_name() == "Sammy"
    assert sync(district, student("S1"), now=now + 3 * DAY).findings == {"first_name.edited": 1}
    assert sync(district, student("S1", first_name="Samuel"), now=now + 4 * DAY).counts["update"] == 1


@pytest.mark.night
def test_corrected_rows_have_the_settings_of_the_corrected_mode(
    district: Org, north: Org, alice: Account, now: datetime
) -> None:
    imported(district, student("S1"), student("S2"), now=now)
    needs_approval(district, "students", sets_email="off")
    needs_approval(district, "partial", required=False)
    rows = (student("S1", email="other@riverbend.example", grade="nine"), student("S2"))
    run = sync(district, *rows, now=now + DAY, mode="students")
    assert (run.state, run.counts["failed"]) == ("applied", 1)
    corrected = BytesIO(roster({**rows[0], "grade": "9"}))
    sent = send_corrected_file(run=run, file=corrected, file_name="failed.csv", by=alice, now=now + DAY)
    correction = settled(sent, now=now + DAY)
    account = Account.objects.get(custom_id="S1")
    assert (correction.state, account.grade, account.email) == ("applied", "9", "s1@riverbend.example")


def test_edit_ends_where_the_sis_takes_it_over(district: Org, north: Org, alice: Account, now: datetime) -> None:
    imported(district, student("S1"), student("S2"), now=now)
    edited("S1", alice, now, first_name="Sammy", last_name="Okafor-Lee")
    needs_approval(district, "partial")
    rows = (student("S1", first_name="Sammy"), student("S2", grade="9"))
    run = sync(district, *rows, now=now + DAY)
    reject_run(run=run, reason="not yet", by=alice, now=now + DAY)
    assert edits_of("S1") == ["first_name", "last_name"]  # the file was not taken
    run = approved(sync(district, *rows, now=now + DAY), alice, now + DAY)
    assert (run.state, run.counts["unchanged"], run.counts["update"]) == ("applied", 1, 1)
    assert edits_of("S1") == ["last_name"]
    assert results_of(run).splitlines()[1].startswith("2,unchanged,S1,,last_name.edited,")
    assert "S1" not in results_path(run, is_whole=False).read_text(encoding="utf-8")
    needs_approval(district, "partial", required=False)
    back = sync(district, student("S1"), now=now + 2 * DAY)
    assert (back.counts["update"], first_name(), back.findings) == (1, "Sam", {"last_name.edited": 1})


def test_edit_that_ended_does_not_come_back(district: Org, north: Org, alice: Account, now: datetime) -> None:
    imported(district, student("S1"), now=now)
    edited("S1", alice, now, first_name="Sammy")
    needs_approval(district, "partial")
    for days, name in enumerate(("Samuel", "Sammy", "Sam"), start=1):
        run = sync(district, student("S1", first_name=name), now=now + days * DAY)
        assert approved(run, alice, now + days * DAY).counts["update"] == 1
        assert (first_name(), edits_of("S1")) == (name, [])
    edited("S1", alice, now + 4 * DAY, first_name="Sammy")
    assert sync(district, student("S1"), now=now + 5 * DAY).findings == {"first_name.edited": 1}


@pytest.mark.night
def test_edit_ends_without_approval_if_nothing_changes(
    district: Org, north: Org, alice: Account, now: datetime
) -> None:
    imported(district, student("S1"), now=now)
    edited("S1", alice, now, first_name="Sammy")
    needs_approval(district, "partial")
    failed = sync(district, student("S1", first_name="Sammy", grade="99"), now=now + DAY)
    assert (failed.counts["failed"], edits_of("S1")) == (1, ["first_name"])
    run = sync(district, student("S1", first_name="Sammy"), now=now + DAY)
    assert (run.state, run.counts["unchanged"], edits_of("S1")) == ("applied", 1, [])


@pytest.mark.night
@pytest.mark.parametrize(("names", "is_ended"), [("never", False), ("always", True)])
def test_edit_ends_only_where_files_set_names(
    names: str, is_ended: bool, district: Org, north: Org, alice: Account, now: datetime
) -> None:
    imported(district, student("S1"), now=now)
    edited("S1", alice, now, first_name="Sammy")
    needs_approval(district, "partial", required=False, sets_names=names)
    sync(district, student("S1", first_name="Sammy"), now=now + DAY)
    assert edits_of("S1") == ([] if is_ended else ["first_name"])


@pytest.mark.night
def test_undo_lets_an_edit_begin_again(district: Org, north: Org, alice: Account, now: datetime) -> None:
    imported(district, student("S1"), student("S2"), now=now)
    edited("S1", alice, now, first_name="Sammy")
    run = sync(district, student("S1", first_name="Sammy"), student("S2", grade="9"), now=now + DAY)
    assert edits_of("S1") == []
    later = now + 2 * DAY
    approved(settled(ask_undo(run=run, by=alice, now=later), now=later), alice, later)
    assert edits_of("S1") == ["first_name"]
