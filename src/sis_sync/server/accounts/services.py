"""Creates and changes accounts for the pages, one by one or many at once."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db.models.functions import Lower

from sis_sync.core.errors import NotPermitted
from sis_sync.core.fields import ACTIVE, DISABLED
from sis_sync.core.limits import RESTORABLE_FOR
from sis_sync.server.accounts.edited_names import note_edits
from sis_sync.server.accounts.held_addresses import remember_addresses
from sis_sync.server.accounts.models import Account, ClaimCode, FilePassword
from sis_sync.server.accounts.selectors import BATCH, DELETED, require_manager_of, require_manager_of_org
from sis_sync.server.accounts.sign_in_limits import end_lock_out
from sis_sync.server.accounts.validation import (
    ORG_FIELD,
    judge_values,
    refuse_taken,
    refusing_clashes,
    take_values,
    values_in_history,
    values_of,
)
from sis_sync.server.audit.services import record, record_change, record_changes
from sis_sync.server.errors import ValuesRefused
from sis_sync.server.orgs.last_manager import keeping_a_manager
from sis_sync.server.orgs.models import Org, SchoolSystem
from sis_sync.server.orgs.selectors import ASK_A_MANAGER

CHANGED = ("status", "is_held_by_hand", "deleted_at", "sessions_ended_at", "updated_at")
Change = Callable[[Account, datetime], None]


def disable_accounts(*, accounts: Iterable[Account], actor: Account | None, now: datetime) -> int:
    """Disable these accounts and return how many changed. Only a person can enable them again; no file does.

    Raise NotPermitted and change nothing if the actor may not change one of them or one is the last district manager.
    """

    def disable(account: Account, now: datetime) -> None:
        account.status, account.is_held_by_hand, account.sessions_ended_at = DISABLED, True, now

    def is_concerned(account: Account) -> bool:
        # Hold an account that a file disabled too: otherwise the next file could enable it against the manager's will.
        return account.status == ACTIVE or not account.is_held_by_hand

    return change_all(accounts, disable, is_concerned, "disable", actor, now)


def enable_accounts(*, accounts: Iterable[Account], actor: Account | None, now: datetime) -> int:
    """Enable the disabled accounts among these and return how many changed. Files may change them again."""

    def enable(account: Account, now: datetime) -> None:
        account.status, account.is_held_by_hand, account.sessions_ended_at = ACTIVE, False, now

    return change_all(accounts, enable, lambda account: account.status == DISABLED, "enable", actor, now)


def delete_accounts(*, accounts: Iterable[Account], actor: Account | None, now: datetime) -> int:
    """Delete these accounts and return how many. For 180 days, a person can restore them; a file cannot."""

    def delete(account: Account, now: datetime) -> None:
        account.deleted_at, account.is_held_by_hand, account.sessions_ended_at = now, True, now

    return change_all(accounts, delete, lambda account: True, "delete", actor, now)


def restore_accounts(*, accounts: Iterable[Account], actor: Account | None, now: datetime) -> int:
    """Restore deleted accounts and return how many. Raise ValuesRefused if an address is taken or it is too late."""
    wanted = list(accounts)
    refuse_unrestorable(wanted, now)

    def restore(account: Account, now: datetime) -> None:
        account.deleted_at, account.is_held_by_hand = None, account.status == DISABLED

    with refusing_clashes():
        return change_all(wanted, restore, lambda account: True, "restore", actor, now, are_deleted=True)


def refuse_unrestorable(accounts: list[Account], now: datetime) -> None:
    """Raise ValuesRefused if an account was deleted too long ago, or if another account now has its address."""
    for start in range(0, len(accounts), BATCH):
        batch = accounts[start : start + BATCH]
        if any(account.deleted_at is not None and account.deleted_at <= now - RESTORABLE_FOR for account in batch):
            raise ValuesRefused({"accounts": f"Deleted more than {RESTORABLE_FOR.days} days ago: create it again."})
        addresses = [account.email.lower() for account in batch if account.deleted_at is not None]
        live = Account.objects.filter(deleted_at__isnull=True, school_system_id=batch[0].school_system_id)
        taken = live.annotate(address=Lower("email")).filter(address__in=addresses).count()
        if taken or len(set(addresses)) < len(addresses):
            fault = "The address belongs to someone else now. Change it there first, then restore."
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
    """Change the concerned accounts and write their history in one transaction. Return how many changed."""
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
        record(school_system=school_system, action=f"accounts.{action}", by=actor, detail=detail, now=now)
    return changed


def change_batch(accounts: list[Account], change: Change, action: str, actor: Account | None, now: datetime) -> int:
    """Change and save these accounts, and write their history."""
    changes: list[tuple[Account, dict[str, Any], dict[str, Any]]] = []
    for account in accounts:
        before, held = state_of(account), {"is_held_by_hand": account.is_held_by_hand}
        change(account, now)
        account.updated_at = now
        after = state_of(account)
        if after == before:  # a file had disabled it: only the hold is new
            before, after = held, {"is_held_by_hand": account.is_held_by_hand}
        changes.append((account, before, after))
    Account.objects.bulk_update(accounts, CHANGED)
    gone = [account for account in accounts if account.deleted_at is not None]
    if gone:
        remember_addresses(school_system_id=gone[0].school_system_id, addresses=[account.email for account in gone])
    record_changes(changes=changes, action=action, actor=actor, now=now)
    return len(accounts)


def state_of(account: Account) -> dict[str, Any]:
    """Return the status for the history, with the word that runs use for a deleted account."""
    return {"status": account.status if account.deleted_at is None else DELETED}


def create_account(
    *,
    school_system: SchoolSystem,
    org: Org,
    values: dict[str, str],
    password: str | None,
    actor: Account | None,
    now: datetime,
    must_change: bool = False,
) -> Account:
    """Create an account at `org`. Without a password, no one can sign in to it yet. `must_change` as in `set_password`.

    The rules for files apply, except that the ID may be empty. The status is Active unless `values` contains one.
    Raise ValuesRefused with every invalid field.
    """
    require_manager_of_org(actor=actor, org=org)
    judged = judge_values({"status": ACTIVE} | values | {ORG_FIELD: org.external_id or ""})
    account = Account(school_system=school_system, created_at=now, updated_at=now)
    take_values(account, judged, org)
    account.password = password_hash(account, password)
    account.must_change_password = must_change and password is not None
    account.is_held_by_hand = account.status == DISABLED
    with refusing_clashes():
        refuse_taken(school_system_id=school_system.pk, values=judged, account_id=None, now=now)
        account.save()
        record_change(account=account, action="create", before={}, after=values_of(account), actor=actor, now=now)
    return account


def update_account(
    *,
    account: Account,
    values: dict[str, str],
    actor: Account | None,
    now: datetime,
    org: Org | None = None,
    is_protected: bool | None = None,
    protected_reason: str = "",
) -> Account:
    """Change the fields in `values`. `org`, or an external ID in `values`, moves the account to another org.

    A changed status sets or clears the hold, as in `disable_accounts` and `enable_accounts`.
    """
    with keeping_a_manager(account.school_system_id), refusing_clashes():
        current = Account.objects.select_for_update().get(pk=account.pk)
        require_manager_of(actor=actor, accounts=[current])
        refuse_deleted(current)
        new_org = org or org_named(current, values)
        require_manager_of_org(actor=actor, org=new_org)
        protection = None if is_protected is None else (is_protected, protected_reason if is_protected else "")
        save_edit(current, values, org=new_org, protection=protection, actor=actor, now=now)
    return current


def save_edit(
    account: Account,
    values: Mapping[str, str],
    *,
    org: Org,
    protection: tuple[bool, str] | None = None,
    actor: Account | None,
    now: datetime,
) -> None:
    """Judge and save the new values of an account that the caller has locked, and write its history.

    Do nothing if none of them differs. `protection` is whether files leave the account alone, and the reason.
    Raise ValuesRefused.
    """
    before = values_in_history(account)
    judged = judge_values({**values_of(account), **values, ORG_FIELD: org.external_id or ""})
    is_same = judged == values_of(account) and org.pk == account.org_id
    if is_same and protection in (None, (account.is_protected, account.protected_reason)):
        return
    refuse_taken(school_system_id=account.school_system_id, values=judged, account_id=account.pk, now=now)
    take_values(account, judged, org)
    take_status(account, before["status"], now)
    note_edits(account, before, now)
    if protection is not None:
        account.is_protected, account.protected_reason = protection
    account.updated_at = now
    account.save()
    after = values_in_history(account)
    if str(after["email"]).lower() != str(before["email"]).lower():
        remember_addresses(school_system_id=account.school_system_id, addresses=[str(before["email"])])
    if after != before:
        record_change(account=account, action="update", before=before, after=after, actor=actor, now=now)


def take_status(account: Account, status_before: object, now: datetime) -> None:
    """If the status changed, set or clear the hold and end the account's sessions."""
    if account.status != status_before:
        account.is_held_by_hand, account.sessions_ended_at = account.status == DISABLED, now


