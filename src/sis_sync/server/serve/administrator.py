"""Set-up by command, for those who do not start in a browser."""

from pathlib import Path

from django.db import transaction
from django.utils import timezone

from sis_sync.core.errors import ConfigurationError, UsageFault
from sis_sync.server.accounts.models import Account
from sis_sync.server.accounts.services import create_account
from sis_sync.server.orgs.import_orgs import ImportedOrgs
from sis_sync.server.orgs.models import SchoolSystem
from sis_sync.server.orgs.selectors import district_of
from sis_sync.server.orgs.services import create_school_system, give_right, import_orgs
from sis_sync.server.refused_values import ValuesRefused


@transaction.atomic
def create_administrator(
    *,
    slug: str | None,
    name: str | None,
    time_zone: str,
    email: str,
    first_name: str,
    last_name: str,
    password: str,
) -> Account:
    """A manager of the district of the named school system, which is made if it is not there."""
    now = timezone.now()
    school_system = _found(slug)
    if school_system is None:
        if not name:
            raise UsageFault("There is no such school system yet.", fix="Give its --name, and it is made.")
        school_system = create_school_system(name=name, slug=slug or "", time_zone=time_zone, now=now)
    district = district_of(school_system)
    values = {
        "first_name": first_name,
        "last_name": last_name,
        "email": email,
        "user_type": "Administrator",
        "status": "Active",
    }
    account = create_account(
        school_system=school_system, org=district, values=values, password=password, actor=None, now=now
    )
    give_right(account=account, org=district, actor=None, now=now)
    return account


def import_org_file(file: Path, *, slug: str | None) -> ImportedOrgs:
    """What the file created and updated. ConfigurationError if it cannot be read or a line cannot be taken."""
    school_system = _found(slug)
    if school_system is None:
        raise UsageFault("There is no such school system.", fix="sis-sync server create-admin makes the first one.")
    try:
        text = file.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise ConfigurationError(f"There is no file {file}.", fix="Check the path.") from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{file.name} cannot be read as UTF-8 text.", fix="Save it as CSV UTF-8.") from error
    try:
        return import_orgs(school_system=school_system, text=text, actor=None, now=timezone.now())
    except ValuesRefused as refused:
        message = f"{file.name}: {refused.message} Nothing was imported."
        raise ConfigurationError(message, fix="Correct the file and import it again.") from refused


def _found(slug: str | None) -> SchoolSystem | None:
    """The school system of this short name, or the only one there is."""
    if slug:
        return SchoolSystem.objects.filter(slug=slug).first()
    found = list(SchoolSystem.objects.all()[:2])
    if len(found) > 1:
        raise UsageFault("There are several school systems.", fix="Say which one with --school-system.")
    return found[0] if found else None
