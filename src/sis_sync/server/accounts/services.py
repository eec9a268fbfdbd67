"""Makes and changes accounts by hand."""

from datetime import datetime

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from sis_sync.core.errors import NotPermitted
from sis_sync.core.fields import ACTIVE, DISABLED
from sis_sync.server.accounts.bulk import delete_accounts, disable_accounts, enable_accounts, restore_accounts
from sis_sync.server.accounts.judge import judge_values
from sis_sync.server.accounts.models import Account
from sis_sync.server.accounts.permission import require_manager_of, require_manager_of_org
from sis_sync.server.accounts.uniqueness import refuse_taken, refusing_clashes
from sis_sync.server.accounts.values import ORG_FIELD, take_values, values_of
from sis_sync.server.audit.services import record_change
from sis_sync.server.orgs.last_manager import keeping_a_manager
from sis_sync.server.orgs.models import Org, SchoolSystem
from sis_sync.server.orgs.selectors import ASK_A_MANAGER
from sis_sync.server.refused_values import ValuesRefused

__all__ = [
    "ValuesRefused",
    "create_account",
    "delete_accounts",
    "disable_accounts",
    "enable_accounts",
    "restore_accounts",
    "set_password",
    "update_account",
]


def create_account(
    *,
    school_system: SchoolSystem,
    org: Org,
    values: dict[str, str],
    password: str | None,
    actor: Account | None,
    now: datetime,
) -> Account:
    """The new account at `org`. Without a password nobody can sign in to it yet.

    Values are judged by the rules for files, but that the ID may be empty; status is Active where none is given.
    ValuesRefused names every field that is wrong.
    """
    require_manager_of_org(actor=actor, org=org)
    judged = judge_values({"status": ACTIVE} | values | {ORG_FIELD: org.external_id or ""})
    account = Account(school_system=school_system, created_at=now, updated_at=now)
    with refusing_clashes():
        refuse_taken(school_system_id=school_system.pk, values=judged, account_id=None, now=now)
        take_values(account, judged, org)
        account.is_held_by_hand = account.status == DISABLED
        take_password(account, password)
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
    """The account with these values; fields that are not named stay. `org`, or its external ID, moves it.

    Disabling and enabling in this way is the same as by their own services.
    """
    with keeping_a_manager(account.school_system_id), refusing_clashes():
        current = Account.objects.select_for_update().get(pk=account.pk)
        require_manager_of(actor=actor, accounts=[current])
        refuse_deleted(current)
        before = values_of(current) | {"is_protected": current.is_protected}
        new_org = org or org_named(current, values)
        require_manager_of_org(actor=actor, org=new_org)
        judged = judge_values(values_of(current) | values | {ORG_FIELD: new_org.external_id or ""})
        refuse_taken(school_system_id=current.school_system_id, values=judged, account_id=current.pk, now=now)
        take_values(current, judged, new_org)
        take_status(current, before["status"], now)
        if is_protected is not None:
            current.is_protected, current.protected_reason = is_protected, protected_reason if is_protected else ""
        current.updated_at = now
        current.save()
        after = values_of(current) | {"is_protected": current.is_protected}
        if after != before:
            record_change(account=current, action="update", before=before, after=after, actor=actor, now=now)
    return current


def take_status(account: Account, status_before: object, now: datetime) -> None:
    """A status changed by hand holds the account, or lets it go, and ends its sessions."""
    if account.status != status_before:
        account.is_held_by_hand, account.sessions_ended_at = account.status == DISABLED, now


def org_named(account: Account, values: dict[str, str]) -> Org:
    """The org that the values name by external ID; the present one where they name none."""
    external_id = values.get(ORG_FIELD, "")
    if not external_id or external_id == account.org.external_id:
        return account.org
    org = Org.objects.filter(school_system_id=account.school_system_id, external_id=external_id).first()
    if org is None:
        raise ValuesRefused({ORG_FIELD: f'No school or district has the external ID "{external_id}".'})
    return org


def set_password(*, account: Account, password: str, actor: Account | None, now: datetime) -> Account:
    """The account with its new password; its other sessions end. People set their own, managers everybody's.

    ValuesRefused says why a password is too weak.
    """
    with refusing_clashes():
        current = Account.objects.select_for_update().get(pk=account.pk)
        is_own = actor is not None and actor.pk == current.pk and current.is_active
        if not is_own:
            require_manager_of(actor=actor, accounts=[current])
        refuse_deleted(current)
        take_password(current, password)
        current.save(update_fields=["password"])
        record_change(account=current, action="password", before={}, after={}, actor=actor, now=now)
    return current


def take_password(account: Account, password: str | None) -> None:
    """Hash it into the account, unsaved; None lets nobody in. ValuesRefused if it is weak."""
    if password is None:
        account.set_unusable_password()
        return
    try:
        validate_password(password, account)
    except ValidationError as error:
        raise ValuesRefused({"password": " ".join(error.messages)}) from error
    account.set_password(password)


def refuse_deleted(account: Account) -> None:
    """NotPermitted for a deleted account: it is restored first."""
    if account.deleted_at is not None:
        raise NotPermitted("This account is deleted. Restore it first.", fix=ASK_A_MANAGER)
