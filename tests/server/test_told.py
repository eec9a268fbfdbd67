"""What keys without the scope read learn over HTTP about the people of a school system: next to nothing."""

import json
import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from kit.rosters import needs_approval, roster, settled, student, teacher
from kit.told import ASK, failed_of, results_of

from sis_sync.core.guards import GUARDS
from sis_sync.server.accounts.models import Account
from sis_sync.server.keys.services import create_key
from sis_sync.server.orgs.models import Org
from sis_sync.server.runs.models import Run

pytestmark = pytest.mark.django_db

SECRETS = ("Abara", "Brandt", "Dubois", "E-1", "E-2", "E-4", "alice", "bob", "dana")
NAMES = {guard.code for guard in GUARDS}


@pytest.fixture
def now() -> datetime:
    """The real clock: the calls look at it."""
    return timezone.now()


class Sender:
    """A client program with one key."""

    def __init__(self, org: Org, scopes: Sequence[str], now: datetime) -> None:
        key = create_key(school_system=org.school_system, org=org, name="pc", scopes=scopes, actor=None, now=now)
        self.headers = {"Authorization": f"Bearer {key[1]}"}
        self.http, self.now, self.sent = Client(), now, 0

    def read(self, path: str) -> bytes:
        answer = self.http.get(f"/api/v1/runs{path}", headers=self.headers)
        assert answer.status_code == 200, answer.content
        return b"".join(answer.streaming_content) if answer.streaming else answer.content  # type: ignore[attr-defined]

    def status_of(self, path: str) -> int:
        return self.http.get(f"/api/v1/runs{path}", headers=self.headers).status_code

    def sync(self, content: bytes, mode: str = "partial") -> dict[str, Any]:
        """Send a file and return its run once every job is done."""
        self.sent += 1
        headers = self.headers | {"Idempotency-Key": f"k{self.sent}"}
        data = {"file": SimpleUploadedFile("people.csv", content)}
        answer = self.http.post(f"/api/v1/runs?mode={mode}", data, headers=headers)
        assert answer.status_code == 202, answer.content
        settled(Run.objects.get(pk=json.loads(answer.content)["id"]), now=self.now)
        run: dict[str, Any] = json.loads(self.read(f"/{json.loads(answer.content)['id']}"))
        return run

    def all_told(self, run: dict[str, Any]) -> str:
        """Every answer about a run, as one text."""
        paths = (f"/{run['id']}", "", f"/{run['id']}/results.csv", f"/{run['id']}/failed.csv")
        return b"\n".join(map(self.read, paths)).decode()


@pytest.fixture
def uploader(district: Org, north: Org, alice: Account, bob: Account, dana: Account, now: datetime) -> Sender:
    """A key of the default scope, in a district of three people."""
    return Sender(district, ("upload",), now)


def test_absent_people_are_not_told(uploader: Sender) -> None:
    run = uploader.sync(roster(student("0042")), "full")
    assert (run["state"], run["digest"]) == ("held", "")
    assert run["counts"] == {"taken": 1, "ignored": 0, "failed": 0}
    told = uploader.all_told(run)
    assert [secret for secret in SECRETS if secret.lower() in told.lower()] == []
    assert [row["action"] for row in results_of(uploader.read(f"/{run['id']}/results.csv")).values()] == ["taken"]


def test_guards_are_named_without_figures(uploader: Sender, dana: Account) -> None:
    run = uploader.sync(roster(teacher("E-4", "Nobody", first_name="Eve", email="eve@x.example")))
    assert run["state"] == "held"
    assert {guard["code"] for guard in run["guards"]} <= NAMES
    assert "guard.identity" in {guard["code"] for guard in run["guards"]}
    for guard in run["guards"]:
        assert guard.keys() == {"code", "message"}
        assert not re.search(r"\d", guard["message"])
    assert "Dubois" not in uploader.all_told(run)


def test_no_answer_confirms_a_guess(uploader: Sender, dana: Account) -> None:
    right = teacher("E-4", "Dubois", first_name="Dana", email=dana.email)
    answers = []
    for guess in (right, right | {"last_name": "Okafor"}, right | {"custom_id": "E-9", "email": "new@x.example"}):
        run = uploader.sync(roster(guess), "full")
        (told,) = results_of(uploader.read(f"/{run['id']}/results.csv")).values()
        answers.append((run["counts"], run["findings"], told["action"], told["fields"], told["codes"], told["message"]))
    assert answers == [({"taken": 1, "ignored": 0, "failed": 0}, {}, "taken", "", "", "")] * 3


