"""Bulk Management > Users, the run page, and the decision."""

import csv
import io
import re
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile, TemporaryUploadedFile
from django.test import Client
from django.utils import timezone
from kit.rosters import imported, needs_approval, roster, send, settled, student, sync, teacher
from kit.servers import wait_until
from pytest_django.fixtures import Settings

from sis_sync.core.errors import UsageFault
from sis_sync.server.accounts.models import Account
from sis_sync.server.jobs.beat import beating
from sis_sync.server.jobs.models import Job
from sis_sync.server.orgs.models import Org
from sis_sync.server.orgs.services import give_right, update_org
from sis_sync.server.runs.files import run_files
from sis_sync.server.runs.models import Run
from sis_sync.server.runs.receive import Upload
from sis_sync.server.web.views import bulk

BOM = b"\xef\xbb\xbf"


def form_file(content: bytes, name: str = "people.csv") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content, content_type="text/csv")


def digest_of(page: str) -> str:
    found = re.search(r'name="digest" value="([0-9a-f]{64})"', page)
    assert found
    return found[1]


def leaving_run(district: Org, number: int, now: datetime) -> Run:
    """A students run after which `number` of 40 students would be gone; one is renamed."""
    students = [student(f"S{index:02}") for index in range(40)]
    imported(district, *students, teacher("T1"), now=now)
    renamed = {**students[0], "last_name": "Adeyemi"}
    return sync(district, renamed, *students[1 : 40 - number], now=timezone.now(), mode="students")


def test_upload_form_shows_mode_risks(as_alice: Client, district: Org, north: Org, now: datetime) -> None:
    imported(district, *[student(f"S{index}") for index in range(12)], teacher("T1"), now=now)
    needs_approval(district, "staff", on_absent="disable")
    page = as_alice.get("/bulk").content.decode()
    assert "12 students here; any not in the file will be deleted." in page
    assert "any not in the file will be disabled." in page
    assert "People in the file are created or updated. No one else is touched." in page


def test_upload_form_warns_without_approval(as_alice: Client, district: Org) -> None:
    page = as_alice.get("/bulk").content.decode()
    assert page.count("Applied right after the check, without approval, unless a limit puts it on hold.") == 1
    assert page.count("nothing changes until a manager approves.") == 3
    needs_approval(district, "partial")
    assert "without approval" not in as_alice.get("/bulk").content.decode()


def test_bob_sees_own_school_count(as_bob: Client, district: Org, north: Org, south: Org, now: datetime) -> None:
    sync(district, student("S1"), student("S2", org="S1"), now=now)
    page = as_bob.get("/bulk").content.decode()
    assert "1 student here; any not in the file will be deleted." in page
    assert "The file can change people of North School only." in page


def test_count_is_of_one_school(
    as_bob: Client, bob: Account, alice: Account, district: Org, north: Org, south: Org, now: datetime
) -> None:
    sync(district, student("S1"), student("S2", org="S1"), student("S3", org="S1"), now=now)
    give_right(account=bob, org=south, actor=alice, now=now)
    page = as_bob.get("/bulk").content.decode()
    assert "1 student here; any not in the file will be deleted." in page


@pytest.mark.night
def test_disabled_people_count_as_deletable(as_alice: Client, district: Org, north: Org, now: datetime) -> None:
    leavers = [student(f"D{index}") for index in range(6)]
    active = [student(f"S{index}") for index in range(4)]
    imported(district, *leavers, *active, now=now)
    imported(district, *({**row, "status": "Disabled"} for row in leavers), now=now)
    run = sync(district, *active, now=timezone.now(), mode="students")
    page = as_alice.get(f"/runs/{run.pk}/approve").content.decode()
    assert "6 of 10 students would be deleted (60.0 %)." in page


def test_upload_leads_to_its_run(as_alice: Client, district: Org, north: Org) -> None:
    response = as_alice.post("/bulk", {"mode": "students", "file": form_file(roster(student("S1")))})
    run = Run.objects.get()
    assert response.headers["Location"] == f"/runs/{run.pk}"
    page = as_alice.get(f"/runs/{run.pk}").content.decode()
    assert "Received" in page
    assert 'hx-trigger="every 1s"' in page
    assert not Account.objects.filter(custom_id="S1").exists()


def test_upload_form_names_missing_values(as_alice: Client, district: Org) -> None:
    page = as_alice.post("/bulk", {}).content.decode()
    assert "Choose a mode: it decides what happens to people who are not in the file." in page
    assert 'href="#id_mode_0"' in page
    assert 'href="#id_file"' in page
    empty = as_alice.post("/bulk", {"mode": "full", "file": form_file(b"")}).content.decode()
    assert "This file is empty: 0 bytes." in empty


