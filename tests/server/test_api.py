"""The HTTP API, called as a sync client calls it."""

import gzip
import hashlib
import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone
from kit.rosters import needs_approval, roster, settled, student

from sis_sync.server.accounts.models import Account
from sis_sync.server.audit.models import AuditEntry
from sis_sync.server.keys.models import ApiKey
from sis_sync.server.keys.services import create_key, revoke_key, set_client_api
from sis_sync.server.orgs.models import Org
from sis_sync.server.runs.models import Run

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases_at_night]

API = "/api/v1"
EVERYTHING = ("upload", "read", "approve")


@pytest.fixture
def now() -> datetime:
    """The real clock: the calls look at it."""
    return timezone.now()


class Caller:
    """A client program with one key."""

    def __init__(self, secret: str) -> None:
        self.headers = {"Authorization": f"Bearer {secret}", "User-Agent": "sis-sync/0.1.0"}
        self.browser = Client(raise_request_exception=False)

    def get(self, path: str) -> HttpResponse:
        return self.browser.get(API + path, headers=self.headers)  # type: ignore[return-value]

    def post(self, path: str, body: dict[str, Any]) -> HttpResponse:
        answer = self.browser.post(API + path, json.dumps(body), "application/json", headers=self.headers)
        return answer  # type: ignore[return-value]

    def send(
        self, content: bytes, *, mode: str = "partial", key: str | None = "k-1", name: str = "people.csv", **fields: str
    ) -> HttpResponse:
        headers = self.headers | ({"Idempotency-Key": key} if key is not None else {})
        data = {"file": SimpleUploadedFile(name, content), **fields}
        return self.browser.post(f"{API}/runs?mode={mode}", data, headers=headers)  # type: ignore[return-value]


def caller_of(org: Org, actor: Account, now: datetime, scopes: Sequence[str] = EVERYTHING, **values: Any) -> Caller:
    return Caller(
        create_key(school_system=org.school_system, org=org, name="pc", scopes=scopes, actor=actor, now=now, **values)[
            1
        ]
    )


@pytest.fixture
def office(district: Org, north: Org, south: Org, alice: Account, now: datetime) -> Caller:
    """The whole district's client, with every scope."""
    return caller_of(district, alice, now)


def problem_of(answer: HttpResponse, status: int) -> dict[str, Any]:
    """The problem, once its shape has been looked at."""
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, "application/problem+json")
    problem: dict[str, Any] = json.loads(answer.content)
    assert {"type", "title", "status", "detail", "fix"} <= set(problem)
    assert problem["status"] == status
    return problem


def document_of(answer: HttpResponse, status: int = 200) -> dict[str, Any]:
    assert answer.status_code == status, answer.content
    document: dict[str, Any] = json.loads(answer.content)
    return document


def finished(run_id: str, now: datetime) -> Run:
    return settled(Run.objects.get(pk=run_id), now=now)


def test_ping_names_the_rights(office: Caller) -> None:
    pong = document_of(office.get("/ping"))
    assert (pong["school_system"], pong["org"]) == ("Riverbend Unified", "Riverbend Unified")
    assert (pong["scopes"], pong["is_paused"]) == (list(EVERYTHING), False)
    assert pong["modes"] == ["partial", "full", "students", "staff"]
    assert pong["server_version"]
    assert datetime.fromisoformat(pong["server_time"]).tzinfo
    key = ApiKey.objects.get()
    assert (key.last_used_from, key.last_client_version) == ("127.0.0.1", "sis-sync/0.1.0")


def test_call_needs_a_valid_key(office: Caller, alice: Account, now: datetime) -> None:
    nobody = Caller("")
    nobody.headers.pop("Authorization")
    assert problem_of(nobody.get("/ping"), 401)["type"] == "urn:sis-sync:problem:key-refused"
    assert nobody.get("/ping").headers["WWW-Authenticate"].startswith("Bearer")
    problem_of(Caller("sissync_wrong").get("/runs"), 401)
    assert problem_of(Caller("").send(b"x"), 401)["title"] == "API key refused"
    revoke_key(key=ApiKey.objects.get(), actor=alice, now=now)
    assert "revoked" in problem_of(office.get("/ping"), 401)["detail"]


