"""Prepares a scene, step by step, in a process of its own: `python -m kit.scene '[["begin"]]'`."""

import json
import sys
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import django


def begin() -> None:
    """Make a school system of a district and a school N1, without accounts."""
    from django.core.management import call_command
    from django.utils import timezone

    from sis_sync.server.orgs.services import create_org
    from sis_sync.server.setup.services import create_school_system

    call_command("migrate", verbosity=0)
    now = timezone.now()
    system = create_school_system(name="Riverbend", slug="riverbend", time_zone="UTC", now=now)
    create_org(school_system=system, kind="school", name="North", external_id="N1", actor=None, now=now)


def send(first: int, count: int) -> int:
    """Send a partial file of so many new students. Return the ID of the run."""
    from django.utils import timezone
    from kit.rosters import send as send_roster
    from kit.rosters import student

    from sis_sync.server.orgs.models import Org

    district = Org.objects.get(kind="district")
    rows = (student(f"P{number}") for number in range(first, first + count))
    return int(send_roster(district, *rows, now=timezone.now() - timedelta(seconds=1)).pk)


def delete(first: int, count: int, days: int) -> int:
    """Delete so many of the students that `send` sent, so many days ago. Return how many people are left."""
    from django.utils import timezone

    from sis_sync.server.accounts.models import Account
    from sis_sync.server.accounts.services import delete_accounts

    now = timezone.now() - timedelta(days=days)
    people = Account.objects.filter(custom_id__in=[f"P{number}" for number in range(first, first + count)])
    delete_accounts(accounts=list(people), actor=None, now=now)
    return Account.objects.filter(deleted_at__isnull=True).count()


def main() -> None:
    """Run the steps and print what they return."""
    django.setup()
    steps: dict[str, Callable[..., Any]] = {"begin": begin, "send": send, "delete": delete}
    answers = [steps[name](*arguments) for name, *arguments in json.loads(sys.argv[1])]
    sys.stdout.write(json.dumps(answers))


if __name__ == "__main__":
    main()
