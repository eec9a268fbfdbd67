"""Makes school systems for the rows, in a process of its own: `python -m reliability.school_systems '["a", "b"]'`.

Each has the people of people.py for a month, no mode that waits for approval, and a key with the default scope.
"""

import json
import sys
from datetime import datetime, timedelta
from typing import Any

import django
from reliability.people import Person, asleep, gone, pupils, teachers

MONTH = timedelta(days=30)
PASSWORD = "Blue-heron-61"


def make(slug: str, *, now: datetime, people: bool = True, scopes: tuple[str, ...] = ("upload",)) -> dict[str, str]:
    """Make a school system. Return its slug, the secret of its key and the address of its manager.

    Without `people` there is only the manager, who has no ID, so that its first file is a first import.
    """
    from kit.rosters import had_leavers

    from sis_sync.server.accounts.models import Account
    from sis_sync.server.keys.services import create_key, set_client_api
    from sis_sync.server.orgs.selectors import district_of
    from sis_sync.server.orgs.services import create_org, give_right, update_org
    from sis_sync.server.runs.models import ModeSettings
    from sis_sync.server.setup.services import create_school_system

    system = create_school_system(name=slug, slug=slug, time_zone="UTC", now=now)
    district = update_org(org=district_of(system), name=slug, external_id="RB", actor=None, now=now)
    orgs = {
        name: create_org(school_system=system, kind="school", name=name, external_id=name, actor=None, now=now)
        for name in ("N1", "S1", "W1")
    }
    manager = teachers()[0]
    known = [manager, *pupils(), *teachers()[1:], *asleep()] if people else [{**manager, "custom_id": ""}]
    deleted = gone() if people else []

    def account(row: Person, deleted_at: datetime | None = None) -> Account:
        org = orgs[row["school_district_external_id"]]
        values: dict[str, Any] = {name: value for name, value in row.items() if name != "school_district_external_id"}
        values["custom_id"] = row["custom_id"] or None
        times = {"created_at": now - 2 * MONTH, "deleted_at": deleted_at}
        return Account(school_system=system, org=org, password="!", **times, **values)

    Account.objects.bulk_create([*map(account, known), *(account(row, now - MONTH) for row in deleted)])
    account_of_manager = Account.objects.get(school_system=system, email=manager["email"])
    account_of_manager.set_password(PASSWORD)
    account_of_manager.save()
    give_right(account=account_of_manager, org=district, actor=None, now=now)
    ModeSettings.objects.filter(school_system=system).update(requires_approval=False)
    had_leavers(district, now)
    set_client_api(school_system=system, enabled=True, actor=None, now=now)
    _, secret = create_key(school_system=system, org=district, name="pc", scopes=scopes, actor=None, now=now)
    return {"slug": slug, "key": secret, "manager": manager["email"]}


def main() -> None:
    """Make them and print them."""
    django.setup()
    from django.core.management import call_command
    from django.utils import timezone

    call_command("migrate", verbosity=0)
    made = [make(now=timezone.now(), **wanted) for wanted in json.loads(sys.argv[1])]
    sys.stdout.write(json.dumps(made))


if __name__ == "__main__":
    main()