def test_a_disabled_api_says_so(office: Caller, alice: Account, now: datetime) -> None:
    set_client_api(school_system=alice.school_system, enabled=False, actor=alice, now=now)
    problem = problem_of(office.get("/ping"), 403)
    assert problem["type"] == "urn:sis-sync:problem:api-disabled"
    assert "disabled" in problem["detail"]


def test_people_are_not_keys(
    client: Client, alice: Account, bob: Account, charlie: Account, dana: Account, office: Caller
) -> None:
    for person in (alice, bob, charlie, dana):
        client.force_login(person)
        for path in ("/ping", "/runs", "/runs/1", "/runs/1/results.csv", "/runs/1/failed.csv"):
            assert client.get(API + path).status_code == 401
        for path in (
            "/runs?mode=partial",
            "/runs/1/approve",
            "/runs/1/reject",
            "/runs/1/cancel",
            "/refusals?mode=partial",
        ):
            assert client.post(API + path).status_code == 401


def test_file_goes_all_the_way(office: Caller, now: datetime) -> None:
    content = roster(student("0042"), student("0043", org="X9"))
    received = document_of(office.send(content, sha256=hashlib.sha256(content).hexdigest()), 202)
    assert (received["state"], received["mode"], received["file_name"]) == ("received", "partial", "people.csv")
    assert finished(received["id"], now).state == "applied"
    run = document_of(office.get(f"/runs/{received['id']}"))
    assert (run["counts"]["create"], run["counts"]["failed"]) == (1, 1)
    assert run["findings"] == {"org.unknown": 1}
    assert run["page"].startswith("http://testserver/")
    assert len(run["digest"]) == 64
    results = b"".join(office.get(f"/runs/{run['id']}/results.csv").streaming_content)  # type: ignore[attr-defined]
    failed = b"".join(office.get(f"/runs/{run['id']}/failed.csv").streaming_content)  # type: ignore[attr-defined]
    assert b"0042" in results
    assert b"0043" in failed
    assert b"0042" not in failed


def test_gzip_is_unpacked(office: Caller, now: datetime) -> None:
    content = roster(student("0042"))
    digest = hashlib.sha256(content).hexdigest()
    received = document_of(office.send(gzip.compress(content), name="people.csv.gz", sha256=digest), 202)
    run = finished(received["id"], now)
    assert (run.file_sha256, run.file_name, run.state) == (digest, "people.csv", "applied")


@pytest.mark.parametrize("damage", [b"\x1f\x8b", b"\x1f\x8bnot gzip at all", gzip.compress(b"a" * 5000, mtime=0)[:-9]])
def test_a_damaged_gzip_is_refused(office: Caller, damage: bytes) -> None:
    assert "damaged" in problem_of(office.send(damage), 400)["detail"]
    assert not Run.objects.exists()


def test_damaged_file_is_refused(office: Caller) -> None:
    problem_of(office.send(roster(student("0042")), sha256="0" * 64), 400)
    assert not Run.objects.exists()


@pytest.mark.both_databases
def test_same_key_and_body_once(office: Caller) -> None:
    content = roster(student("0042"))
    first = document_of(office.send(content), 202)
    assert document_of(office.send(content), 202)["id"] == first["id"]
    assert document_of(office.send(gzip.compress(content)), 202)["id"] == first["id"]
    assert document_of(office.send(content, key="k-2"), 202)["id"] != first["id"]
    assert Run.objects.count() == 2


@pytest.mark.both_databases
def test_same_key_other_body_refused(office: Caller) -> None:
    document_of(office.send(roster(student("0042"))), 202)
    for answer in (
        office.send(roster(student("0043"))),
        office.send(roster(student("0042")), mode="students"),
        office.send(roster(student("0042")), mapping_lines="mapper.x.constant.status=Active", mapping_name="x"),
        office.send(roster(student("0042")), encoding="utf-8"),
    ):
        assert problem_of(answer, 422)["type"] == "urn:sis-sync:problem:idempotency-key-reused"
    assert Run.objects.count() == 1


