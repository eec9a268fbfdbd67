"""Prepare the server's database: a school system with the schools of the file ORGS, and a small one to warm up with."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from sis_sync.core.fields import FIELD_NAMES

if TYPE_CHECKING:
    from sis_sync.server.accounts.models import Account

APPROVER = "approver@district.example"
WARMING_APPROVER = "approver@warming.example"
WARMING_ORGS = "external_id,name,kind\nW,Warming School,school\n"
WARMING_FILE = f"{','.join(FIELD_NAMES)}\nAna,,Ruiz,ana@warming.example,W-1,W,Student,,4,Active\n"


def main() -> None:
    """Migrate and fill the database from the environment variables."""
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    make_school_system("benchmark", orgs=Path(sys.argv[1]).read_text(encoding="utf-8"), approver=APPROVER)
    make_school_system("warming", orgs=WARMING_ORGS, approver=WARMING_APPROVER)


def make_school_system(slug: str, *, orgs: str, approver: str) -> "Account":
    """Make a school system with these orgs. Return the manager who approves its runs, whose address is `approver`."""
    from django.utils import timezone

    from sis_sync.server.accounts.models import Account
    from sis_sync.server.orgs.selectors import district_of
    from sis_sync.server.orgs.services import give_right, import_orgs
    from sis_sync.server.setup.services import create_school_system

    now = timezone.now()
    system = create_school_system(name=f"{slug.capitalize()} District", slug=slug, now=now)
    district = district_of(system)
    import_orgs(school_system=system, text=orgs, actor=None, now=now)
    account = Account.objects.create(
        school_system=system, org=district, first_name="Pat", last_name="Approver", email=approver, user_type="Staff"
    )
    give_right(account=account, org=district, actor=None, now=now)
    return account


if __name__ == "__main__":
    main()
