"""Prepare the server's database: a school system, the schools of the file ORGS, and an approver."""

import sys
from pathlib import Path

APPROVER = "approver@district.example"


def main() -> None:
    """Migrate and fill the database from the environment variables."""
    import django

    django.setup()
    from django.core.management import call_command
    from django.utils import timezone

    from sis_sync.server.accounts.models import Account
    from sis_sync.server.orgs.selectors import district_of
    from sis_sync.server.orgs.services import give_right, import_orgs
    from sis_sync.server.setup.services import create_school_system

    call_command("migrate", verbosity=0)
    now = timezone.now()
    system = create_school_system(name="Benchmark District", slug="benchmark", now=now)
    district = district_of(system)
    import_orgs(school_system=system, text=Path(sys.argv[1]).read_text(encoding="utf-8"), actor=None, now=now)
    approver = Account.objects.create(
        school_system=system, org=district, first_name="Pat", last_name="Approver", email=APPROVER, user_type="Staff"
    )
    give_right(account=approver, org=district, actor=None, now=now)


if __name__ == "__main__":
    main()