@pytest.mark.parametrize("key", [None, "", "k" * 256])
def test_file_needs_an_idempotency_key(office: Caller, key: str | None) -> None:
    assert "Idempotency-Key" in problem_of(office.send(roster(student("0042")), key=key), 400)["detail"]


@pytest.mark.both_databases
def test_idempotency_keys_are_per_client(office: Caller, north: Org, bob: Account, now: datetime) -> None:
    ours = document_of(office.send(roster(student("0042"))), 202)
    assert document_of(caller_of(north, bob, now).send(roster(student("0042"))), 202)["id"] != ours["id"]


def test_mapping_lines_are_followed(office: Caller, now: datetime) -> None:
    content = roster(student("0042")).replace(b"custom_id", b"Pupil No")
    lines = "mapper.sis.column.custom_id=Pupil No"
    received = document_of(office.send(content, mapping_lines=lines, mapping_name="sis"), 202)
    assert finished(received["id"], now).counts["create"] == 1


def test_wrong_mapping_lines_are_refused(office: Caller) -> None:
    problem = problem_of(office.send(roster(), mapping_lines="mapper.sis.colour=red", mapping_name="sis"), 422)
    assert problem["type"] == "urn:sis-sync:problem:configuration-error"


def test_file_is_read_as_its_sender_says(office: Caller, now: datetime) -> None:
    content = roster(student("0042", first_name="Łukasz")).decode().replace(",", ";").encode("windows-1250")
    title = b"Lakeview;;;;;;;;;\r\n"
    said = {"encoding": "windows-1250", "delimiter": "semicolon", "header": "2"}
    received = document_of(office.send(title + content, **said), 202)
    run = finished(received["id"], now)
    assert (run.counts["create"], run.reading_options) == (1, said)
    assert Account.objects.get(custom_id="0042").first_name == "Łukasz"
    assert "file.encoding_fallback" not in run.findings


@pytest.mark.parametrize(
    "said",
    [
        *({"encoding": "klingon"}, {"encoding": "a\0"}, {"delimiter": "#"}, {"header": "0"}, {"header": "none"}),
        *({"header": "2", "columns": "A | B"}, {"footer": "x" * 5000}, {"encoding_fallback": "utf-7"}),
    ],
)
def test_wrong_reading_options_are_refused(office: Caller, said: dict[str, str]) -> None:
    problem = problem_of(office.send(roster(student("0042")), **said), 422)
    assert problem["fix"]
    assert not Run.objects.exists()


@pytest.mark.parametrize("mode", ["", "everything", "%00"])
def test_an_unknown_mode_is_refused(office: Caller, mode: str) -> None:
    problem_of(office.send(roster(student("0042")), mode=mode), 400)


def test_control_characters_are_refused(office: Caller, district: Org, now: datetime) -> None:
    problem_of(office.get("/runs?state=%00"), 400)
    problem_of(office.send(roster(), mapping_name="a\x00"), 422)
    problem_of(office.send(roster(), mapping_lines="mapper.x.constant.status=\x00", mapping_name="x"), 422)
    run = waiting(office, district, now, student("0042"))
    problem_of(office.post(f"/runs/{run['id']}/reject", {"reason": "a\x00"}), 400)


def test_incomplete_calls_are_refused(office: Caller) -> None:
    problem_of(office.post("/runs?mode=partial", {}), 422)
    problem_of(office.browser.post(f"{API}/runs", headers=office.headers), 422)  # type: ignore[arg-type]
    problem_of(office.get("/runs?limit=1000"), 422)
    problem_of(office.post("/runs/1/approve", {}), 422)


def test_a_refused_file_says_why(office: Caller, now: datetime) -> None:
    received = document_of(office.send(b"PK\x03\x04 a spreadsheet", name="people.xlsx"), 202)
    assert finished(received["id"], now).state == "refused"
    run = document_of(office.get(f"/runs/{received['id']}"))
    assert run["refusal"]["code"] == "file.not_text"
    problem_of(office.get(f"/runs/{run['id']}/results.csv"), 404)


