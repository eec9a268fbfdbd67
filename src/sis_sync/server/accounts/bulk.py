"""Disable, enable, delete and restore: the same for one account and for thousands, and undone together."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from django.db.models.functions import Lower

from sis_sync.core.fields import ACTIVE, DISABLED
from sis_sync.core.limits import RESTORABLE_FOR
from sis_sync.server.accounts.models import Account
from sis_sync.server.accounts.permission import BATCH, require_manager_of
from sis_sync.server.accounts.selectors import DELETED
from sis_sync.server.accounts.uniqueness import refusing_clashes
from sis_sync.server.audit.services import record, record_changes
from sis_sync.server.orgs.last_manager import keeping_a_manager
from sis_sync.server.orgs.models import SchoolSystem
from sis_sync.server.refused_values import ValuesRefused

CHANGED = ("status", "is_held_by_hand", "deleted_at", "sessions_ended_at", "updated_at")
Change = Callable[[Account, datetime], None]


def disable_accounts(*, accounts: Iterable[Account], actor: Account | None, now: datetime) -> int:
    """How many are Disabled by hand now and were not. No file enables them, until a person does.

    Those whom a file disabled are held too: else the next file could enable them against the manager's word.
    NotPermitted, and nothing done, if one is not the actor's to change or is the last manager of the district.
    """

    def disable(account: Account, now: datetime) -> None:
        account.status, account.is_held_by_hand, account.sessions_ended_at = DISABLED, True, now

    def is_concerned(account: Account) -> bool:
        return account.status == ACTIVE or not account.is_held_by_hand

    return change_all(accounts, disable, is_concerned, "disable", actor, now)


def enable_accounts(*, accounts: Iterable[Account], actor: Account | None, now: datetime) -> int:
    """How many were Disabled and are Active now; files may change them again."""

    def enable(account: Account, now: datetime) -> None:
        account.status, account.is_held_by_hand, account.sessions_ended_at = ACTIVE, False, now

    return change_all(accounts, enable, lambda account: account.status == DISABLED, "enable", actor, now)


def delete_accounts(*, accounts: Iterable[Account], actor: Account | None, now: datetime) -> int:
    """How many were deleted: hidden, signed out, restorable for 180 days. No file brings them back."""

    def delete(account: Account, now: datetime) -> None:
        account.deleted_at, account.is_held_by_hand, account.sessions_ended_at = now, True, now

    return change_all(accounts, delete, lambda account: True, "delete", actor, now)


def restore_accounts(*, accounts: Iterable[Account], actor: Account | None, now: datetime) -> int:
    """How many came back. ValuesRefused, and none restored, if an address was taken since or 180 days are over."""
    wanted = list(accounts)
    refuse_unrestorable(wanted, now)

    def restore(account: Account, now: datetime) -> None:
        account.deleted_at, account.is_held_by_hand = None, account.status == DISABLED

    with refusing_clashes():
        return change_all(wanted, restore, lambda account: True, "restore", actor, now, are_deleted=True)


def refuse_unrestorable(accounts: list[Account], now: datetime) -> None:
    """ValuesRefused for accounts that are past restoring or whose address somebody has now."""
    for start in range(0, len(accounts), BATCH):
        batch = accounts[start : start + BATCH]
        if any(account.deleted_at is not None and account.deleted_at <= now - RESTORABLE_FOR for account in batch):
            raise ValuesRefused({"accounts": f"Deleted more than {RESTORABLE_FOR.days} days ago: create it anew."})
        addresses = [account.email.lower() for account in batch if account.deleted_at is not None]
        live = Account.objects.filter(deleted_at__isnull=True, school_system_id=batch[0].school_system_id)
        taken = live.annotate(address=Lower("email")).filter(address__in=addresses).count()
        if taken or len(set(addresses)) < len(addresses):
            fault = "The address belongs to somebody else now. Change it there first, then restore."
            raise ValuesRefused({"email": fault})


def change_all(
    accounts: Iterable[Account],
    change: Change,
    is_concerned: Callable[[Account], bool],
    action: str,
    actor: Account | None,
    now: datetime,
    *,
    are_deleted: bool = False,
) -> int:
    """Change those that are concerned, in one transaction, with their history. How many there were."""
    wanted = list(accounts)
    if not wanted:
        return 0
    changed = 0
    system_id = wanted[0].school_system_id
    with keeping_a_manager(system_id):
        require_manager_of(actor=actor, accounts=wanted)
        for start in range(0, len(wanted), BATCH):
            ids = [account.pk for account in wanted[start : start + BATCH]]
            batch = Account.objects.select_for_update().filter(
                pk__in=ids, school_system_id=system_id, deleted_at__isnull=not are_deleted
            )
            concerned = [account for account in batch.order_by("pk") if is_concerned(account)]
            changed += change_batch(concerned, change, action, actor, now)
        detail = {"accounts": changed}
        school_system = SchoolSystem.objects.get(pk=system_id)
        record(school_system=school_system, action=f"accounts.{action}", actor=actor, detail=detail, now=now)
    return changed


def change_batch(accounts: list[Account], change: Change, action: str, actor: Account | None, now: datetime) -> int:
    """Change and save these, and write what changed into their history."""
    changes: list[tuple[Account, dict[str, Any], dict[str, Any]]] = []
    for account in accounts:
        before, held = state_of(account), {"is_held_by_hand": account.is_held_by_hand}
        change(account, now)
        account.updated_at = now
        after = state_of(account)
        if after == before:  # a file had disabled it before
            before, after = held, {"is_held_by_hand": account.is_held_by_hand}
        changes.append((account, before, after))
    Account.objects.bulk_update(accounts, CHANGED)
    record_changes(changes=changes, action=action, actor=actor, now=now)
    return len(accounts)


def state_of(account: Account) -> dict[str, Any]:
    """What disabling and deleting change, for the history, in the words of a run's history."""
    return {"status": account.status if account.deleted_at is None else DELETED}
