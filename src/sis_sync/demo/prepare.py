"""Make the demo's school system: district, schools, a manager who can sign in, and the client's key."""

import secrets
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from sis_sync.demo.people import DISTRICT, DOMAIN, SCHOOLS
from sis_sync.server.accounts.services import create_account
from sis_sync.server.keys.services import create_key, set_client_api
from sis_sync.server.orgs.selectors import district_of
from sis_sync.server.orgs.services import create_org, give_right, update_org
from sis_sync.server.setup.services import create_school_system


@dataclass(frozen=True)
class DemoAccess:
    """The manager's address and password, the client's API key, and the key that the demo uses to read runs.

    The client's key has the scopes upload and own_results, so that the results next to an archived file say what
    happened to each row. Only the demo's own key has the scope read.
    """

    email: str
    password: str
    api_key: str
    reading_key: str


@transaction.atomic
def prepare_demo() -> DemoAccess:
    """Fill an empty, migrated database. Return the access data, with a new random password."""
    now = timezone.now()
    external_id, name = DISTRICT
    school_system = create_school_system(name=name, slug="lakeview", time_zone="America/New_York", now=now)
    district = update_org(org=district_of(school_system), name=name, external_id=external_id, actor=None, now=now)
    for school in SCHOOLS:
        create_org(
            school_system=school_system,
            kind="school",
            name=school.name,
            external_id=school.external_id,
            actor=None,
            now=now,
        )
    email, password = f"alice.moreno@{DOMAIN}", secrets.token_urlsafe(12)
    values = {"first_name": "Alice", "last_name": "Moreno", "email": email, "user_type": "Administrator"}
    manager = create_account(
        school_system=school_system, org=district, values=values, password=password, actor=None, now=now
    )
    give_right(account=manager, org=district, actor=None, now=now)
    set_client_api(school_system=school_system, enabled=True, actor=manager, now=now)
    of_client, of_demo = (
        create_key(school_system=school_system, org=district, name=name, scopes=scopes, actor=manager, now=now)[1]
        for name, scopes in (("Demo client", ("upload", "own_results")), ("Demo program", ("read",)))
    )
    return DemoAccess(email, password, of_client, of_demo)