def test_what_accounts_decide_is_for_managers(uploader: Sender, dana: Account) -> None:
    Account.objects.filter(pk=dana.pk).update(is_protected=True)
    protected = teacher("E-4", "Dubois", email="no address")
    run = uploader.sync(
        roster(
            student("0042", email="alice.abara@riverbend.example"),
            student("0043", email="no address", position="Head"),
            student("0044"),
            student("0044"),
            protected,
            student("0046", email="bob.brandt@riverbend.example", user_type="Techer"),
            student("0047", position="Head"),
        )
    )
    assert run["counts"] == {"taken": 2, "ignored": 1, "failed": 4}
    assert run["findings"] == {
        "email.invalid": 2,
        "position.ignored": 2,
        ASK: 1,
        "row.duplicate": 1,
        "user_type.unknown": 1,
    }
    rows = results_of(uploader.read(f"/{run['id']}/results.csv"))
    assert {line: (row["action"], row["codes"]) for line, row in rows.items()} == {
        "2": ("failed", ASK),
        "3": ("failed", "email.invalid;position.ignored"),
        "4": ("taken", ""),
        "5": ("ignored", "row.duplicate"),
        "6": ("failed", "email.invalid"),
        "7": ("failed", "user_type.unknown"),
        "8": ("taken", "position.ignored"),
    }
    assert run["page"].startswith("http://testserver/")
    assert f"only a manager may see why this row failed: {run['page']} ({ASK})." in rows["2"]["message"]
    assert "did you mean Teacher?" in rows["7"]["message"]
    failed = failed_of(uploader.read(f"/{run['id']}/failed.csv"))
    assert list(failed) == ["2", "3", "6", "7"]
    assert failed["2"]["sis_sync_message"] == rows["2"]["message"]
    assert failed["2"]["email"] == "alice.abara@riverbend.example"


def test_own_results_of_its_own_rows(uploader: Sender, district: Org, dana: Account, now: datetime) -> None:
    sender = Sender(district, ("upload", "own_results"), now)
    taken = student("0042", email="dana.dubois@riverbend.example")
    run = sender.sync(roster(taken, teacher("E-2", "Brand", first_name="Bob"), student("0043")), "staff")
    told = sender.all_told(run)
    assert [secret for secret in ("Dubois,", "Alice", "Abara", "Brandt,", "E-4", "E-1") if secret in told] == []
    rows = results_of(sender.read(f"/{run['id']}/results.csv"))
    assert {line: (row["action"], row["fields"]) for line, row in rows.items()} == {
        "2": ("failed", ""),
        "3": ("update", ""),
        "4": ("failed", ""),
    }
    assert run["counts"].keys() == {"rows", "create", "update", "restore", "unchanged", "ignored", "failed"}
    partial = sender.sync(roster(taken))
    assert partial["findings"] == {"email.taken": 1}
    message = results_of(sender.read(f"/{partial['id']}/results.csv"))["2"]["message"]
    assert "belongs to another account, which keeps it (email.taken)" in message
    # Another key learns of this run what any uploader learns, and gets no rows.
    assert json.loads(uploader.read(f"/{partial['id']}"))["findings"] == {ASK: 1}
    other = Sender(district, ("upload", "own_results"), now)
    assert json.loads(other.read(f"/{partial['id']}"))["findings"] == {ASK: 1}
    for report in ("results.csv", "failed.csv"):
        assert uploader.status_of(f"/{partial['id']}/{report}") == 403
        assert other.status_of(f"/{partial['id']}/{report}") == 403


def test_own_results_tell_no_value_that_an_account_keeps(
    uploader: Sender, district: Org, alice: Account, dana: Account, now: datetime
) -> None:
    needs_approval(district, "partial", required=False, sets_names="never", sets_email="create")
    sender = Sender(district, ("upload", "own_results"), now)
    Account.objects.filter(pk=dana.pk).update(deleted_at=now, email=alice.email)
    Account.objects.filter(custom_id="E-2").update(last_name="NULL", middle_name="MÃ¼ller")
    run = sender.sync(roster(teacher("E-4", email="new@x.example"), teacher("E-2", email="other@x.example")))
    told = sender.all_told(run)
    rows = results_of(sender.read(f"/{run['id']}/results.csv"))
    assert {"email.taken", "email.kept"} <= {*rows["2"]["codes"].split(";")}
    assert {"name.placeholder", "name.damaged"} <= {*rows["3"]["codes"].split(";")}
    assert [secret for secret in (alice.email, "NULL", "Ã¼") if secret in told] == []


def test_approver_without_read_learns_no_figures(uploader: Sender, district: Org, now: datetime) -> None:
    approver = Sender(district, ("approve",), now)
    run = uploader.sync(roster(student("0042")), "full")
    seen = json.loads(approver.read(f"/{run['id']}"))
    assert len(seen["digest"]) == 64
    assert {name: value for name, value in seen.items() if name != "digest"} == {
        name: value for name, value in run.items() if name != "digest"
    }
    answer = approver.http.post(
        f"/api/v1/runs/{run['id']}/approve",
        json.dumps({"digest": seen["digest"]}),
        "application/json",
        headers=approver.headers,
    )
    assert answer.status_code == 403
    assert not re.search(r"\d", json.loads(answer.content)["detail"])
    assert approver.status_of(f"/{run['id']}/results.csv") == 403
