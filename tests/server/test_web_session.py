"""Signing in and out, the setup link, one's own password."""

from datetime import datetime, timedelta

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone
from kit.rosters import student, sync

from sis_sync.server.accounts.models import Account
from sis_sync.server.accounts.services import set_password
from sis_sync.server.orgs.models import Org, SchoolSystem
from sis_sync.server.setup.link import make_setup_link

real_now = timezone.now
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


def test_long_password_is_not_hashed(
    client: Client, alice_with_password: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sis_sync.server.web.views.sign_in.authenticate", lambda *_, **__: pytest.fail("it was tried"))
    page = client.post("/sign-in", {"email": alice_with_password.email, "password": "a" * 1001}).content.decode()
    assert "Passwords have at most 1,000 characters." in page


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


class Clock:
    """The clock of the server, which a test turns on."""

    def __init__(self) -> None:
        self.now = real_now()

    def __call__(self) -> datetime:
        return self.now

    def turn_on(self, **time: int) -> None:
        self.now += timedelta(**time)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(timezone, "now", clock)
    return clock


def is_signed_in(client: Client) -> bool:
    return client.get("/profile").status_code == 200


def test_session_ends_without_activity(client: Client, dana: Account, clock: Clock) -> None:
    client.force_login(dana)
    for _ in range(3):
        clock.turn_on(minutes=29)
        assert is_signed_in(client)
    clock.turn_on(minutes=31)
    ended = client.get("/profile")
    assert (ended.status_code, ended.headers["Location"]) == (302, "/sign-in?next=/profile")


def test_session_ends_12_hours_after_signing_in(client: Client, alice: Account, clock: Clock) -> None:
    client.force_login(alice)
    began, ends = clock.now, Session.objects.get().expire_date
    while clock.now < began + timedelta(hours=11, minutes=40):
        clock.turn_on(minutes=20)
        assert client.get("/members").status_code == 200
        session = client.session
        session["changed"] = str(clock.now)
        session.save()
    assert Session.objects.get().expire_date == ends
    clock.turn_on(minutes=21)
    assert not is_signed_in(client)


def test_cookie_of_another_session_keeps_nothing_alive(
    client: Client, dana: Account, bob: Account, clock: Clock
) -> None:
    client.force_login(dana)
    clock.turn_on(minutes=40)
    other = Client()
    other.force_login(bob)
    assert is_signed_in(other)
    client.cookies["seen"] = other.cookies["seen"].value
    assert not is_signed_in(client)


def test_times_of_a_wrong_clock_do_not_count(client: Client, dana: Account, clock: Clock) -> None:
    client.force_login(dana)
    clock.turn_on(hours=1)
    assert not is_signed_in(client)
    client.force_login(dana)
    assert is_signed_in(client)
    clock.turn_on(hours=-1)
    assert not is_signed_in(client)


def test_pages_that_ask_by_themselves_are_no_activity(
    client: Client, alice: Account, district: Org, now: datetime, clock: Clock
) -> None:
    run = sync(district, student("S1"), now=now)
    client.force_login(alice)
    for _ in range(2):
        clock.turn_on(minutes=20)
        last = client.get(f"/runs/{run.pk}/progress")
    assert last.status_code == 302


def test_new_session_after_the_end(client: Client, dana: Account, clock: Clock) -> None:
    set_password(account=dana, password=PASSWORD, actor=None, now=clock.now)
    pair = {"email": dana.email, "password": PASSWORD}
    client.post("/sign-in", pair)
    first = client.session.session_key
    clock.turn_on(minutes=31)
    assert "Your session has ended." in client.get("/sign-in?next=/profile").content.decode()
    client.post("/sign-in", pair)
    assert client.session.session_key != first
    assert not Session.objects.filter(pk=first).exists()
    assert is_signed_in(client)


def test_own_password_keeps_a_long_session(client: Client, dana: Account, clock: Clock) -> None:
    set_password(account=dana, password=PASSWORD, actor=None, now=clock.now)
    client.post("/sign-in", {"email": dana.email, "password": PASSWORD})
    for _ in range(2):
        clock.turn_on(minutes=20)
        assert is_signed_in(client)
    assert client.post("/profile", {"present": PASSWORD, "password": OTHER}).status_code == 303
    clock.turn_on(minutes=20)
    assert is_signed_in(client)


def test_form_sent_after_the_end_leads_back_to_its_page(client: Client, alice: Account, clock: Clock) -> None:
    client.force_login(alice)
    clock.turn_on(minutes=31)
    for page, location in (
        ("http://testserver/members?status=Disabled", "/sign-in?next=/members%3Fstatus%3DDisabled"),
        ("http://elsewhere.example/members", "/sign-in?next=/members/act"),
    ):
        answer = client.post("/members/act", {"action": "delete"}, headers={"Referer": page})
        assert (answer.status_code, answer.headers["Location"]) == (302, location)


def test_staying_tells_the_seconds_left(client: Client, alice: Account, clock: Clock) -> None:
    assert client.get("/stay").status_code == 401
    client.force_login(alice)
    assert 'data-seconds="1800"' in client.get("/members").content.decode()
    clock.turn_on(minutes=29)
    answer = client.get("/stay").json()
    assert (answer["seconds"], len(answer["token"])) == (1800, 64)
    clock.turn_on(minutes=29)
    assert is_signed_in(client)
    for _ in range(26):
        clock.turn_on(minutes=25)
        client.get("/stay")
    left = client.get("/stay").json()["seconds"]
    assert 0 <= (12 * 60 - 29 * 2 - 26 * 25) * 60 - left <= 2


def test_sessions_and_addresses_name_no_one(as_alice: Client, dana: Account, bob: Account) -> None:
    page = as_alice.post("/members/search", {"text": "Dubois"}, follow=True)
    address = page.redirect_chain[-1][0]
    assert "Dana Dubois" in page.content.decode()
    assert 'value="Dubois"' in page.content.decode()
    as_alice.post("/members/act", {"action": "disable", "account": dana.pk, "confirmed": "yes"})
    act = {"action": "password", "account": dana.pk, "confirmed": "yes", "password": PASSWORD}
    flashed = as_alice.post("/members/act", act)
    kept = flashed.cookies["messages"].value + address + str([each.get_decoded() for each in Session.objects.all()])
    assert "ubois" not in kept
    assert "The password of Dana Dubois was changed." in as_alice.get("/members").content.decode()
    as_bob = Client()
    as_bob.force_login(bob)
    assert "Dubois" not in as_bob.get(address).content.decode().split("<table")[0], "sealed for Alice only"