def org_named(account: Account, values: dict[str, str]) -> Org:
    """Return the org whose external ID is in the values, or the account's current org if they contain none."""
    external_id = values.get(ORG_FIELD, "")
    if not external_id or external_id == account.org.external_id:
        return account.org
    org = Org.objects.filter(school_system_id=account.school_system_id, external_id=external_id).first()
    if org is None:
        raise ValuesRefused({ORG_FIELD: f'No school or district has the external ID "{external_id}".'})
    return org


def set_password(
    *, account: Account, password: str, actor: Account | None, now: datetime, must_change: bool = False
) -> Account:
    """Set a password and end the account's other sessions. People set their own, managers that of anyone they manage.

    With `must_change`, the person chooses another one after signing in. A claim code of the account no longer works,
    and a lock-out of its address ends. Raise ValuesRefused with the reason if the password is too weak.
    """
    new_hash = password_hash(account, password)  # before the transaction, because hashing takes long
    with refusing_clashes():
        current = Account.objects.select_for_update().get(pk=account.pk)
        is_own = actor is not None and actor.pk == current.pk and current.is_active
        if not is_own:
            require_manager_of(actor=actor, accounts=[current])
        refuse_deleted(current)
        store_password(current, new_hash, must_change=must_change, action="password", actor=actor, now=now)
    end_lock_out(school_system_id=current.school_system_id, email=current.email)
    return current


def store_password(
    account: Account, new_hash: str, *, must_change: bool, action: str, actor: Account | None, now: datetime
) -> None:
    """Store the hash and write the history. Sessions and the claim code of the account no longer work."""
    account.password, account.must_change_password = new_hash, must_change
    account.save(update_fields=["password", "must_change_password"])
    ClaimCode.objects.filter(account=account).delete()
    waiting = FilePassword.objects.filter(account=account, outcome=FilePassword.Outcome.WAITING)
    waiting.update(outcome=FilePassword.Outcome.OVERTAKEN)
    record_change(account=account, action=action, before={}, after={}, actor=actor, now=now)


def password_hash(account: Account, password: str | None) -> str:
    """Return the hash to store. With None, no password works. Raise ValuesRefused if the password is too weak."""
    if password is None:
        return make_password(None)
    try:
        validate_password(password, account)
    except ValidationError as error:
        raise ValuesRefused({"password": " ".join(error.messages)}) from error
    return make_password(password)


def refuse_deleted(account: Account) -> None:
    """Raise NotPermitted for a deleted account: it must be restored first."""
    if account.deleted_at is not None:
        raise NotPermitted("This account is deleted. Restore it first.", fix=ASK_A_MANAGER)
