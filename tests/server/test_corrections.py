"""Correcting failed rows, in the page and by file: nobody leaves by it, and no one gets a second account."""

import csv
import io
from datetime import datetime
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from kit.plans import at_night
from kit.rosters import approved, imported, needs_approval, roster, settled, student, sync, teacher
from pytest_django.fixtures import Settings

from sis_sync.core.modes import MODES
from sis_sync.server.accounts.models import Account
from sis_sync.server.orgs.models import Org
from sis_sync.server.runs.models import Run

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def own_data_folder(settings: Settings, tmp_path: Path) -> None:
    settings.SIS_SYNC_DATA_FOLDER = tmp_path


def run_with_failures(district: Org, mode: str, now: datetime) -> Run:
    """An applied run of 100 people of whom 14 failed, some of them known before: their IDs begin with zeros."""
    make = teacher if mode == "staff" else student
    people = [make(f"00{number:03}") for number in range(1, 101)]
    imported(district, *people[:93], now=now)
    wrong = [{**row, "email": f"{row['custom_id']} at home"} if n > 85 else row for n, row in enumerate(people)]
    return imported(district, *wrong, mode=mode, now=now)


def people_here() -> list[tuple[str | None, str]]:
    found = Account.objects.filter(deleted_at=None, rights=None).order_by("custom_id")
    return list(found.values_list("custom_id", "email"))


@pytest.mark.parametrize("mode", ["full", *at_night(*(mode for mode in MODES if mode != "full"))])
def test_corrected_rows_touch_no_one_else(
    as_alice: Client, district: Org, north: Org, now: datetime, mode: str
) -> None:
    run = run_with_failures(district, mode, now)
    assert run.counts["failed"] == 14
    address = f"/runs/{run.pk}/correct"
    failed = b"".join(as_alice.get(f"/runs/{run.pk}/failed.csv")).decode("utf-8-sig")
    lines = range(88, 102)
    typed = {f"{line}-email": f"p{line}@riverbend.example" for line in lines}
    # Only the field at fault is taken from the page. One row stays wrong.
    sent = as_alice.post(address, {**typed, "88-custom_id": "88", "101-email": "wrong again"})
    first = settled(Run.objects.latest("pk"), now=now)
    assert sent.headers["Location"] == f"/runs/{first.pk}"
    assert (first.mode, first.based_on, first.counts["rows"], first.counts["failed"]) == ("partial", run, 14, 1)
    assert [row for row in people_here() if row[1].startswith("p88")] == [("00087", "p88@riverbend.example")]

    rows = list(csv.DictReader(io.StringIO(failed)))
    for row in rows:
        row["email"] = f"f{row['custom_id']}@riverbend.example"
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    as_alice.post(address, {"file": SimpleUploadedFile("corrected.csv", text.getvalue().encode())})
    second = settled(Run.objects.latest("pk"), now=now)
    assert (second.mode, second.state, second.based_on, second.counts["failed"]) == ("partial", "applied", run, 0)
    here = people_here()
    assert [custom_id for custom_id, _ in here] == [f"00{number:03}" for number in range(1, 101)]
    assert dict(here)["00099"] == "f00099@riverbend.example"


@pytest.mark.parametrize("is_decided", [True, *at_night(False)])
def test_password_of_a_failed_row(
    as_alice: Client, alice: Account, district: Org, north: Org, now: datetime, is_decided: bool
) -> None:
    """While the run waits, the password goes with the corrected row. Later it is gone, and the page asks for one."""
    needs_approval(district, "partial")
    rows = [student("S1", password="mountain-lake-1"), student("S2", email="none", password="mountain-lake-2")]
    run = sync(district, content=roster(*rows, extra=("password",)), now=now)
    if is_decided:
        run = approved(run, alice, now)
    address = f"/runs/{run.pk}/correct"
    page = as_alice.get(address).content.decode()
    assert ("The password that the file brought for this person is sent too." in page) == (not is_decided)
    assert ('type="password" name="3-password"' in page) == is_decided
    assert "Passwords are never in this file" in page
    assert "mountain-lake" not in page
    typed = {"3-password": "river-meadow-3"} if is_decided else {}
    as_alice.post(address, {"3-email": "s2@riverbend.example", **typed})
    approved(settled(Run.objects.latest("pk"), now=now), alice, now)
    made = Account.objects.get(custom_id="S2")
    assert made.check_password(typed.get("3-password", "mountain-lake-2"))