def test_wrong_mapping_line_is_named(as_alice: Client, district: Org) -> None:
    values = {"mode": "partial", "file": form_file(b"x"), "mapping_lines": "mapper.mine.colum.email=Mail"}
    page = as_alice.post("/bulk", values).content.decode()
    assert 'href="#id_mapping_lines"' in page
    assert not Run.objects.exists()


def test_upload_uses_mapping_lines(as_alice: Client, district: Org, north: Org, now: datetime) -> None:
    content = roster(student("S1")).replace(b"custom_id", b"Pupil No.")
    lines = "mapper.mine.column.custom_id=Pupil No."
    as_alice.post("/bulk", {"mode": "partial", "file": form_file(content), "mapping_lines": lines})
    settled(Run.objects.get(), now=now)
    assert Account.objects.filter(custom_id="S1").exists()


def test_upload_is_read_as_the_form_says(as_alice: Client, district: Org, north: Org, now: datetime) -> None:
    content = b"Riverbend\r\n" + roster(student("S1", first_name="Łukasz")).decode().encode("windows-1250")
    values = {"mode": "partial", "encoding": "windows-1250", "delimiter": "comma", "header": "2"}
    as_alice.post("/bulk", {**values, "file": form_file(content)})
    run = settled(Run.objects.get(), now=now)
    assert run.reading_options == {"encoding": "windows-1250", "delimiter": "comma", "header": "2"}
    assert Account.objects.get(custom_id="S1").first_name == "Łukasz"


def test_wrong_encoding_is_named_at_its_field(as_alice: Client, district: Org) -> None:
    values = {"mode": "partial", "file": form_file(b"x"), "encoding": "klingon", "header": "none"}
    page = as_alice.post("/bulk", values).content.decode()
    assert 'href="#id_encoding"' in page
    assert "klingon" in page
    assert not Run.objects.exists()


def test_progress_waits_for_new_state(as_alice: Client, district: Org, north: Org, now: datetime) -> None:
    needs_approval(district, "partial")
    run = send(district, student("S1"), now=timezone.now())
    address = f"/runs/{run.pk}/progress?seen=received"
    assert as_alice.get(address).status_code == 204
    settled(run, now=now)
    page = as_alice.get(address).content.decode()
    assert 'id="run-body"' in page
    assert "Waiting for approval. The check is done." in page
    assert "hx-trigger" not in page


def test_run_page_shows_values_by_action(as_alice: Client, district: Org, north: Org, now: datetime) -> None:
    run = leaving_run(district, 2, now)
    page = as_alice.get(f"/runs/{run.pk}").content.decode()
    assert "2 of 40 students would be deleted (5.0 %)." in page
    everyone = as_alice.get(f"/runs/{run.pk}?action=").content.decode().partition("<tbody>")[2]
    assert everyone.index("not in file") < everyone.index("Unchanged")  # rows that change nothing are last
    updates = as_alice.get(f"/runs/{run.pk}?action=update").content.decode()
    assert "1 row" in updates
    assert '<del class="was">Okafor</del>' in updates
    assert '<ins class="now">Adeyemi</ins>' in updates
    deletions = as_alice.get(f"/runs/{run.pk}?action=delete").content.decode()
    assert "2 people who are not in the file" in deletions
    assert "S38" in deletions
    assert "Sam Okafor" in deletions


def test_rows_are_paged(as_alice: Client, district: Org, north: Org, now: datetime) -> None:
    run = sync(district, *[student(f"S{index:03}") for index in range(120)], now=now)
    assert "1 to 50 of 120 rows" in as_alice.get(f"/runs/{run.pk}?action=").content.decode()
    last = as_alice.get(f"/runs/{run.pk}?page=3").content.decode()
    assert "101 to 120 of 120 rows" in last
    assert "S119" in last
    assert as_alice.get(f"/runs/{run.pk}?page=x&action=nonsense").status_code == 200


def test_findings_are_counted_by_code(as_alice: Client, district: Org, north: Org, now: datetime) -> None:
    run = sync(district, student("S1", email="nonsense"), student("S2", position="Head"), now=now)
    page = as_alice.get(f"/runs/{run.pk}").content.decode()
    assert "E-mail is not an address" in page
    assert "email.invalid" in page
    assert "Position of a student, ignored" in page
    assert "Row fails" in page


def test_refused_file_says_why(as_alice: Client, district: Org, now: datetime) -> None:
    run = sync(district, now=now, content=b"name;school\nAna;N1\n")
    page = as_alice.get(f"/runs/{run.pk}").content.decode()
    assert "Why the file was refused" in page
    assert "file.header_missing" in page
    assert "What to do:" in page
    assert "No account was changed." in page
    assert as_alice.get(f"/runs/{run.pk}/results.csv").status_code == 404