def test_scopes_and_modes_bind(office: Caller, district: Org, alice: Account, now: datetime) -> None:
    reader = caller_of(district, alice, now, ("read",))
    uploader = caller_of(district, alice, now, ("upload",), modes=("partial",))
    assert "upload" in problem_of(reader.send(roster(student("0042"))), 403)["detail"]
    assert "staff" in problem_of(uploader.send(roster(student("0042")), mode="staff"), 403)["detail"]
    run_id = document_of(uploader.send(roster(student("0042"))), 202)["id"]
    for caller in (reader, uploader):
        assert document_of(caller.get(f"/runs/{run_id}"))["id"] == run_id
        problem_of(caller.post(f"/runs/{run_id}/approve", {"digest": "x"}), 403)
        problem_of(caller.post(f"/runs/{run_id}/reject", {"reason": "x"}), 403)


@pytest.mark.both_databases
def test_foreign_runs_look_absent(
    office: Caller, north: Org, south: Org, alice: Account, bob: Account, charlie: Account, now: datetime
) -> None:
    run_id = document_of(office.send(roster(student("0042"))), 202)["id"]
    schools = [caller_of(north, bob, now), caller_of(south, alice, now), caller_of(charlie.org, charlie, now)]
    for caller in schools:
        absent = office.get("/runs/999999999").content
        assert document_of(caller.get("/runs"))["runs"] == []
        for answer in (
            caller.get(f"/runs/{run_id}"),
            caller.get(f"/runs/{run_id}/results.csv"),
            caller.get(f"/runs/{run_id}/failed.csv"),
            caller.post(f"/runs/{run_id}/approve", {"digest": "x"}),
            caller.post(f"/runs/{run_id}/reject", {"reason": "x"}),
            caller.post(f"/runs/{run_id}/cancel", {}),
        ):
            problem_of(answer, 404)
            assert answer.content == absent
    problem_of(office.get("/runs/none"), 404)
    problem_of(office.get("/nothing/here"), 404)


def test_upload_key_sees_sent_runs(office: Caller, district: Org, alice: Account, now: datetime) -> None:
    run_id = document_of(office.send(roster(student("0042"))), 202)["id"]
    uploader = caller_of(district, alice, now, ("upload",))
    assert [run["id"] for run in document_of(uploader.get("/runs"))["runs"]] == [run_id]
    Run.objects.update(api_key=None, uploaded_by=alice)
    assert document_of(uploader.get("/runs"))["runs"] == []
    problem_of(uploader.get(f"/runs/{run_id}"), 404)


@pytest.mark.both_databases
def test_runs_are_listed_in_pages(office: Caller) -> None:
    ids = [document_of(office.send(roster(student("0042")), key=f"k-{number}"), 202)["id"] for number in range(3)]
    first = document_of(office.get("/runs?limit=2"))
    assert [run["id"] for run in first["runs"]] == ids[:0:-1]
    second = document_of(office.get(f"/runs?limit=2&before={first['next_before']}"))
    assert ([run["id"] for run in second["runs"]], second["next_before"]) == (ids[:1], None)
    assert document_of(office.get("/runs?mode=full"))["runs"] == []
    assert len(document_of(office.get("/runs?state=received&mode=partial"))["runs"]) == 3


def waiting(caller: Caller, org: Org, now: datetime, *rows: dict[str, str], key: str = "k-1") -> dict[str, Any]:
    """A partial run that waits for a decision."""
    needs_approval(org, "partial")
    received = document_of(caller.send(roster(*rows), key=key), 202)
    finished(received["id"], now)
    return document_of(caller.get(f"/runs/{received['id']}"))


@pytest.mark.both_databases
def test_key_approves_the_seen_plan(office: Caller, district: Org, now: datetime) -> None:
    run = waiting(office, district, now, student("0042"))
    assert run["state"] == "waiting"
    problem_of(office.post(f"/runs/{run['id']}/approve", {"digest": "0" * 64}), 409)
    approved = document_of(office.post(f"/runs/{run['id']}/approve", {"digest": run["digest"]}))
    assert approved["state"] == "approved"
    assert finished(run["id"], now).state == "applied"
    assert Account.objects.filter(custom_id="0042").exists()
    assert AuditEntry.objects.get(action="run.approved").api_key == ApiKey.objects.get()


