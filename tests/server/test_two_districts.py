"""The answers to an upload key do not depend on the accounts, except for the state and which rows failed."""

import json
import secrets
from datetime import datetime
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from kit.plans import examples
from kit.rosters import settled
from kit.told import (
    accounts_of_a_district,
    assert_failed_alike,
    failing_in_one,
    row,
    without_asking,
)

from sis_sync.core.fields import FIELD_NAMES
from sis_sync.core.modes import MODES
from sis_sync.server.accounts.models import Account
from sis_sync.server.keys.services import create_key, set_client_api
from sis_sync.server.orgs.selectors import district_of
from sis_sync.server.orgs.services import create_org, give_right
from sis_sync.server.runs.models import Run
from sis_sync.server.setup.services import create_school_system

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]

Row = dict[str, str]
files = st.lists(st.tuples(st.sampled_from(list(MODES)), st.lists(row, max_size=8)), min_size=1, max_size=3)


@examples(12, one_place=True)
@given(files, accounts_of_a_district, accounts_of_a_district, st.booleans())
@pytest.mark.night
def test_accounts_change_no_answer(
    sent: list[tuple[str, list[Row]]], here: list[Row], there: list[Row], of_school: bool
) -> None:
    one, other = (answers(accounts, sent, of_school=of_school) for accounts in (here, there))
    for mine, theirs in zip(one, other, strict=True):
        assert [status for status, _ in mine] == [status for status, _ in theirs]
        (_, run), (_, results), (_, failed), (_, runs) = mine
        (_, their_run), (_, their_results), (_, their_failed), (_, their_runs) = theirs
        assert told(run) == told(their_run)
        assert list(map(told, runs["runs"])) == list(map(told, their_runs["runs"]))
        if results:
            assert_failed_alike(failed, their_failed, failing_in_one(results, their_results))


def told(run: dict[str, Any]) -> dict[str, Any]:
    """Return what must not depend on the accounts: all but the state, the guards' codes and the rows that failed."""
    assert all(guard.keys() == {"code", "message"} for guard in run["guards"])
    rest = {name: value for name, value in run.items() if name not in ("state", "guards", "counts", "findings")}
    return rest | (without_asking(run["counts"], run["findings"]) if run["counts"] else {})


def answers(accounts: list[Row], sent: list[tuple[str, list[Row]]], *, of_school: bool) -> list[list[tuple[int, Any]]]:
    """Send the files to a new school system with these accounts. Return the answers to four calls after each file."""
    now = timezone.now()
    secret = new_school_system(accounts, of_school, now)
    http, headers = Client(), {"Authorization": f"Bearer {secret}"}
    found, ids = [], {}
    for number, (mode, rows) in enumerate(sent):
        lines = [",".join(each.get(name, "") for name in FIELD_NAMES) for each in rows]
        file = SimpleUploadedFile("people.csv", "\n".join([",".join(FIELD_NAMES), *lines, ""]).encode())
        path = f"/api/v1/runs?mode={mode}"
        run = http.post(path, {"file": file}, headers=headers | {"Idempotency-Key": f"k{number}"}).json()
        ids[run["id"]] = f"run-{number}"
        settled(Run.objects.get(pk=run["id"]), now=now)
        calls = (f"/{run['id']}", f"/{run['id']}/results.csv", f"/{run['id']}/failed.csv", "")
        found.append([answer_of(http.get(f"/api/v1/runs{call}", headers=headers), ids) for call in calls])
    return found


def answer_of(answer: Any, ids: dict[str, str]) -> tuple[int, Any]:
    """Return the status and the body, without what is new in each run: its ID and when it was received."""
    content = b"".join(answer.streaming_content) if answer.streaming else answer.content
    for run_id, name in ids.items():
        content = content.replace(f"/runs/{run_id}".encode(), f"/runs/{name}".encode())
        content = content.replace(f'"id": "{run_id}"'.encode(), f'"id": "{name}"'.encode())
    if "json" not in answer.headers["Content-Type"]:
        return answer.status_code, content
    document = json.loads(content)
    for run in document.get("runs", [document]):
        run.pop("received_at", None)
    return answer.status_code, document if answer.status_code == 200 else b""


def new_school_system(accounts: list[Row], of_school: bool, now: datetime) -> str:
    """Make a school system with these accounts. Return the secret of an upload key."""
    system = create_school_system(name="Any", slug=f"any-{secrets.token_hex(6)}", time_zone="UTC", now=now)
    set_client_api(school_system=system, enabled=True, actor=None, now=now)
    orgs = {
        name: create_org(school_system=system, kind="school", name=name, external_id=name, actor=None, now=now)
        for name in ("010", "020", "030")
    }
    taken: set[str] = set()
    for values in accounts:
        is_deleted = values["state"] == "deleted" and values["custom_id"]
        if values["email"] in taken and not is_deleted:
            continue
        taken |= set() if is_deleted else {values["email"]}
        account = Account.objects.create(
            school_system=system,
            org=orgs[values["school_district_external_id"]],
            first_name=values["first_name"],
            last_name=values["last_name"],
            email=values["email"],
            custom_id=values["custom_id"] or None,
            user_type=values["user_type"],
            grade=values["grade"] if values["user_type"] == "Student" else "",
            status=values["status"],
            is_protected=bool(values["protected"]),
            is_held_by_hand=bool(values["held_by_hand"]),
            deleted_at=now if is_deleted else None,
        )
        if values["rights"] and not is_deleted:
            give_right(account=account, org=district_of(system), actor=None, now=now)
    org = orgs["010"] if of_school else district_of(system)
    _, secret = create_key(school_system=system, org=org, name="pc", scopes=("upload",), actor=None, now=now)
    return secret