def test_pending_shows_counts_and_results(as_alice: Client, district: Org, north: Org, now: datetime) -> None:
    run = leaving_run(district, 12, now)
    page = as_alice.get("/bulk/pending").content.decode()
    assert "people.csv" in page
    assert f'href="/runs/{run.pk}/results.csv"' in page
    assert "12 of 40" in page
    assert "Pending Approval (1)" in page
    assert "Nothing is waiting." not in as_alice.get("/").content.decode()


def test_approve_needs_number_of_deletions(as_alice: Client, district: Org, north: Org, now: datetime) -> None:
    run = leaving_run(district, 12, now)
    page = as_alice.get(f"/runs/{run.pk}/approve").content.decode()
    assert page.index("Leave: 12") < page.index("Change: 1")
    assert "Type 12 to approve" in page
    assert "Approve: delete 12, update 1" in page
    values = {"digest": digest_of(page), "reason": "12 have moved to another district"}
    refused = as_alice.post(f"/runs/{run.pk}/approve", {**values, "typed": "11"}).content.decode()
    assert 'href="#id_typed"' in refused
    assert "Nothing was approved." in refused
    run.refresh_from_db()
    assert run.state == Run.State.HELD
    assert as_alice.post(f"/runs/{run.pk}/approve", {**values, "typed": "12"}).status_code == 303
    settled(run, now=timezone.now())
    assert run.state == Run.State.APPLIED
    assert Account.objects.filter(deleted_at__isnull=False).count() == 12
    after = as_alice.get(f"/runs/{run.pk}").content.decode()
    assert "by Alice Abara" in after
    assert "12 have moved to another district" in after
    assert as_alice.get(f"/runs/{run.pk}/approve").headers["Location"] == f"/runs/{run.pk}"


def test_late_approval_is_not_applied(as_alice: Client, district: Org, north: Org, now: datetime) -> None:
    run = leaving_run(district, 2, now)
    as_alice.post(f"/runs/{run.pk}/approve", {"digest": run.plan_digest, "reason": "they have left"})
    assert "Approved: delete 2, update 1." in as_alice.get(f"/runs/{run.pk}").content.decode()
    needs_approval(district, "students", on_absent="disable")
    assert settled(run, now=timezone.now()).state in (Run.State.WAITING, Run.State.HELD)
    page = as_alice.get(f"/runs/{run.pk}").content.decode()
    assert "Approved:" not in page
    assert "The file was checked again, because something had changed: " in page
    assert "the settings of the mode were changed since. This is the new plan." in page
    assert not Account.objects.filter(deleted_at__isnull=False).exists()


def test_only_shown_plan_is_approved(as_alice: Client, district: Org, north: Org, now: datetime) -> None:
    run = leaving_run(district, 2, now)
    response = as_alice.post(f"/runs/{run.pk}/approve", {"digest": "0" * 64})
    assert response.status_code == 409
    page = response.content.decode()
    assert "is not the one that was shown" in page
    assert digest_of(page) == run.plan_digest
    run.refresh_from_db()
    assert run.state in (Run.State.WAITING, Run.State.HELD)


def test_reject_needs_reason(as_alice: Client, district: Org, north: Org, now: datetime) -> None:
    run = leaving_run(district, 2, now)
    page = as_alice.post(f"/runs/{run.pk}/reject", {"reason": ""}).content.decode()
    assert "Say why you reject it" in page
    assert as_alice.post(f"/runs/{run.pk}/reject", {"reason": "half of grade 7 is missing"}).status_code == 303
    page = as_alice.get(f"/runs/{run.pk}").content.decode()
    assert "Reason: half of grade 7 is missing" in page
    assert Account.objects.filter(deleted_at__isnull=False).count() == 0


def test_reports_are_csv_for_spreadsheets(as_alice: Client, district: Org, north: Org, now: datetime) -> None:
    run = sync(district, student("S1"), student("S2", email="nonsense"), now=now)
    results = as_alice.get(f"/runs/{run.pk}/results.csv")
    content = b"".join(results)
    assert content.startswith(BOM + b"line,action,custom_id")
    assert results.headers["Content-Disposition"] == f'attachment; filename="run-{run.pk}-results.csv"'
    assert int(results.headers["Content-Length"]) == len(content)
    failed = b"".join(as_alice.get(f"/runs/{run.pk}/failed.csv"))
    assert failed.startswith(BOM + b"sis_sync_message,first_name,")
    assert b"nonsense" in failed
    assert b"S1" not in failed


