"""People whose IDs differ in leading zeros only, although a manager said that they are two people.

A row with an unknown ID fails if it differs from a known ID in leading zeros only: a spreadsheet may have cut them.
If they are two people, a manager says so once, and later files create the other one.
"""

from collections.abc import Collection
from datetime import datetime

from django.db import transaction

from sis_sync.core.fields import FIELDS
from sis_sync.server.accounts.models import Account
from sis_sync.server.audit.services import record
from sis_sync.server.errors import ValuesRefused
from sis_sync.server.runs.models import Run, ToldApart

MOST_CHARACTERS = next(field.max_length for field in FIELDS if field.name == "custom_id") or 0


def told_apart(school_system_id: int) -> list[str]:
    """Return the custom IDs of these people, sorted."""
    found = ToldApart.objects.filter(school_system=school_system_id)
    return sorted(found.values_list("custom_id", flat=True))


@transaction.atomic
def tell_apart(*, account: Account, custom_id: str, actor: Account, now: datetime) -> None:
    """Store that this is another person's ID. Raise ValuesRefused if not only leading zeros differ."""
    wanted, known = custom_id.strip(), account.custom_id or ""
    is_alike = wanted != known and wanted.lstrip("0") == known.lstrip("0") != ""
    if len(wanted) > MOST_CHARACTERS or not is_alike:
        raise ValuesRefused({"custom_id": f"Enter an ID that differs from {known} in leading zeros only."})
    _keep(school_system_id=account.school_system_id, custom_id=wanted, actor=actor, now=now)
    detail = {"account": account.pk}
    record(school_system=account.school_system, action="account.told_apart", by=actor, detail=detail, now=now)


@transaction.atomic
def tell_row_apart(*, run: Run, line: int, custom_id: str, actor: Account, now: datetime) -> None:
    """Store that the person on this line of the run's file is not the one whose ID differs only in leading zeros."""
    _keep(school_system_id=run.school_system_id, custom_id=custom_id, actor=actor, now=now)
    detail = {"run": run.pk, "line": line}
    record(school_system=run.school_system, action="account.told_apart", by=actor, detail=detail, now=now)


def forget_told_apart(account_ids: Collection[int]) -> None:
    """Forget the IDs of these accounts, which are about to be removed."""
    accounts = Account.objects.filter(pk__in=account_ids, custom_id__isnull=False)
    for system_id, custom_id in accounts.values_list("school_system", "custom_id"):
        ToldApart.objects.filter(school_system=system_id, custom_id=custom_id).delete()


def _keep(*, school_system_id: int, custom_id: str, actor: Account, now: datetime) -> None:
    said = {"said_by": actor, "said_at": now}
    ToldApart.objects.get_or_create(school_system_id=school_system_id, custom_id=custom_id, defaults=said)
