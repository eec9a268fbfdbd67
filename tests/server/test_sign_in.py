"""Signing in, and how sessions end."""

from datetime import datetime, timedelta

import pytest
from django.contrib.auth import authenticate
from django.test import Client, RequestFactory

from sis_sync.server.accounts.models import Account, SignInFailures
from sis_sync.server.accounts.services import delete_accounts, disable_accounts, enable_accounts, set_password
from sis_sync.server.accounts.sign_in import school_system_at
from sis_sync.server.audit.models import AuditEntry
from sis_sync.server.errors import TooManySignIns
from sis_sync.server.orgs.models import SchoolSystem

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]

PASSWORD = "correct horse battery"


@pytest.fixture
def dana_with_password(dana: Account, now: datetime) -> Account:
    return set_password(account=dana, password=PASSWORD, actor=None, now=now)


def sign_in(
    system: SchoolSystem | None,
    now: datetime,
    *,
    email: str = "DANA.dubois@riverbend.example",
    password: str = PASSWORD,
    address: str = "127.0.0.1",
) -> object:
    request = RequestFactory().post("/sign-in", REMOTE_ADDR=address)
    return authenticate(request, school_system=system, email=email, password=password, now=now)


def test_address_without_case_and_password(
    school_system: SchoolSystem, other_system: SchoolSystem, dana_with_password: Account, now: datetime
) -> None:
    assert sign_in(school_system, now) == dana_with_password
    assert sign_in(school_system, now, password="Correct horse battery") is None
    assert sign_in(school_system, now, email="nobody@riverbend.example") is None
    assert sign_in(school_system, now, email="dana\x00") is None
    assert sign_in(other_system, now) is None
    assert AuditEntry.objects.get(action="signed_in").actor == dana_with_password


def test_bare_address_with_one_system(school_system: SchoolSystem, dana_with_password: Account, now: datetime) -> None:
    assert sign_in(None, now) == dana_with_password
    assert school_system_at("") == school_system


def test_bare_address_with_several_systems(
    school_system: SchoolSystem, other_system: SchoolSystem, dana_with_password: Account, now: datetime
) -> None:
    assert sign_in(None, now) is None
    assert school_system_at("") is None
    assert school_system_at("lakeside") == other_system


def test_account_without_password_stays_closed(school_system: SchoolSystem, dana: Account, now: datetime) -> None:
    assert sign_in(school_system, now, password="") is None
    assert sign_in(school_system, now, password=dana.password) is None


@pytest.mark.parametrize("end", [disable_accounts, delete_accounts])
def test_disabled_and_deleted_stay_out(
    school_system: SchoolSystem, dana_with_password: Account, now: datetime, end: object
) -> None:
    assert callable(end)
    end(accounts=[dana_with_password], actor=None, now=now)
    assert sign_in(school_system, now) is None


def user_of(client: Client) -> object:
    """Return the person that the server sees in this browser, from a page that needs no sign-in."""
    from django.contrib.auth import get_user

    request = RequestFactory().get("/")
    request.session = client.session
    return get_user(request)


@pytest.mark.parametrize("end", [disable_accounts, delete_accounts])
def test_disabling_and_deleting_end_sessions(client: Client, dana: Account, now: datetime, end: object) -> None:
    assert callable(end)
    client.force_login(dana)
    assert user_of(client) == dana
    end(accounts=[dana], actor=None, now=now)
    assert not getattr(user_of(client), "is_authenticated", True)


def test_ended_session_stays_ended(client: Client, dana: Account, now: datetime) -> None:
    client.force_login(dana)
    disable_accounts(accounts=[dana], actor=None, now=now)
    enable_accounts(accounts=[dana], actor=None, now=now)
    assert not getattr(user_of(client), "is_authenticated", True)


def test_new_password_ends_sessions(client: Client, dana: Account, now: datetime) -> None:
    client.force_login(dana)
    set_password(account=dana, password=PASSWORD, actor=None, now=now)
    assert not getattr(user_of(client), "is_authenticated", True)


def test_guessing_is_slowed_down(school_system: SchoolSystem, dana_with_password: Account, now: datetime) -> None:
    for _ in range(10):
        assert sign_in(school_system, now, password="wrong") is None
    with pytest.raises(TooManySignIns) as refused:
        sign_in(school_system, now)
    assert "16 more minutes" in str(refused.value) or "15 more minutes" in str(refused.value)
    assert sign_in(school_system, now, address="192.0.2.7") == dana_with_password
    assert sign_in(school_system, now + timedelta(minutes=16)) == dana_with_password


def test_right_password_ends_the_count(school_system: SchoolSystem, dana_with_password: Account, now: datetime) -> None:
    for _ in range(9):
        sign_in(school_system, now, password="wrong")
    assert sign_in(school_system, now) == dana_with_password
    assert not SignInFailures.objects.exists()
