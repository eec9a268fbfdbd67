"""The people who try every page and call.

Alice manages the district, Bob one school of it, Charlie another school system; Dana is a teacher at Bob's school.
"""

from datetime import UTC, datetime

import pytest
from django.test import Client

from sis_sync.core.fields import ACTIVE
from sis_sync.server.accounts.models import Account
from sis_sync.server.keys.services import create_key, set_client_api
from sis_sync.server.orgs.models import Org, SchoolSystem
from sis_sync.server.orgs.selectors import district_of
from sis_sync.server.orgs.services import create_org, give_right, update_org
from sis_sync.server.setup.services import create_school_system


@pytest.fixture
def now() -> datetime:
    """The clock of these tests."""
    return datetime(2026, 9, 1, 6, 30, tzinfo=UTC)


@pytest.fixture
def school_system(db: None, now: datetime) -> SchoolSystem:
    """Alice's, Bob's and Dana's; its Sync Client API is enabled."""
    system = create_school_system(name="Riverbend Unified", slug="riverbend", time_zone="America/Chicago", now=now)
    set_client_api(school_system=system, enabled=True, actor=None, now=now)
    return system


@pytest.fixture
def other_system(db: None, now: datetime) -> SchoolSystem:
    """Charlie's."""
    system = create_school_system(name="Lakeside Schools", slug="lakeside", time_zone="UTC", now=now)
    set_client_api(school_system=system, enabled=True, actor=None, now=now)
    return system


@pytest.fixture
def district(school_system: SchoolSystem, now: datetime) -> Org:
    """The district, external ID RB."""
    org = district_of(school_system)
    return update_org(org=org, name=org.name, external_id="RB", actor=None, now=now)


@pytest.fixture
def north(school_system: SchoolSystem, now: datetime) -> Org:
    """Bob's school, external ID N1."""
    return create_org(
        school_system=school_system, kind="school", name="North School", external_id="N1", actor=None, now=now
    )


@pytest.fixture
def south(school_system: SchoolSystem, now: datetime) -> Org:
    """A school that Bob has nothing to do with, external ID S1."""
    return create_org(
        school_system=school_system, kind="school", name="South School", external_id="S1", actor=None, now=now
    )


def make_account(org: Org, first_name: str, last_name: str, custom_id: str | None, **values: str) -> Account:
    """An active teacher at `org`, or with other `values`. It has no password."""
    account = Account(
        school_system=org.school_system,
        org=org,
        first_name=first_name,
        last_name=last_name,
        email=values.pop("email", f"{first_name}.{last_name}@{org.school_system.slug}.example".lower()),
        custom_id=custom_id,
        user_type=values.pop("user_type", "Teacher"),
        status=values.pop("status", ACTIVE),
        **values,
    )
    account.set_unusable_password()
    account.save()
    return account


@pytest.fixture
def alice(district: Org, now: datetime) -> Account:
    """Manages the district."""
    account = make_account(district, "Alice", "Abara", "E-1", user_type="Administrator")
    give_right(account=account, org=district, actor=None, now=now)
    return account


@pytest.fixture
def bob(north: Org, now: datetime) -> Account:
    """Manages North School."""
    account = make_account(north, "Bob", "Brandt", "E-2", user_type="Administrator")
    give_right(account=account, org=north, actor=None, now=now)
    return account


@pytest.fixture
def charlie(other_system: SchoolSystem, now: datetime) -> Account:
    """Manages the district of another school system."""
    org = district_of(other_system)
    account = make_account(org, "Charlie", "Castillo", "E-1", user_type="Administrator")
    give_right(account=account, org=org, actor=None, now=now)
    return account


@pytest.fixture
def dana(north: Org) -> Account:
    """Teaches at North School and manages nothing."""
    return make_account(north, "Dana", "Dubois", "E-4")


@pytest.fixture
def as_alice(client: Client, alice: Account) -> Client:
    """A browser in which Alice is signed in."""
    client.force_login(alice)
    return client


@pytest.fixture
def as_bob(client: Client, bob: Account) -> Client:
    """A browser in which Bob is signed in."""
    client.force_login(bob)
    return client


@pytest.fixture
def district_key(school_system: SchoolSystem, district: Org, alice: Account, now: datetime) -> str:
    """The secret of a key of the whole district with every scope and mode."""
    scopes = ("upload", "read", "approve")
    _, secret = create_key(
        school_system=school_system, org=district, name="office", scopes=scopes, actor=alice, now=now
    )
    return secret
