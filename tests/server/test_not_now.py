"""While another process writes for long, or the disk is full: pages and calls answer, and forms keep what was typed."""

import errno
import html
import os
import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import OperationalError, connection
from django.db.utils import DatabaseErrorWrapper
from django.test import Client
from django.urls import reverse
from kit.rosters import roster, send, settled, student
from pytest_django.fixtures import Settings

from sis_sync.core.place_faults import PlaceFault
from sis_sync.server import place
from sis_sync.server.accounts.models import Account
from sis_sync.server.jobs.models import Job
from sis_sync.server.keys.models import ApiKey
from sis_sync.server.orgs.models import Org
from sis_sync.server.runs import flow, receive
from sis_sync.server.runs.files import run_files
from sis_sync.server.runs.models import Run

pytestmark = pytest.mark.django_db

RUNS = "/api/v1/runs"
PASSWORD = "Correct-horse-77-battery"
HIDDEN = re.compile(r'<input type="hidden" name="([^"]*)" value="([^"]*)">')
PLACES = ("home", "user_admin", "bulk_upload", "sync_client")


@pytest.fixture(autouse=True)
def own_data_folder(settings: Settings, tmp_path: Path) -> None:
    settings.SIS_SYNC_DATA_FOLDER = tmp_path


@pytest.fixture(autouse=True)
def answers_to_exceptions(client: Client) -> None:
    client.raise_request_exception = False