@pytest.mark.night
def test_promised_password_is_not_lost_silently(
    as_alice: Client, alice: Account, district: Org, north: Org, now: datetime
) -> None:
    needs_approval(district, "partial")
    people = [student("S3"), student("S4")]
    approved(sync(district, *people, now=now), alice, now)
    failed = [student(each, email="none", password=f"mountain-lake-{each}") for each in ("S2", "S3")]
    content = roster(student("S1", password="mountain-lake-1"), *failed, extra=("password",))
    run = sync(district, content=content, now=now)
    address, number = f"/runs/{run.pk}/correct", Run.objects.count()
    page = as_alice.get(address).content.decode()
    promised = {name: "yes" for name in ("3-kept", "4-kept") if f'name="{name}"' in page}
    assert len(promised) == 2
    approved(run, alice, now)
    typed = {"3-email": "s2@riverbend.example", "4-email": "s3@riverbend.example"}
    refused = as_alice.post(address, {**typed, **promised})
    page = refused.content.decode()
    assert refused.status_code == 409
    assert "Line 3, 4: the password that the file brought is not kept any more" in page
    assert Run.objects.count() == number
    assert 'name="3-password"' in page  # the account of line 4 exists: it keeps its password
    assert 'value="s2@riverbend.example"' in page
    assert "-kept" not in page
    assert as_alice.post(address, {**typed, "3-password": "river-meadow-3"}).status_code == 303
    approved(settled(Run.objects.latest("pk"), now=now), alice, now)
    assert Account.objects.get(custom_id="S2").check_password("river-meadow-3")


def test_page_says_what_is_wrong_and_what_was_not_corrected(
    as_alice: Client, district: Org, north: Org, now: datetime
) -> None:
    run = imported(district, student("S1"), student("S2", email="nonsense", grade="99", status="Activ"), now=now)
    address = f"/runs/{run.pk}/correct"
    assert f'href="{address}"' in as_alice.get(f"/runs/{run.pk}").content.decode()
    page = as_alice.get(address).content.decode()
    assert "E-mail: &quot;nonsense&quot; is not an email address. Grade: &quot;99&quot; is not one of" in page
    assert "did you mean Active?</p>" in page
    assert "send the file again" not in page
    assert 'name="3-email"' in page
    assert 'name="3-grade"' in page
    assert 'name="3-custom_id"' not in page
    answer = as_alice.post(address, {"3-email": "nonsense", "3-grade": "99", "3-status": "Activ"})
    assert "No row was corrected." in answer.content.decode()
    assert Run.objects.count() == 1


def test_values_that_are_far_too_long_are_on_no_page(
    as_alice: Client, district: Org, north: Org, now: datetime
) -> None:
    """A cell may have 30,000 characters. The pages of 50 such rows would be larger than a browser can show."""
    long = student("9" * 30_000, last_name="L" * 30_000, email="wrong")
    run = sync(district, student("S1"), student("S2", email="wrong"), long, now=now)
    assert run.counts["failed"] == 2
    page = as_alice.get(f"/runs/{run.pk}/correct").content.decode()
    assert "1 failed row is not here" in page
    assert 'name="3-email"' in page
    assert 'name="4-email"' not in page
    for each in (page, as_alice.get(f"/runs/{run.pk}").content.decode()):
        assert "L" * 500 not in each
        assert "9" * 500 not in each
