"""Makes school systems: the first one through the setup link, others from the command line."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from sis_sync.core.errors import NotPermitted
from sis_sync.core.modes import MODES, PARTIAL
from sis_sync.server.accounts.models import Account
from sis_sync.server.accounts.services import create_account
from sis_sync.server.audit.services import record
from sis_sync.server.errors import ValuesRefused
from sis_sync.server.orgs.models import Org, SchoolSystem
from sis_sync.server.orgs.selectors import district_of
from sis_sync.server.orgs.services import checked_name, checked_time_zone, create_org, free_slug, give_right, update_org
from sis_sync.server.runs.models import ModeSettings
from sis_sync.server.setup.link import NEW_LINK, is_setup_open, use_up


@dataclass(frozen=True, kw_only=True)
class Claim:
    """The values of the setup page: the school system, its first manager and, if named, a first school."""

    system_name: str
    district_external_id: str
    time_zone: str
    first_name: str
    last_name: str
    email: str
    password: str
    school_name: str = ""
    school_external_id: str = ""


@transaction.atomic
def claim_setup(claim: Claim, *, token: str, now: datetime) -> Account:
    """Make the school system, use the link up and return the first manager.

    Raise NotPermitted if the link is invalid or expired. After ValuesRefused the link stays valid.
    """
    if not is_setup_open(token=token, now=now):
        raise NotPermitted("This setup link is not valid, or no longer valid.", fix=NEW_LINK)
    district = make_district(claim.system_name, claim.district_external_id, claim.time_zone, now)
    if claim.school_name:
        make_school(district, claim.school_name, claim.school_external_id, now)
    manager = create_account(
        school_system=district.school_system,
        org=district,
        values={
            "first_name": claim.first_name,
            "last_name": claim.last_name,
            "email": claim.email,
            "user_type": "Administrator",
        },
        password=claim.password,
        actor=None,
        now=now,
    )
    give_right(account=manager, org=district, actor=None, now=now)
    use_up()
    return manager


@transaction.atomic
def create_school_system(*, name: str, slug: str = "", time_zone: str = "UTC", now: datetime) -> SchoolSystem:
    """Make a school system, with a district of the same name and the settings of the four modes.

    Without a slug, derive one from the name. Only partial runs need no approval.
    """
    school_system = SchoolSystem.objects.create(
        name=checked_name(name),
        slug=free_slug(slug or name),
        time_zone=checked_time_zone(time_zone),
        created_at=now,
    )
    Org.objects.create(school_system=school_system, kind=Org.Kind.DISTRICT, name=school_system.name)
    ModeSettings.objects.bulk_create(
        ModeSettings(school_system=school_system, mode=mode, requires_approval=mode != PARTIAL.name) for mode in MODES
    )
    record(school_system=school_system, action="school_system.created", now=now)
    return school_system


def make_district(name: str, external_id: str, time_zone: str, now: datetime) -> Org:
    """Make a school system and return its district, with its external ID."""
    school_system = create_school_system(name=name, slug="", time_zone=time_zone, now=now)
    district = district_of(school_system)
    return update_org(org=district, name=district.name, external_id=external_id, actor=None, now=now)


def make_school(district: Org, name: str, external_id: str, now: datetime) -> Org:
    """Make the first school. ValuesRefused uses the field names of the setup page: school_name, school_external_id."""
    try:
        return create_org(
            school_system=district.school_system,
            kind=Org.Kind.SCHOOL,
            name=name,
            external_id=external_id,
            actor=None,
            now=now,
        )
    except ValuesRefused as refused:
        raise ValuesRefused({f"school_{name}": message for name, message in refused.errors.items()}) from refused
