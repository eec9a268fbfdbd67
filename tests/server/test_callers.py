"""The limits of one API key: calls in a minute, uploads at a time, bytes in a day, and the size of its first file."""

import gzip
import json
from datetime import datetime
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone
from kit.rosters import approved, needs_approval, roster, settled, student
from pytest_django.fixtures import Settings

from sis_sync.server import windows
from sis_sync.server.accounts.models import Account
from sis_sync.server.errors import DiskFull
from sis_sync.server.keys import limits
from sis_sync.server.keys.limits import file_limit_bytes
from sis_sync.server.keys.models import ApiKey
from sis_sync.server.keys.services import rotate_key
from sis_sync.server.orgs.models import Org
from sis_sync.server.runs.approval import approve_run
from sis_sync.server.runs.models import Run
from sis_sync.server.windows import HOLD, Hold, Window

MB = 1 << 20
RUNS = "/api/v1/runs"


@pytest.fixture
def now() -> datetime:
    """The real clock: the calls look at it."""
    return timezone.now()


def send(client: Client, secret: str, content: bytes, *, key: str = "k-1", hold: Hold | None = None) -> HttpResponse:
    headers = {"Authorization": f"Bearer {secret}", "Idempotency-Key": key}
    file = SimpleUploadedFile("people.csv.gz", gzip.compress(content))
    environ: dict[str, Any] = {HOLD: hold}
    return client.post(f"{RUNS}?mode=partial", {"file": file}, headers=headers, **environ)  # type: ignore[return-value]


def problem(answer: HttpResponse, status: int) -> str:
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, "application/problem+json")
    return str(json.loads(answer.content)["detail"])


