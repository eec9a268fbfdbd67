"""Changes what several people have in common at once: their org, user type, grade, position and protection.

Names, addresses and IDs belong to one person each, so they are edited one by one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sis_sync.core.errors import NotPermitted
from sis_sync.server.accounts.models import Account
from sis_sync.server.accounts.selectors import BATCH, require_manager_of, require_manager_of_org
from sis_sync.server.accounts.validation import (
    ORG_FIELD,
    WHOLE_ROW,
    Judged,
    judge_people,
    refusing_clashes,
    take_values,
    values_in_history,
    values_of,
)
from sis_sync.server.audit.services import record, record_changes
from sis_sync.server.errors import ValuesRefused
from sis_sync.server.orgs.last_manager import keeping_a_manager
from sis_sync.server.orgs.models import Org
from sis_sync.server.orgs.selectors import ASK_A_MANAGER

SHARED_FIELDS = ("user_type", "grade", "position")
MOST_TOGETHER = 500  # people; all of them are shown before anything changes
SAVED = ("org", *SHARED_FIELDS, "is_protected", "protected_reason", "updated_at")


@dataclass(frozen=True)
class CommonEdit:
    """What all of the people get. A field that is missing in `values`, and None, is left as it is.

    `values` contains some of SHARED_FIELDS. A reason without protection is not stored.
    """

    values: Mapping[str, str]
    org: Org | None = None
    is_protected: bool | None = None
    protected_reason: str = ""


@dataclass(frozen=True)
class PersonEdit:
    """An account with the values that would change: (field, old value, new value). `old_org` is its org until now."""

    account: Account
    old_org: Org
    changes: tuple[tuple[str, object, object], ...]

    @property
    def shown(self) -> tuple[tuple[str, object, object], ...]:
        """Return the changes with the names of the orgs instead of their external IDs."""
        names = {ORG_FIELD: ("org", self.old_org.name, self.account.org.name)}
        return tuple(names.get(change[0], change) for change in self.changes)


def edits_of(*, accounts: Sequence[Account], edit: CommonEdit) -> list[PersonEdit]:
    """Give the accounts their new values, without saving them. Return each with what changes, which may be nothing.

    A grade is for students only and a position for all others, so that the other one goes with the user type.
    Raise ValuesRefused if a value is invalid, and NotPermitted if one of the accounts is deleted.
    """
    if any(account.deleted_at is not None for account in accounts):
        raise NotPermitted("One of these people is deleted. Restore them first.", fix=ASK_A_MANAGER)
    before = [(account.org, _state_of(account)) for account in accounts]
    orgs = [edit.org or account.org for account in accounts]
    wanted = [
        values_of(account) | dict(edit.values) | {ORG_FIELD: org.external_id or ""}
        for account, org in zip(accounts, orgs, strict=True)
    ]
    judged = judge_people(wanted)
    _refuse_errors(accounts, judged)
    for account, org, each in zip(accounts, orgs, judged, strict=True):
        take_values(account, each.values, org)
        if edit.is_protected is not None:
            account.is_protected = edit.is_protected
            account.protected_reason = edit.protected_reason if edit.is_protected else ""
    return [
        PersonEdit(account, old_org, _changed(old, _state_of(account)))
        for account, (old_org, old) in zip(accounts, before, strict=True)
    ]


def edit_accounts(*, accounts: Sequence[Account], edit: CommonEdit, actor: Account, now: datetime) -> int:
    """Change the accounts and write their history, all in one transaction. Return how many changed.

    Raise NotPermitted if the actor does not manage all of them and the new org, and ValuesRefused as in `edits_of`.
    """
    with keeping_a_manager(actor.school_system_id), refusing_clashes():
        require_manager_of(actor=actor, accounts=accounts)
        if edit.org is not None:
            require_manager_of_org(actor=actor, org=edit.org)
        current = Account.objects.select_for_update(of=("self",)).select_related("org")
        found = list(current.filter(pk__in=[account.pk for account in accounts]).order_by("pk"))
        changed = [each for each in edits_of(accounts=found, edit=edit) if each.changes]
        for each in changed:
            each.account.updated_at = now
        Account.objects.bulk_update([each.account for each in changed], SAVED, batch_size=BATCH)
        lines = [
            (each.account, {name: old for name, old, _ in each.changes}, {name: new for name, _, new in each.changes})
            for each in changed
        ]
        record_changes(changes=lines, action="update", actor=actor, now=now)
        detail = {"accounts": len(changed)}
        record(school_system=actor.school_system, action="accounts.update", by=actor, detail=detail, now=now)
    return len(changed)


def _refuse_errors(accounts: Sequence[Account], judged: Sequence[Judged]) -> None:
    """Raise ValuesRefused if a value is invalid: a new one for all, or one that a person has had, with their name."""
    errors: dict[str, str] = {}
    for account, each in zip(accounts, judged, strict=True):
        for field, message in each.errors.items():
            if field in SHARED_FIELDS:
                errors.setdefault(field, message)
            else:
                errors.setdefault(WHOLE_ROW, f"{account.full_name}: {message} Correct it on the page of this person.")
    if errors:
        raise ValuesRefused(errors)


def _state_of(account: Account) -> dict[str, object]:
    values = values_in_history(account)
    return {name: values[name] for name in (ORG_FIELD, *SHARED_FIELDS, "is_protected")}


def _changed(before: Mapping[str, object], after: Mapping[str, object]) -> tuple[tuple[str, object, object], ...]:
    return tuple((name, old, after[name]) for name, old in before.items() if old != after[name])