def test_a_key_never_approves_deletions(office: Caller, district: Org, dana: Account, now: datetime) -> None:
    received = document_of(office.send(roster(student("0042")), mode="full"), 202)
    run = finished(received["id"], now)
    assert run.counts["delete"] > 0
    problem = problem_of(office.post(f"/runs/{run.pk}/approve", {"digest": run.plan_digest}), 403)
    assert problem["type"] == "urn:sis-sync:problem:not-permitted"
    dana.refresh_from_db()
    assert dana.is_active


def test_key_rejects_with_a_reason(office: Caller, district: Org, now: datetime) -> None:
    run = waiting(office, district, now, student("0042"))
    problem_of(office.post(f"/runs/{run['id']}/reject", {"reason": " "}), 400)
    rejected = document_of(office.post(f"/runs/{run['id']}/reject", {"reason": "Yesterday's export"}))
    assert rejected["state"] == "rejected"
    problem_of(office.post(f"/runs/{run['id']}/approve", {"digest": run["digest"]}), 409)
    assert not Account.objects.filter(custom_id="0042").exists()


def test_sender_cancels_its_run(office: Caller, district: Org, alice: Account, now: datetime) -> None:
    run_id = document_of(office.send(roster(student("0042"))), 202)["id"]
    problem_of(caller_of(district, alice, now).post(f"/runs/{run_id}/cancel", {}), 403)
    for _ in range(2):
        assert document_of(office.post(f"/runs/{run_id}/cancel", {}))["state"] == "cancelled"
    assert finished(run_id, now).state == "cancelled"
    applied = finished(document_of(office.send(roster(student("0042")), key="k-2"), 202)["id"], now)
    problem = problem_of(office.post(f"/runs/{applied.pk}/cancel", {}), 409)
    assert (problem["state"], "applied" in problem["detail"]) == ("applied", True)


def test_client_reports_a_refusal(office: Caller, now: datetime, district: Org, alice: Account) -> None:
    facts = {"file_name": "C:\\exports\\people.csv", "sha256": "0" * 64, "code": "file.truncated", "line": 12}
    assert office.post("/refusals?mode=full", facts).status_code == 204
    entry = AuditEntry.objects.get(action="file.refused_by_client")
    assert entry.detail == facts | {"file_name": "people.csv", "mode": "full"}
    problem_of(office.post("/refusals?mode=never", facts), 400)
    problem_of(office.post("/refusals?mode=full", facts | {"code": "x"}), 422)
    problem_of(office.post("/refusals?mode=full", facts | {"line": 10**4000}), 422)
    problem_of(caller_of(district, alice, now, ("read",)).post("/refusals?mode=full", facts), 403)


def test_expired_key_is_refused(district: Org, alice: Account) -> None:
    long_ago = datetime.fromisoformat("2020-01-01T00:00:00+00:00")
    caller = caller_of(district, alice, long_ago, expires_at=long_ago + timedelta(days=1))
    assert "expired" in problem_of(caller.get("/ping"), 401)["detail"]


def test_the_api_describes_itself(client: Client) -> None:
    description = json.loads(client.get(f"{API}/openapi.json").content)
    assert description["openapi"].startswith("3.1")
    assert {
        f"{API}/ping",
        f"{API}/runs",
        f"{API}/runs/{{run_id}}",
        f"{API}/runs/{{run_id}}/results.csv",
        f"{API}/runs/{{run_id}}/failed.csv",
        f"{API}/runs/{{run_id}}/approve",
        f"{API}/runs/{{run_id}}/reject",
        f"{API}/runs/{{run_id}}/cancel",
    } <= set(description["paths"])


def test_calls_have_lasting_names(client: Client) -> None:
    paths = json.loads(client.get(f"{API}/openapi.json").content)["paths"]
    names = {call["operationId"] for calls in paths.values() for call in calls.values()}
    reading = {"ping", "list_runs", "get_run", "get_results", "get_failed_rows"}
    assert names == reading | {"send_run", "approve_run", "reject_run", "cancel_run", "undo_run", "report_refusal"}
