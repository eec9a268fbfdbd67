"""API keys: creation, storage, rotation, refusal."""

from datetime import datetime, timedelta

import pytest
from django.http import Http404

from sis_sync.core.api_key import checksum
from sis_sync.core.errors import KeyRefused, NotPermitted
from sis_sync.server.accounts.models import Account
from sis_sync.server.errors import ApiDisabled, ValuesRefused
from sis_sync.server.keys.authenticate import authenticate_key
from sis_sync.server.keys.models import ApiKey
from sis_sync.server.keys.selectors import access_key, keys_of
from sis_sync.server.keys.services import (
    create_key,
    revoke_key,
    rotate_key,
    set_client_api,
)
from sis_sync.server.orgs.models import Org, SchoolSystem

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases_at_night]


@pytest.fixture
def key_and_secret(school_system: SchoolSystem, north: Org, bob: Account, now: datetime) -> tuple[ApiKey, str]:
    return create_key(school_system=school_system, org=north, name="office pc", actor=bob, now=now)


def test_the_secret_is_nowhere_stored(key_and_secret: tuple[ApiKey, str]) -> None:
    key, secret = key_and_secret
    stored = ApiKey.objects.filter(pk=key.pk).values()[0]
    assert secret.startswith("sissync_")
    assert len(secret) == 54
    assert secret not in str(stored)
    assert secret[16:] not in str(stored)
    assert (stored["prefix"], stored["scopes"]) == (secret[:16], ["upload"])
    assert stored["modes"] == ["partial", "full", "students", "staff"]


@pytest.mark.both_databases
def test_key_use_is_noted(key_and_secret: tuple[ApiKey, str], now: datetime) -> None:
    key, secret = key_and_secret
    taken = authenticate_key(secret=secret, now=now, address="192.0.2.1", client_version="sis-sync/0.1.0")
    key.refresh_from_db()
    assert taken == key
    assert (key.last_used_at, key.last_used_from, key.last_client_version) == (now, "192.0.2.1", "sis-sync/0.1.0")


@pytest.mark.both_databases
def test_controls_in_headers_are_escaped(key_and_secret: tuple[ApiKey, str], now: datetime) -> None:
    key, secret = key_and_secret
    authenticate_key(secret=secret, now=now, address="::1\x00", client_version="\x85" * 40)
    key.refresh_from_db()
    assert (key.last_used_from, key.last_client_version) == (r"::1\u0000", (r"\u0085" * 7)[:40])


def test_wrong_secrets_are_refused(key_and_secret: tuple[ApiKey, str], now: datetime) -> None:
    _, secret = key_and_secret
    flipped = secret[:20] + ("a" if secret[20] != "a" else "b") + secret[21:]
    for wrong in ("", "x", secret[:-1], secret + "a", flipped, secret.swapcase(), "sissync_" + "\u00e4" * 46):
        with pytest.raises(KeyRefused):
            authenticate_key(secret=wrong, now=now)


def test_an_expired_key_is_refused(school_system: SchoolSystem, north: Org, bob: Account, now: datetime) -> None:
    _, secret = create_key(
        school_system=school_system, org=north, name="k", actor=bob, now=now, expires_at=now + timedelta(days=1)
    )
    assert authenticate_key(secret=secret, now=now + timedelta(hours=23))
    with pytest.raises(KeyRefused, match="expired"):
        authenticate_key(secret=secret, now=now + timedelta(days=1))


def test_revoked_key_is_refused(
    key_and_secret: tuple[ApiKey, str], bob: Account, charlie: Account, dana: Account, now: datetime
) -> None:
    key, secret = key_and_secret
    for person in (charlie, dana):
        with pytest.raises(Http404):
            revoke_key(key=key, actor=person, now=now)
    revoke_key(key=key, actor=bob, now=now)
    with pytest.raises(KeyRefused, match="revoked"):
        authenticate_key(secret=secret, now=now)
    with pytest.raises(KeyRefused):
        rotate_key(key=key, actor=bob, now=now)


@pytest.mark.both_databases
def test_rotating_overlaps_for_seven_days(key_and_secret: tuple[ApiKey, str], bob: Account, now: datetime) -> None:
    key, secret = key_and_secret
    new_key, new_secret = rotate_key(key=key, actor=bob, now=now)
    assert (new_key.scopes, new_key.modes, new_key.org, new_key.name) == (key.scopes, key.modes, key.org, key.name)
    almost = now + timedelta(days=7) - timedelta(seconds=1)
    assert authenticate_key(secret=secret, now=almost) == key
    assert authenticate_key(secret=new_secret, now=almost) == new_key
    with pytest.raises(KeyRefused):
        authenticate_key(secret=secret, now=now + timedelta(days=7))


def test_disabled_api_refuses_keys(
    key_and_secret: tuple[ApiKey, str],
    school_system: SchoolSystem,
    alice: Account,
    bob: Account,
    charlie: Account,
    dana: Account,
    now: datetime,
) -> None:
    _, secret = key_and_secret
    for person in (bob, charlie, dana):
        with pytest.raises(NotPermitted):
            set_client_api(school_system=school_system, enabled=False, actor=person, now=now)
    set_client_api(school_system=school_system, enabled=False, actor=alice, now=now)
    with pytest.raises(ApiDisabled, match="Riverbend Unified is disabled"):
        authenticate_key(secret=secret, now=now)


def test_who_makes_keys_for_what(
    alice: Account, bob: Account, charlie: Account, dana: Account, district: Org, south: Org, now: datetime
) -> None:
    def create(org: Org, actor: Account) -> ApiKey:
        return create_key(school_system=org.school_system, org=org, name="k", actor=actor, now=now)[0]

    for org, person in ((district, bob), (south, bob), (south, charlie), (south, dana)):
        with pytest.raises(Http404):
            create(org, person)
    assert create(district, alice).org == district


def test_wrong_settings_are_refused_together(
    school_system: SchoolSystem, north: Org, bob: Account, now: datetime
) -> None:
    with pytest.raises(ValuesRefused) as refused:
        create_key(
            school_system=school_system,
            org=north,
            name=" ",
            scopes=("root",),
            modes=(),
            actor=bob,
            now=now,
            expires_at=now,
        )
    assert set(refused.value.errors) == {"name", "scopes", "modes", "expires_at"}


@pytest.mark.both_databases
def test_foreign_key_looks_absent(
    key_and_secret: tuple[ApiKey, str], alice: Account, bob: Account, charlie: Account, dana: Account
) -> None:
    key, _ = key_and_secret
    assert access_key(actor=alice, key_id=key.pk) == key
    assert list(keys_of(actor=bob)) == [key]
    for person in (charlie, dana):
        assert list(keys_of(actor=person)) == []
        with pytest.raises(Http404):
            access_key(actor=person, key_id=key.pk)


def test_key_of_other_characters_refused(school_system: SchoolSystem, now: datetime) -> None:
    body = "sissync_" + "\x00" * 40  # PostgreSQL takes no such text, not even to look for it
    with pytest.raises(KeyRefused, match="not a complete"):
        authenticate_key(secret=body + checksum(body), now=now)
