"""What an account's page says of its state: who put it there, and who can bring it back."""

from datetime import datetime

from sis_sync.core.limits import RESTORABLE_FOR
from sis_sync.server.accounts.models import Account
from sis_sync.server.audit.models import AccountChange


def restorable_until(account: Account) -> datetime | None:
    """When a deleted account can be restored no longer; None for one that is not deleted."""
    return account.deleted_at + RESTORABLE_FOR if account.deleted_at else None


def is_restorable(account: Account, now: datetime) -> bool:
    """Whether it is deleted and can still be restored."""
    until = restorable_until(account)
    return until is not None and now < until


def held_words(account: Account, now: datetime) -> str:
    """Why files do not bring it back, and who can. Empty where files may, or nobody can."""
    if not account.is_held_by_hand:
        return ""
    if account.deleted_at is None:
        return "Disabled by hand: no file enables or changes it until somebody enables it here."
    if not is_restorable(account, now):
        return ""
    run_id = deleted_by_run(account)
    if run_id is None:
        return "Deleted by hand: it stays so, whatever files say, until somebody restores it here."
    return (
        f"Disabled by hand, and later deleted by run {run_id}, whose file did not name it. "
        "No file brings it back; whoever restores it here gets it back disabled."
    )


def deleted_by_run(account: Account) -> int | None:
    """The run that deleted it; None if a person did."""
    deletions = AccountChange.objects.filter(account=account, action="delete").order_by("-changed_at", "-id")
    last = deletions.first()
    return last.run_id if last else None