def test_history_is_filtered_by_address(as_alice: Client, district: Org, north: Org, now: datetime) -> None:
    sync(district, student("S1"), now=now, file_name="monday.csv")
    sync(district, now=now, mode="full", content=b"nonsense\n1\n", file_name="tuesday.csv")
    everything = as_alice.get("/bulk/history").content.decode()
    assert "2 runs" in everything
    refused = as_alice.get("/bulk/history?state=refused&mode=full").content.decode()
    assert "tuesday.csv" in refused
    assert "monday.csv" not in refused
    assert "No run fits." in as_alice.get("/bulk/history?mode=staff").content.decode()


def test_bob_decides_own_runs_only(as_bob: Client, alice: Account, district: Org, north: Org) -> None:
    needs_approval(district, "partial")
    present = timezone.now()
    theirs, his = sync(district, student("S1"), now=present), sync(north, student("S2"), now=present)
    page = as_bob.get("/bulk/pending").content.decode()
    assert f'href="/runs/{his.pk}"' in page
    assert f'href="/runs/{theirs.pk}"' not in page
    digest = digest_of(as_bob.get(f"/runs/{his.pk}/approve").content.decode())
    assert as_bob.post(f"/runs/{his.pk}/approve", {"digest": digest}).status_code == 303
    assert as_bob.post(f"/runs/{theirs.pk}/approve", {"digest": theirs.plan_digest}).status_code == 404


def test_home_shows_waiting_and_modes(as_alice: Client, district: Org, north: Org, now: datetime) -> None:
    assert "Nothing is waiting." in as_alice.get("/").content.decode()
    run = leaving_run(district, 12, now)
    page = as_alice.get("/").content.decode()
    assert "On hold" in page
    assert "12 to delete, 1 to update" in page
    assert f'href="/runs/{run.pk}"' in page
    assert "No file yet." in page


def test_bug_shows_logged_reference(
    as_alice: Client, district: Org, north: Org, now: datetime, caplog: pytest.LogCaptureFixture
) -> None:
    run = sync(district, student("S1"), now=now)
    Run.objects.filter(pk=run.pk).update(counts={"create": "one"})  # as only a bug would leave them
    as_alice.raise_request_exception = False
    response = as_alice.get(f"/runs/{run.pk}")
    assert response.status_code == 500
    reference = re.search(r"the reference <strong>([0-9a-f]{8})</strong>", response.content.decode())
    assert reference
    assert f"reference {reference[1]}" in caplog.text
    assert "Traceback" not in response.content.decode()


@pytest.mark.night
def test_run_page_groups_findings(as_alice: Client, district: Org, north: Org, now: datetime) -> None:
    bad = [student(f"S{number}", email=f"bad{number}") for number in range(5)]
    run = sync(district, *bad, student("S8", grade="<b>KG</b>"), student("S9", grade="KG"), now=now, mode="students")
    page = as_alice.get(f"/runs/{run.pk}?action=").content.decode()
    findings = page.split('<h2 id="findings">Findings</h2>')[1].split('<h2 id="rows">')[0]
    assert findings.count("is not an email address (email.invalid).") == 3
    assert "people.csv line 2, email: &quot;bad0&quot; is not an email address" in findings
    assert "Correct it in the SIS and send the file again." in findings
    assert "did you mean K?" in findings
    assert "mapper.NAME.value.grade.KG=K" in findings
    assert "&lt;b&gt;KG" in findings
    assert f'href="/runs/{run.pk}?action=#rows"' in page  # without the filter it would be the page to decide on
    run_files(run).findings.unlink()
    page = as_alice.get(f"/runs/{run.pk}?action=").content.decode()
    assert "email.invalid" in page.split('<h2 id="findings">Findings</h2>')[1]


@pytest.mark.night
def test_ended_run_has_no_open_steps(as_alice: Client, district: Org, north: Org, now: datetime) -> None:
    run = leaving_run(district, 2, now)
    assert steps_in(as_alice, run) == ["done", "done", "current", "to come"]
    for state, steps in {
        "refused": ["done", "it ended before this", "not reached", "not reached"],
        "rejected": ["done", "done", "it ended before this", "not reached"],
        "superseded": ["done", "done", "it ended before this", "not reached"],
        "expired": ["done", "done", "it ended before this", "not reached"],
        "failed": ["done", "it ended before this", "not reached", "not reached"],
    }.items():
        Run.objects.filter(pk=run.pk).update(state=state)
        assert steps_in(as_alice, run) == steps, state


