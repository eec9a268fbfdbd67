"""Calls with values that no program sends: each gets an answer that says what is wrong, never an error of ours."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlencode
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from kit.plans import examples
from kit.rosters import roster, settled, student, sync

from sis_sync.core.modes import MODES
from sis_sync.core.wording import shown
from sis_sync.server.accounts.models import Account
from sis_sync.server.keys.services import SCOPES, create_key
from sis_sync.server.orgs.models import Org
from sis_sync.server.runs.models import Run

ODD = (
    *(
        "",
        " ",
        "0",
        "-1",
        "1e3",
        "1.0",
        "9" * 30,
        str(2**63),
        str(2**31),
        "null",
        "true",
        "[]",
        "{}",
        "%",
        "%00",
        "\x00",
    ),
    *(
        "'",
        '"',
        "; DROP TABLE runs_run",
        "../../etc/passwd",
        "..\\x",
        "\r\nX: y",
        "\x85",
        "\u2028",
        "\u202e",
        "😀",
    ),
    *("१२", "٣", "Ⅷ", "²", "nan", "inf", "-0", "0x10", "1_000", "a" * 5_000, "é" * 300, "\ufffd", "*", "sqlite_master"),
)
odd = st.sampled_from(ODD) | st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
numbers = st.sampled_from(("RUN", "1", "999999")) | odd
PATHS = (
    *(
        "/runs/{}",
        "/runs/{}/results.csv",
        "/runs/{}/failed.csv",
        "/runs/{}/cancel",
        "/runs/{}/approve",
        "/runs/{}/reject",
    ),
    *("/runs/{}/undo", "/runs", "/refusals", "/ping", "/{}"),
)
NAMES = ("mode", "state", "before", "limit", "unchanged", "only_leavers", "since", "mapping_lines", "key")
FORM = (
    "mapping_lines",
    "mapping_name",
    "sha256",
    "encoding",
    "separator",
    "delimiter",
    "header_line",
    "sheet",
    "quote",
)
BODY = ("digest", "reason", "file_name", "sha256", "code", "line")
queries = st.dictionaries(st.sampled_from(NAMES), odd, max_size=3)
anything = odd | st.integers() | st.floats() | st.booleans() | st.none() | st.lists(odd, max_size=2)
HEADERS = ("Idempotency-Key", "User-Agent", "X-Forwarded-For", "Accept", "Range", "If-None-Match", "Accept-Language")


@pytest.fixture
def secret(district: Org, north: Org, alice: Account) -> str:
    """A key of the district with all scopes."""
    now = timezone.now()
    system = district.school_system
    return create_key(school_system=system, org=district, name="pc", scopes=SCOPES, actor=alice, now=now)[1]


@pytest.mark.django_db
def test_odd_ids_are_refused(secret: str) -> None:
    browser = Client(raise_request_exception=False, headers={"Authorization": f"Bearer {secret}"})
    for value in ODD:
        in_path = browser.get(f"/api/v1/runs/{quote(value, safe='')}/results.csv")
        assert in_path.status_code == 404, (value, in_path.content[:500])
        before = browser.get(f"/api/v1/runs?{urlencode({'before': value})}")
        assert before.status_code < 500, (value, before.content[:500])


@pytest.mark.night
@pytest.mark.django_db
@pytest.mark.both_databases
@examples(20, night=40, one_place=True)
@given(
    method=st.sampled_from(("GET", "POST")),
    path=st.sampled_from(PATHS),
    number=numbers,
    query=queries,
    body=st.dictionaries(st.sampled_from(BODY), anything, max_size=5),
)
def test_odd_values_are_refused(
    secret: str, district: Org, method: str, path: str, number: str, query: dict[str, str], body: dict[str, Any]
) -> None:
    address = "/api/v1" + path.format(quote(number.replace("RUN", str(a_run(district).pk)), safe=""))
    browser = Client(raise_request_exception=False)
    headers = {"Authorization": f"Bearer {secret}"}
    data = json.dumps(body) if method == "POST" else ""
    answer = browser.generic(method, f"{address}?{urlencode(query)}", data, "application/json", headers=headers)
    assert answer.status_code < 500, (answer.status_code, answer.content[:500])


@pytest.mark.night
@pytest.mark.django_db
@pytest.mark.both_databases
@examples(10, night=20, one_place=True)
@given(
    mode=st.sampled_from((*MODES, "partial&mode=full")) | odd.map(quote),
    name=odd,
    form=st.dictionaries(st.sampled_from(FORM), odd, max_size=3),
    headers=st.dictionaries(st.sampled_from(HEADERS), odd, max_size=3),
    content=st.sampled_from((b"", b"\x1f\x8b", b"PK\x03\x04", b"\x00" * 50, roster(student("N-1")))),
)
def test_odd_uploads_are_refused(
    secret: str, mode: str, name: str, form: Mapping[str, str], headers: dict[str, str], content: bytes
) -> None:
    sent = {each: value.encode("utf-8", "replace").decode("latin-1") for each, value in headers.items()}
    answer = Client(raise_request_exception=False).generic(
        "POST",
        f"/api/v1/runs?mode={mode}",
        body_of(name, content, form),
        content_type="multipart/form-data; boundary=cut",
        headers={"Idempotency-Key": uuid4().hex, **sent, "Authorization": f"Bearer {secret}"},
    )
    assert answer.status_code < 500, (answer.status_code, answer.content[:500])
    if answer.status_code == 202:
        run = settled(Run.objects.get(pk=answer.json()["id"]), now=timezone.now())
        assert run.state in ("applied", "held", "waiting", "refused"), run.refusal
        cancelled(run)


@pytest.mark.django_db
def test_bodies_that_cannot_be_read_are_refused(secret: str) -> None:
    field = b'--cut\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n'
    file = field.replace(b'"a"', b'"file"; filename="a.csv"')
    multipart = "multipart/form-data; boundary=cut"
    bodies = (
        ("multipart/form-data", b"x"),
        ("multipart/form-data; boundary=" + "b" * 5_000, b"--b\r\n"),
        (multipart, field * 3_000 + b"--cut--\r\n"),
        (multipart, file * 300 + b"--cut--\r\n"),
        ("application/x-www-form-urlencoded; charset=utf-16", b"mode=full"),
    )
    signed = {"Idempotency-Key": "k", "Authorization": f"Bearer {secret}"}
    for kind, body in bodies:
        browser = Client(raise_request_exception=False)
        call = browser.generic("POST", "/api/v1/runs?mode=full", body, content_type=kind, headers=signed)
        assert (call.status_code, call.json()["title"]) == (400, "Not understood"), (kind, call.content[:500])
        page = browser.generic("POST", "/sign-in", body, content_type=kind)
        assert page.status_code in (400, 403), (kind, page.content[:500])


def body_of(name: str, content: bytes, form: Mapping[str, str]) -> bytes:
    """Return the form as a program sends it that checks nothing."""
    parts = [(f'name="{field}"', value.encode()) for field, value in form.items()]
    parts.append((f'name="file"; filename="{name}"', content))
    body = b"".join(
        b"--cut\r\nContent-Disposition: form-data; " + head.encode() + b"\r\n\r\n" + value + b"\r\n"
        for head, value in parts
    )
    return body + b"--cut--\r\n"


def cancelled(run: Run) -> None:
    """End the run, because a key may have only so many open ones."""
    Run.objects.filter(pk=run.pk, state__in=("held", "waiting")).update(state="cancelled")


def a_run(org: Org) -> Run:
    """The run of the district that the calls name. It has no files."""
    values = {"scope_org": org, "mode": "partial", "file_name": "a.csv", "file_size_bytes": 1, "state": "waiting"}
    return Run.objects.get_or_create(school_system=org.school_system, defaults=values)[0]


@pytest.mark.django_db
@pytest.mark.both_databases
@pytest.mark.parametrize("odd_name", ["no\0name", "\x1b[2Jname", "\u202eeman", "no\tname", "no\x85name"])
def test_refusal_quotes_a_header_safely(district: Org, now: datetime, odd_name: str) -> None:
    """A terminal obeys some characters, PostgreSQL stores no NUL."""
    content = roster(student("S1")).replace(b"email", odd_name.encode(), 1)
    run = sync(district, content=content, now=now)
    assert run.refusal
    assert (run.state, run.refusal["code"]) == ("refused", "file.header_missing")
    assert run.refusal["message"].isprintable()
    assert shown(odd_name) in run.refusal["message"]
