"""Custom IDs and addresses that are taken, told before the database refuses them."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from django.db import IntegrityError, transaction

from sis_sync.core.limits import RESTORABLE_FOR
from sis_sync.server.accounts.models import Account
from sis_sync.server.accounts.selectors import account_at
from sis_sync.server.refused_values import ValuesRefused


def refuse_taken(*, school_system_id: int, values: dict[str, str], account_id: int | None, now: datetime) -> None:
    """ValuesRefused if the custom ID or the address belongs to another account of the school system.

    An account that was deleted too long ago to be restored gives its ID up.
    """
    same_id = Account.objects.filter(school_system_id=school_system_id, custom_id=values["custom_id"] or None)
    same_id.filter(deleted_at__lte=now - RESTORABLE_FOR).update(custom_id=None)
    errors: dict[str, str] = {}
    holder = account_at(school_system_id=school_system_id, email=values["email"])
    if holder is not None and holder.pk != account_id:
        errors["email"] = "Another account has this address. Use another one, or change it there first."
    holder = same_id.first() if values["custom_id"] else None
    if holder is not None and holder.pk != account_id:
        errors["custom_id"] = (
            "A deleted account has this ID. Restore that account instead."
            if holder.deleted_at is not None
            else "Another account has this ID. Check which of the two it belongs to."
        )
    if errors:
        raise ValuesRefused(errors)


@contextmanager
def refusing_clashes() -> Iterator[None]:
    """A transaction; if somebody took the ID or the address in the meantime it ends in ValuesRefused."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        taken = "Somebody took this address or ID just now. Look again, then save once more."
        raise ValuesRefused({"email": taken}) from error