def steps_in(client: Client, run: Run) -> list[str]:
    page = client.get(f"/runs/{run.pk}?action=").content.decode()
    return re.findall(r'<span class="visually-hidden">: ([a-z ]+)</span></li>', page)


@pytest.mark.night
def test_no_changes_is_about_rows(as_alice: Client, district: Org, north: Org, now: datetime) -> None:
    sync(district, student("S1"), student("S2"), student("S3"), now=now)
    Account.objects.filter(custom_id="S1").update(is_protected=True)
    needs_approval(district, "students", on_absent="nothing")
    run = sync(district, student("S1", "Differs"), student("S2"), now=now, mode="students")
    page = as_alice.get(f"/runs/{run.pk}").content.decode()
    assert "No changes: 1 row was ignored. The other rows match their accounts." in page
    same = sync(district, student("S2"), now=now, mode="students")
    assert "No changes: every row matches its account." in as_alice.get(f"/runs/{same.pk}").content.decode()


def test_home_says_that_jobs_wait(as_alice: Client, district: Org, settings: Settings, tmp_path: Path) -> None:
    settings.SIS_SYNC_DATA_FOLDER = tmp_path
    run = send(district, student("S1"), now=timezone.now())
    assert "for the server" not in as_alice.get("/").content.decode()
    Job.objects.update(queued_at=timezone.now() - timedelta(minutes=4))
    for page in (as_alice.get("/"), as_alice.get(f"/runs/{run.pk}")):
        assert "no worker is running, since" in page.content.decode()
    assert "(4\N{NO-BREAK SPACE}minutes)" in as_alice.get("/").content.decode()
    with beating():
        wait_until(lambda: "the worker is busy with other files" in as_alice.get("/").content.decode())
    Job.objects.update(state="running")
    with beating():
        wait_until(lambda: "for the server" not in as_alice.get("/").content.decode())


def test_upload_on_its_way_is_where_leftovers_are_removed(
    as_alice: Client, district: Org, monkeypatch: pytest.MonkeyPatch
) -> None:
    places = []

    def look(upload: Upload, **_others: object) -> Run:
        assert isinstance(upload.file, TemporaryUploadedFile)
        places.append(Path(upload.file.temporary_file_path()).parent)
        raise UsageFault("a test")

    monkeypatch.setattr(bulk, "receive_run", look)
    as_alice.post("/bulk", {"mode": "partial", "file": SimpleUploadedFile("a.csv", roster(student("S1")))})
    assert places == [Path(settings.SIS_SYNC_DATA_FOLDER) / "incoming"]


@pytest.mark.night
def test_results_have_old_values_and_leavers(as_alice: Client, district: Org, north: Org, now: datetime) -> None:
    run = leaving_run(district, 1, now)
    content = b"".join(as_alice.get(f"/runs/{run.pk}/results.csv")).decode("utf-8-sig")
    rows = {row["custom_id"]: row for row in csv.DictReader(io.StringIO(content))}
    assert (rows["S00"]["last_name"], rows["S00"]["old_last_name"], rows["S00"]["old_email"]) == (
        "Adeyemi",
        "Okafor",
        "",
    )
    assert (rows["S01"]["action"], rows["S01"]["old_last_name"]) == ("unchanged", "")
    left = rows["S39"]
    assert (left["action"], left["last_name"], left["grade"], left["email"]) == (
        "delete",
        "Okafor",
        "7",
        "s39@riverbend.example",
    )


@pytest.mark.night
def test_schools_are_named(as_alice: Client, district: Org, north: Org, south: Org, now: datetime) -> None:
    """Pages show a school by its name, followed by its external ID, and what no school has as it is."""
    made = imported(district, student("S1"), student("S2", org="N1"), now=now)
    moved = sync(district, student("S1", org="S1"), now=now)
    account = Account.objects.get(custom_id="S1")
    old, new = f"{north.name} (N1)", f"{south.name} (S1)"
    assert f"at {old}" in as_alice.get(f"/runs/{made.pk}").content.decode()
    for path in (f"/runs/{moved.pk}?action=update", f"/members/{account.pk}"):
        page = as_alice.get(path).content.decode()
        assert f'<del class="was">{old}</del>' in page, path
        assert f'<ins class="now">{new}</ins>' in page, path
    update_org(org=south, name=south.name, external_id="S2", actor=None, now=now + timedelta(days=1))
    update_org(org=north, name=north.name, external_id="S1", actor=None, now=now + timedelta(days=2))
    for path in (f"/runs/{moved.pk}?action=update", f"/members/{account.pk}"):
        page = as_alice.get(path).content.decode()
        assert '<ins class="now">S1</ins>' in page, "the ID of another school today"
