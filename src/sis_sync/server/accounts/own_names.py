"""The names shown, which people change themselves where their district allows it.

The edit is like one by a manager (edited_names.py): files leave it alone by default, and a manager can set it back.
It is saved as any other edit is (save_edit in services.py), so that the same rules judge it and the history shows it.
"""

from collections.abc import Mapping
from datetime import datetime

from sis_sync.core.errors import NotPermitted
from sis_sync.core.fields import NAME_FIELDS
from sis_sync.server.accounts.edited_names import name_edits
from sis_sync.server.accounts.models import Account
from sis_sync.server.accounts.services import save_edit, update_account
from sis_sync.server.accounts.validation import refusing_clashes
from sis_sync.server.audit.models import AccountChange
from sis_sync.server.orgs.selectors import ASK_A_MANAGER

MOST_LOOKED_AT = 50  # changes by hand, to find who made an edit


def may_change_names(account: Account) -> bool:
    """Return True if the district lets people of this user type change their own names."""
    return account.is_active and account.user_type in account.school_system.change_own_names


def change_own_names(*, account: Account, names: Mapping[str, str], now: datetime) -> Account:
    """Change the names of one's own account. Raise NotPermitted if the district does not allow it.

    Raise ValuesRefused if a name is invalid.
    """
    with refusing_clashes():
        # The permission is that of the locked row: a manager may have changed the user type since the page was shown.
        current = Account.objects.select_for_update().get(pk=account.pk)
        if not may_change_names(current):
            raise NotPermitted("You cannot change your names here.", fix=ASK_A_MANAGER)
        # Only the names: the form of one's own profile can change nothing else.
        own = {name: names[name] for name in NAME_FIELDS}
        save_edit(current, own, org=current.org, actor=current, now=now)
    return current


def set_names_back(*, account: Account, actor: Account, now: datetime) -> Account:
    """Give the account the names of the SIS again. Raise NotPermitted unless the actor manages the account."""
    of_sis = {edit.field: edit.of_sis for edit in name_edits(account)}
    return update_account(account=account, values=of_sis, actor=actor, now=now)


def editors_of(account: Account) -> dict[str, Account | None]:
    """Return, for each name whose edit is in force, who made the edit. None if that is not known any more."""
    edits = {edit.field: edit.here for edit in name_edits(account)}
    if not edits:
        return {}
    found: dict[str, Account | None] = {}
    by_hand = AccountChange.objects.filter(account=account, run=None, action="update").select_related("actor")
    for change in by_hand.order_by("-changed_at", "-pk")[:MOST_LOOKED_AT]:
        for field, here in edits.items():
            if field not in found and change.after.get(field) == here:
                found[field] = change.actor
    return {field: found.get(field) for field in edits}
