"""Which accounts a manager may change. Every service of accounts asks here."""

from collections.abc import Sequence

from sis_sync.core.errors import NotPermitted
from sis_sync.server.accounts.models import Account
from sis_sync.server.accounts.selectors import managed_accounts
from sis_sync.server.orgs.models import Org, Right
from sis_sync.server.orgs.selectors import ASK_A_MANAGER, managed_orgs

BATCH = 500


def require_manager_of(*, actor: Account | None, accounts: Sequence[Account]) -> None:
    """Raise NotPermitted unless the actor manages all these accounts, and all that they manage. None is the server."""
    if actor is None:
        return
    for start in range(0, len(accounts), BATCH):
        batch = Account.objects.filter(pk__in=[account.pk for account in accounts[start : start + BATCH]])
        if batch.exclude(pk__in=managed_accounts(actor=actor).values("pk")).exists():
            raise NotPermitted("You do not manage all of these accounts.", fix=ASK_A_MANAGER)
        if Right.objects.filter(account__in=batch).exclude(org__in=managed_orgs(actor=actor)).exists():
            raise NotPermitted("This would change someone who manages more than you do.", fix=ASK_A_MANAGER)


def require_manager_of_org(*, actor: Account | None, org: Org) -> None:
    """Raise NotPermitted unless the actor manages the org."""
    if actor is not None and not managed_orgs(actor=actor).filter(pk=org.pk).exists():
        raise NotPermitted("You do not manage this school.", fix=ASK_A_MANAGER)
