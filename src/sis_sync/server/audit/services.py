"""Writes the log of actions and the history of accounts. Call it in the transaction of the change."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.contrib.auth import get_user_model

from sis_sync.server.audit.models import AccountChange, AuditEntry

if TYPE_CHECKING:
    from sis_sync.server.accounts.models import Account
    from sis_sync.server.keys.models import ApiKey
    from sis_sync.server.orgs.models import SchoolSystem


def record(
    *,
    school_system: SchoolSystem,
    action: str,
    by: Account | ApiKey | None = None,
    detail: dict[str, Any] | None = None,
    now: datetime,
) -> AuditEntry:
    """Write and return an entry of the log. `by` is None if the server itself acts.

    `detail` contains only IDs, counts and settings, never a person's data.
    """
    author: dict[str, Any] = {"actor" if isinstance(by, get_user_model()) else "api_key": by}
    return AuditEntry.objects.create(school_system=school_system, action=action, detail=detail or {}, at=now, **author)


def record_change(
    *,
    account: Account,
    action: str,
    before: dict[str, Any],
    after: dict[str, Any],
    actor: Account | None,
    now: datetime,
) -> AccountChange:
    """Write a line of the account's history with those values of `before` and `after` that differ."""
    change = change_of(account, before, after, action=action, actor=actor, now=now)
    change.save()
    return change


def record_changes(
    *,
    changes: Iterable[tuple[Account, dict[str, Any], dict[str, Any]]],
    action: str,
    actor: Account | None,
    now: datetime,
) -> None:
    """Write a line of history for each account. `changes` are (account, before, after)."""
    AccountChange.objects.bulk_create(
        change_of(account, before, after, action=action, actor=actor, now=now) for account, before, after in changes
    )


def change_of(
    account: Account,
    before: dict[str, Any],
    after: dict[str, Any],
    *,
    action: str,
    actor: Account | None,
    now: datetime,
) -> AccountChange:
    """Return the line of history, unsaved."""
    changed = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    return AccountChange(
        school_system_id=account.school_system_id,
        account=account,
        actor=actor,
        action=action,
        before={name: before[name] for name in changed if name in before},
        after={name: after[name] for name in changed if name in after},
        changed_at=now,
    )
