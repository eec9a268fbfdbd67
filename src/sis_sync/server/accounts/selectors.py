"""Selects the accounts that a person may see, and checks that a manager may change them."""

from collections.abc import Sequence

from django.db.models import QuerySet
from django.db.models.functions import Lower

from sis_sync.core.errors import NotPermitted
from sis_sync.server.accounts.models import BY_NAME, Account
from sis_sync.server.accounts.search import with_words
from sis_sync.server.orgs.models import Org, Right
from sis_sync.server.orgs.selectors import ASK_A_MANAGER, is_district_manager, managed_orgs, number_or_404, one_or_404
from sis_sync.server.text import address_key, has_controls

DELETED = "Deleted"
BATCH = 500  # accounts per query


def managed_accounts(*, actor: Account) -> QuerySet[Account]:
    """Return the accounts of the orgs that the actor manages, including deleted accounts."""
    accounts = Account.objects.filter(school_system_id=actor.school_system_id).select_related("org")
    if is_district_manager(account=actor):
        return accounts
    return accounts.filter(org__in=managed_orgs(actor=actor))


def access_account(*, actor: Account, account_id: int | str) -> Account:
    """Return the account if the actor manages its org. Raise Http404 otherwise, whether the account exists or not."""
    return one_or_404(managed_accounts(actor=actor), account_id)


def search_accounts(
    *,
    actor: Account,
    text: str = "",
    user_type: str = "",
    org_id: int | str | None = None,
    status: str = "",
    without_id: bool = False,
) -> QuerySet[Account]:
    """Return the accounts that match all criteria, sorted by name.

    Every word of `text` must begin a word of the names, the address or the ID, and only some of very many are returned,
    as in `with_words`. Deleted accounts are included only for the status Deleted.
    """
    found = managed_accounts(actor=actor).filter(deleted_at__isnull=status != DELETED)
    if user_type:
        found = found.filter(user_type=user_type)
    if org_id:
        found = found.filter(org_id=number_or_404(org_id))
    if status and status != DELETED:
        found = found.filter(status=status)
    if without_id:
        found = found.filter(custom_id__isnull=True)
    return with_words(found, text).order_by(*BY_NAME)


def account_at(*, school_system_id: int, email: str) -> Account | None:
    """Return the account that has this address and is not deleted. Case does not matter."""
    if has_controls(email):
        return None
    accounts = Account.objects.filter(school_system_id=school_system_id, deleted_at__isnull=True)
    return accounts.annotate(address=Lower("email")).filter(address=address_key(email)).first()


def require_manager_of(*, actor: Account | None, accounts: Sequence[Account]) -> None:
    """Raise NotPermitted unless the actor manages these accounts and every org that they manage. None is the server."""
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
