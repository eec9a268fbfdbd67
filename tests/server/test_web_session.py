"""Signing in and out, the setup link, one's own password."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from sis_sync.server.accounts.models import Account
from sis_sync.server.accounts.services import set_password
from sis_sync.server.orgs.models import Org, SchoolSystem
from sis_sync.server.setup.link import make_setup_link

PASSWORD = "quiet-otter-lamp-42"
OTHER = "brisk-heron-door-17"


@pytest.fixture
def alice_with_password(alice: Account) -> Account:
    return set_password(account=alice, password=PASSWORD, actor=None, now=timezone.now())


def setup_values(**values: str) -> dict[str, str]:
    return {
        "name": "Riverbend Unified",
        "time_zone": "America/Chicago",
        "external_id": "RB",
        "school_name": "North School",
        "school_external_id": "N1",
        "first_name": "Alice",
        "last_name": "Abara",
        "email": "alice@riverbend.example",
        "password": PASSWORD,
        **values,
    }


@pytest.mark.django_db
def test_setup_signs_first_manager_in(client: Client) -> None:
    link = make_setup_link(base_url="", now=timezone.now())
    assert "The first manager" in client.get(link).content.decode()
    response = client.post(link, setup_values())
    assert (response.status_code, response.headers["Location"]) == (303, "/settings")
    page = client.get("/settings").content.decode()
    assert "North School" in page
    assert "N1" in page
    assert client.get(link).status_code == 410


@pytest.mark.django_db
def test_setup_keeps_values_not_password(client: Client) -> None:
    link = make_setup_link(base_url="", now=timezone.now())
    page = client.post(link, setup_values(email="alice", password=OTHER)).content.decode()
    assert "<title>Error: " in page
    assert 'href="#id_email"' in page
    assert 'value="Riverbend Unified"' in page
    assert OTHER not in page
    assert not SchoolSystem.objects.exists()


@pytest.mark.django_db
def test_old_setup_link_is_refused(client: Client) -> None:
    link = make_setup_link(base_url="", now=timezone.now() - timedelta(minutes=61))
    response = client.get(link)
    assert response.status_code == 410
    assert "60 minutes are over" in response.content.decode()


@pytest.mark.django_db
def test_empty_server_explains_setup(client: Client) -> None:
    assert "one-time setup link" in client.get("/sign-in").content.decode()


def test_sign_in_leads_to_next(client: Client, alice_with_password: Account) -> None:
    pair = {"email": alice_with_password.email.upper(), "password": PASSWORD, "next": "/members"}
    response = client.post("/sign-in", pair)
    assert (response.status_code, response.headers["Location"]) == (303, "/members")
    assert client.get("/members").status_code == 200


def test_sign_in_leads_nowhere_foreign(client: Client, alice_with_password: Account) -> None:
    pair = {"email": alice_with_password.email, "password": PASSWORD, "next": "https://elsewhere.example/"}
    assert client.post("/sign-in", pair).headers["Location"] == "/"


def test_wrong_pair_reveals_nothing(client: Client, alice_with_password: Account) -> None:
    known = client.post("/sign-in", {"email": alice_with_password.email, "password": OTHER})
    unknown = client.post("/sign-in", {"email": "nobody@riverbend.example", "password": OTHER})
    assert "do not belong together" in known.content.decode()
    assert "do not belong together" in unknown.content.decode()
    assert OTHER not in known.content.decode()


def test_bare_sign_in_asks_which(client: Client, alice_with_password: Account, other_system: SchoolSystem) -> None:
    assert "Which school system?" in client.get("/sign-in").content.decode()
    assert "Lakeside" not in client.get("/sign-in").content.decode()
    assert client.post("/sign-in", {"slug": "riverbend"}).headers["Location"] == "/sign-in/riverbend"
    assert "No school system has this short name." in client.post("/sign-in", {"slug": "x"}).content.decode()
    assert client.get("/sign-in/nowhere").status_code == 404
    pair = {"email": alice_with_password.email, "password": PASSWORD}
    assert client.post("/sign-in/lakeside", pair).status_code == 200
    assert client.post("/sign-in/riverbend", pair).status_code == 303


def test_sign_out_needs_post(client: Client, alice: Account) -> None:
    client.force_login(alice)
    assert client.get("/sign-out").status_code == 405
    assert client.post("/sign-out").headers["Location"] == "/sign-in/riverbend"
    assert client.get("/members").status_code == 302


def test_own_password_keeps_session(client: Client, dana: Account) -> None:
    set_password(account=dana, password=PASSWORD, actor=None, now=timezone.now())
    elsewhere = Client()
    pair = {"email": dana.email, "password": PASSWORD}
    client.post("/sign-in", pair)
    elsewhere.post("/sign-in", pair)
    wrong = client.post("/profile", {"present": OTHER, "password": OTHER}).content.decode()
    assert "This is not your present password." in wrong
    assert client.post("/profile", {"present": PASSWORD, "password": OTHER}).status_code == 303
    assert client.get("/profile").status_code == 200
    assert elsewhere.get("/profile").status_code == 302


def test_weak_password_is_explained(client: Client, dana: Account) -> None:
    set_password(account=dana, password=PASSWORD, actor=None, now=timezone.now())
    client.post("/sign-in", {"email": dana.email, "password": PASSWORD})
    page = client.post("/profile", {"present": PASSWORD, "password": "short"}).content.decode()
    assert "too short" in page


def test_pages_are_strict_with_browsers(client: Client, alice: Account, district: Org) -> None:
    client.force_login(alice)
    response = client.get("/members")
    assert "script-src 'self'" in response.headers["Content-Security-Policy"]
    page = response.content.decode()
    assert "style=" not in page
    assert "onclick=" not in page
    assert "<script>" not in page