@contextmanager
def another_process_writes() -> Iterator[None]:
    """Let every statement that writes fail as SQLite lets it fail after its busy timeout."""

    def refuse(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.startswith(("BEGIN", "INSERT", "UPDATE", "DELETE")):
            with DatabaseErrorWrapper(connection):
                error = sqlite3.OperationalError("database is locked")
                error.sqlite_errorcode = sqlite3.SQLITE_BUSY
                raise error
        return execute(sql, params, many, context)

    with connection.execute_wrapper(refuse):
        yield


@pytest.fixture
def full_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(place, "ROOM_KEPT_BYTES", 1 << 60)


def upload(client: Client, key: str, idempotency_key: str = "k1", *rows: dict[str, str]) -> Any:
    file = SimpleUploadedFile("people.csv", roster(*(rows or [student("S1")])))
    headers = {"Authorization": f"Bearer {key}", "Idempotency-Key": idempotency_key}
    return client.post(f"{RUNS}?mode=partial", {"file": file}, headers=headers)


def left_behind(folder: Path) -> list[str]:
    return [path.name for name in ("incoming", "work", "runs") for path in (folder / name).glob("*")]


def kept_fields(page: str) -> dict[str, str]:
    return {name: html.unescape(value) for name, value in HIDDEN.findall(page)}


@pytest.mark.both_databases
def test_reading_writes_nothing(as_alice: Client, district_key: str, now: datetime) -> None:
    ApiKey.objects.update(last_used_at=now - timedelta(days=1))
    with another_process_writes():
        for name in PLACES:
            assert as_alice.get(reverse(f"web:{name}")).status_code == 200, name
        for path in ("/api/v1/ping", RUNS):
            assert as_alice.get(path, headers={"Authorization": f"Bearer {district_key}"}).status_code == 200
    assert ApiKey.objects.get().last_used_at == now - timedelta(days=1)
    as_alice.get(RUNS, headers={"Authorization": f"Bearer {district_key}"})
    assert ApiKey.objects.get().last_used_at != now - timedelta(days=1)


@pytest.mark.django_db(transaction=True)
def test_form_that_must_wait_keeps_what_was_typed(as_alice: Client, north: Org) -> None:
    typed = {
        "first_name": 'Zoë "Zo" <b>',
        "last_name": "Okafor",
        "email": "zoe@riverbend.example",
        "user_type": "Teacher",
        "org": str(north.pk),
        "status": "Active",
        "password": PASSWORD,
    }
    address = reverse("web:account_create")
    with another_process_writes():
        answer = as_alice.post(address, typed)
        in_part = as_alice.post(address, typed, headers={"HX-Request": "true"})
    page = answer.content.decode()
    assert (in_part.status_code, in_part.headers["HX-Retarget"]) == (503, "#content")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert "busy with a long change" in page
    assert PASSWORD not in page
    assert 'type="password" name="password"' in page
    assert not Account.objects.filter(email=typed["email"]).exists()
    kept = kept_fields(page)
    assert {name: kept.get(name) for name in typed} == {**typed, "password": None}
    assert as_alice.post(address, {**kept, "password": PASSWORD}).status_code == 303
    assert Account.objects.get(email=typed["email"]).first_name == typed["first_name"]


@pytest.mark.django_db(transaction=True)
def test_signing_in_that_must_wait_signs_nobody_in(client: Client, dana: Account) -> None:
    dana.set_password(PASSWORD)
    dana.save()
    pair = {"email": dana.email, "password": PASSWORD, "next": "/profile"}
    address = reverse("web:sign_in_at", args=["riverbend"])
    with another_process_writes():
        answer = client.post(address, pair)
        assert client.get("/profile").status_code == 302
    page = answer.content.decode()
    assert (answer.status_code, "Retry-After" in answer.headers, PASSWORD in page) == (503, True, False)
    assert client.post(address, {**kept_fields(page), "password": PASSWORD}).headers["Location"] == "/profile"
    assert client.get("/profile").status_code == 200


def test_change_of_a_session_is_dropped_if_it_must_wait(as_alice: Client) -> None:
    session = as_alice.session
    session["color"] = "blue"
    with another_process_writes():
        session.save()
        assert "color" not in as_alice.session
    session.save()
    assert as_alice.session["color"] == "blue"


def test_form_of_another_site_is_not_kept(client: Client, alice: Account) -> None:
    strict = Client(enforce_csrf_checks=True, raise_request_exception=False)
    strict.force_login(alice)
    with another_process_writes():
        answer = strict.post(reverse("web:account_create"), {"first_name": "Mallory"})
    assert answer.status_code == 403
    assert "Mallory" not in answer.content.decode()


def test_upload_that_must_wait_leaves_nothing(
    client: Client, as_alice: Client, district_key: str, tmp_path: Path
) -> None:
    with another_process_writes():
        call = upload(client, district_key)
        file = SimpleUploadedFile("people.csv", roster(student("S1")))
        page = as_alice.post(reverse("web:bulk_upload"), {"mode": "partial", "mapping_name": "", "file": file})
    assert (call.status_code, call.headers["Retry-After"]) == (503, "5")
    assert (call.headers["Content-Type"], call.json()["type"]) == (
        "application/problem+json",
        "urn:sis-sync:problem:not-now",
    )
    assert (page.status_code, 'type="file" name="file"' in page.content.decode()) == (503, True)
    assert kept_fields(page.content.decode())["mode"] == "partial"
    assert (Run.objects.count(), left_behind(tmp_path)) == (0, [])
    assert upload(client, district_key).status_code == 202


def test_upload_whose_run_cannot_be_recorded_leaves_nothing(
    district: Org, now: datetime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(**_values: Any) -> None:
        assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["original"]
        raise OperationalError("disk I/O error")

    with monkeypatch.context() as patch:
        patch.setattr(receive, "record", fail)
        with pytest.raises(OperationalError):
            send(district, student("S1"), now=now)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
    assert run_files(send(district, student("S1"), now=now)).original.is_file()


def test_upload_without_room_is_refused(
    client: Client, as_alice: Client, district_key: str, tmp_path: Path, full_disk: None
) -> None:
    call = upload(client, district_key)
    assert (call.status_code, call.headers["Retry-After"]) == (507, "60")
    assert call.json()["title"] == "The disk of the server is full"
    page = as_alice.post(reverse("web:bulk_upload"), {"mode": "partial", "file": SimpleUploadedFile("a.csv", b"x")})
    assert (page.status_code, "The disk of the server is full" in page.content.decode()) == (507, True)
    assert (Run.objects.count(), left_behind(tmp_path)) == (0, [])
    assert as_alice.get("/").status_code == 200


def test_disk_that_fills_up_meanwhile(
    client: Client, district_key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fsync(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fsync)
        answer = upload(client, district_key)
    assert (answer.status_code, answer.json()["type"]) == (507, "urn:sis-sync:problem:disk-full")
    assert (Run.objects.count(), left_behind(tmp_path)) == (0, [])
    assert upload(client, district_key).status_code == 202


def test_other_exceptions_stay_bugs(client: Client, district_key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fsync(_descriptor: int) -> None:
        raise OSError("no number")

    monkeypatch.setattr(os, "fsync", fsync)
    assert upload(client, district_key).status_code == 500


@pytest.mark.both_databases
def test_failed_run_begins_again_with_its_key(
    client: Client, district: Org, north: Org, district_key: str, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_arguments: object, **_named: object) -> None:
        raise AssertionError

    sent = upload(client, district_key)
    run = Run.objects.get(pk=sent.json()["id"])
    with monkeypatch.context() as patch:
        patch.setattr(flow, "make_stored_plan", fail)
        assert settled(run, now=now).state == "failed"
    assert upload(client, district_key, "k1", student("S2")).status_code == 422
    again = upload(client, district_key)
    assert (again.status_code, again.json()["id"], again.json()["state"]) == (202, str(run.pk), "received")
    assert again.json()["refusal"] is None
    assert settled(run, now=now).counts["create"] == 1
    assert upload(client, district_key).json()["state"] == run.state
    assert Job.objects.filter(run=run, kind="plan").count() == 2


def test_pages_say_what_a_run_waits_for(
    as_alice: Client, district: Org, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = send(district, student("S1"), now=now)
    monkeypatch.setattr(place, "ROOM_KEPT_BYTES", 1 << 60)
    progress = reverse("web:run_progress", args=[run.pk])
    words = place.PLACE_WORDS[PlaceFault.DISK_FULL]
    for since in (None, now):  # not stored yet, then stored
        Job.objects.filter(run=run).update(waits_for="disk_full" if since else "", waits_since=since)
        for address in ("/", reverse("web:run", args=[run.pk]), f"{progress}?seen=received"):
            page = as_alice.get(address).content.decode()
            assert f"aits: {words}" in page, address
            assert ("since" in page) == bool(since)
        assert as_alice.get(progress, {"seen": "received, waits"}).status_code == 204
    Run.objects.filter(pk=run.pk).update(state="cancelled")
    assert words not in as_alice.get("/").content.decode()