def test_calls_of_a_minute(
    client: Client, district_key: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds = 100.0
    monkeypatch.setattr(windows, "monotonic_seconds", lambda: seconds)
    settings.SIS_SYNC_CALLS_A_MINUTE = 3
    headers = {"Authorization": f"Bearer {district_key}"}
    for _ in range(3):
        assert client.get("/api/v1/ping", headers=headers).status_code == 200
        seconds += 10
    refused = client.get(RUNS, headers=headers)
    assert "may make 3 calls a minute" in problem(refused, 429)  # type: ignore[arg-type]
    assert refused.headers["Retry-After"] == "30"
    seconds += 29
    assert client.get(RUNS, headers=headers).status_code == 429
    seconds += 1
    assert client.get(RUNS, headers=headers).status_code == 200
    assert client.get(RUNS, headers=headers).status_code == 429


def test_uploads_at_a_time(client: Client, district: Org, district_key: str, settings: Settings) -> None:
    settings.SIS_SYNC_UPLOADS_AT_ONCE = 1
    other = Hold()
    limits.begin_upload(ApiKey.objects.get(), other)
    refused = send(client, district_key, roster(student("S1")))
    assert "sends 1 files at this moment" in problem(refused, 429)
    assert refused.headers["Retry-After"] == "10"
    assert send(client, district_key, roster(student("S1")), hold=other).status_code == 202  # its own slot
    other.free()
    for key in ("k-2", "k-3"):
        assert send(client, district_key, roster(student("S1")), key=key).status_code == 202


def test_open_files(client: Client, district: Org, north: Org, district_key: str, settings: Settings) -> None:
    settings.SIS_SYNC_OPEN_FILES = 2
    needs_approval(district, "partial")
    for key in ("k-1", "k-2"):
        assert send(client, district_key, roster(student("S1")), key=key).status_code == 202
    refused = send(client, district_key, roster(student("S1")), key="k-3")
    assert "2 files and undos of the key" in problem(refused, 429)
    assert refused.headers["Retry-After"] == "60"
    waits, other = (settled(run, now=timezone.now()) for run in Run.objects.order_by("pk"))
    assert send(client, district_key, roster(student("S1")), key="k-3").status_code == 429
    cancel = {"Authorization": f"Bearer {district_key}"}
    assert client.post(f"{RUNS}/{other.pk}/cancel", headers=cancel).status_code == 200
    assert waits.state == "waiting"
    assert send(client, district_key, roster(student("S1")), key="k-3").status_code == 202


def test_bytes_of_a_day(client: Client, district: Org, district_key: str, settings: Settings) -> None:
    settings.SIS_SYNC_UPLOAD_MB_A_DAY = 3
    assert send(client, district_key, b"a" * 2 * MB).status_code == 202
    refused = send(client, district_key, b"b" * 2 * MB, key="k-2")
    assert "may send 3 MB in 24 hours" in problem(refused, 429)
    assert int(refused.headers["Retry-After"]) > 60 * 60


def test_bytes_that_were_not_taken_are_given_back(
    client: Client, district: Org, district_key: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_arguments: object, **_named: object) -> None:
        raise DiskFull("The disk is full.")

    settings.SIS_SYNC_UPLOAD_MB_A_DAY = 3
    for _ in range(3):
        hold = Hold()
        hold.is_asked = True
        environ = {"CONTENT_LENGTH": str(2 * MB), HOLD: hold}
        headers = {"Authorization": f"Bearer {district_key}"}
        assert client.post(RUNS, headers=headers, **environ).status_code == 204  # type: ignore[arg-type]
        hold.free()  # its body never arrives
    with monkeypatch.context() as patch:
        patch.setattr("sis_sync.server.runs.receive.enqueue", full)
        for _ in range(3):
            assert send(client, district_key, b"a" * 2 * MB).status_code == 507
    damaged = {"file": SimpleUploadedFile("people.csv", b"c" * 900_000), "sha256": "0" * 64}
    headers["Idempotency-Key"] = "k-3"
    assert client.post(f"{RUNS}?mode=partial", damaged, headers=headers).status_code == 400  # the sender's fault
    assert send(client, district_key, b"a" * 2 * MB).status_code == 202
    assert send(client, district_key, b"b" * 200_000, key="k-2").status_code == 429


def test_first_file_waits_for_a_person(
    client: Client, district: Org, north: Org, alice: Account, district_key: str, settings: Settings, now: datetime
) -> None:
    settings.SIS_SYNC_FIRST_FILE_MB = 1
    large = roster(student("S1")) + b"\n" * MB
    refused = send(client, district_key, large)
    assert "more than 1 MB unpacked" in problem(refused, 422)
    assert json.loads(refused.content)["code"] == "file.too_large"
    assert not Run.objects.exists()
    needs_approval(district, "partial")
    assert send(client, district_key, roster(student("S1")), key="k-2").status_code == 202
    run = settled(Run.objects.get(), now=now)
    assert send(client, district_key, large, key="k-3").status_code == 422
    approve_run(run=run, digest=run.plan_digest, by=alice, reason="checked", now=now)
    assert send(client, district_key, large, key="k-4").status_code == 202


def test_policy_is_not_a_person(client: Client, district: Org, north: Org, district_key: str, now: datetime) -> None:
    assert send(client, district_key, roster(student("S1"))).status_code == 202
    assert settled(Run.objects.get(), now=now).state == "applied"
    assert file_limit_bytes(ApiKey.objects.get()) == 50 * MB


@pytest.mark.parametrize("is_asked_by_key", [True, False])
def test_undo_makes_no_key_trusted(
    client: Client,
    as_alice: Client,
    alice: Account,
    district: Org,
    north: Org,
    district_key: str,
    now: datetime,
    is_asked_by_key: bool,
) -> None:
    assert send(client, district_key, roster(student("S1"))).status_code == 202
    sent = settled(Run.objects.get(), now=now)
    if is_asked_by_key:
        client.post(f"{RUNS}/{sent.pk}/undo", headers={"Authorization": f"Bearer {district_key}"})
    else:
        as_alice.post(f"/runs/{sent.pk}/undo")
    undo = settled(Run.objects.get(mode="undo"), now=now)
    assert approved(undo, alice, timezone.now()).state == "applied"
    assert file_limit_bytes(ApiKey.objects.get()) == 50 * MB


def test_file_in_the_pages_is_trusted(as_alice: Client, north: Org, district_key: str, now: datetime) -> None:
    file = SimpleUploadedFile("people.csv", roster(student("S1")))
    as_alice.post("/bulk", {"mode": "partial", "file": file})
    assert settled(Run.objects.get(), now=now).state == "applied"
    assert file_limit_bytes(ApiKey.objects.get()) == 1024 * MB


def test_manager_sets_the_size(as_alice: Client, district_key: str, alice: Account, now: datetime) -> None:
    key = ApiKey.objects.get()
    address = f"/bulk/client/keys/{key.pk}/size"
    assert "Enter a whole number" in as_alice.post(address, {"first_file_mb": "2000"}).content.decode()
    assert as_alice.post(address, {"first_file_mb": "200"}).status_code == 303
    key.refresh_from_db()
    assert file_limit_bytes(key) == 200 * MB
    new_key, _ = rotate_key(key=key, actor=alice, now=now)
    assert file_limit_bytes(new_key) == 200 * MB


def test_large_bodies_are_judged_by_their_headers(
    client: Client, as_bob: Client, district_key: str, settings: Settings
) -> None:
    def judged(browser: Client, path: str, size: str, secret: str = "") -> tuple[int, bool]:
        hold = Hold()
        hold.is_asked = True
        headers = {"Authorization": f"Bearer {secret}"} if secret else {}
        environ = {"CONTENT_LENGTH": size, HOLD: hold}
        return browser.post(path, headers=headers, **environ).status_code, hold.is_allowed  # type: ignore[arg-type]

    nobody = Client()
    large, huge = str(40 * MB), str(60 * MB)
    assert judged(nobody, RUNS, large) == (401, False)
    assert judged(nobody, RUNS, large, "sissync_wrong") == (401, False)
    assert judged(nobody, RUNS, huge, district_key) == (422, False)
    assert judged(nobody, RUNS, "", district_key) == (413, False)
    assert judged(nobody, "/api/v1/refusals", large, district_key) == (413, False)
    assert judged(nobody, RUNS, large, district_key) == (204, True)
    assert judged(nobody, "/sign-in", large) == (302, False)
    assert judged(as_bob, "/bulk", large) == (204, True)
    assert judged(as_bob, "/bulk", "") == (413, False)
    assert judged(as_bob, "/members/search", large) == (413, False)
    settings.SIS_SYNC_CALLS_A_MINUTE = 1
    assert nobody.get("/api/v1/ping", headers={"Authorization": f"Bearer {district_key}"}).status_code == 200
    assert judged(nobody, RUNS, large, district_key) == (429, False)


def test_window_slides_and_remembers_little(monkeypatch: pytest.MonkeyPatch) -> None:
    moment = -20.0
    monkeypatch.setattr(windows, "monotonic_seconds", lambda: moment)
    monkeypatch.setattr(windows, "MOST_NAMES", 2)
    window = Window(seconds=60)
    for _ in range(3):
        moment += 20
        assert window.take("a", most=3) == 0
    assert window.take("a", most=3) == 20
    moment = 61
    assert window.take("a", most=3) == 0
    window.give_back("a")
    assert window.total("a") == 2
    window.add("b")
    window.add("c")
    assert [window.total(name) for name in "abc"] == [0, 1, 1]


def test_window_forgets_while_more_keeps_coming(monkeypatch: pytest.MonkeyPatch) -> None:
    moment = 0.0
    monkeypatch.setattr(windows, "monotonic_seconds", lambda: moment)
    window = Window(seconds=60)
    for number in range(300):  # 80 in 60 seconds, each soon after the one before
        moment = number * 0.75
        assert window.take("a", most=80) == 0, number
