"""The passwords that a file brings: encrypted until the run is decided, then hashed by a job, a few at a time."""

import time
from collections.abc import Callable
from datetime import datetime
from itertools import chain

from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.db.models import QuerySet

from sis_sync.core.run_states import ENDED
from sis_sync.engine.duckdb import Session
from sis_sync.server.accounts.models import Account, ClaimCode, FilePassword
from sis_sync.server.accounts.sealed_passwords import (
    KeyMissing,
    destroy_passwords,
    fingerprint_of,
    open_passwords,
    runs_with_keys,
    seal_passwords,
)
from sis_sync.server.audit.services import record
from sis_sync.server.orgs.models import Right
from sis_sync.server.runs.models import Run

Outcome = FilePassword.Outcome
SLICE_ROWS = 20
SLICE_SECONDS = 0.5  # no hash begins after this, so a slice takes about a second even if a hash takes half of one
FETCHED_ROWS = 10_000


def keep_passwords(run: Run, session: Session) -> None:
    """Encrypt the passwords of the file that the session has read. Call it before they leave the stored file.

    If the passwords were removed from the file earlier, it brings none, and those kept then stay.
    """
    query = "SELECT line, password FROM password_rows WHERE password IS NOT NULL ORDER BY line"
    found = session.connection.execute(query)
    if first := found.fetchmany(FETCHED_ROWS):
        rest = chain.from_iterable(iter(lambda: found.fetchmany(FETCHED_ROWS), []))
        seal_passwords(run.pk, chain(first, rest))


def kept_lines(run: Run) -> list[int]:
    """Return the lines whose passwords were kept. Without their key there are none."""
    try:
        return sorted(open_passwords(run.pk))
    except KeyMissing:
        return []


def prepare_passwords(run_id: int, *, now: datetime, seconds: Callable[[], float] = time.monotonic) -> bool:
    """Hash some passwords of an applied run. Return True if more of them wait.

    An account whose password cannot be read stays without one.
    """
    began = seconds()
    waiting = _waiting(run_id).select_related("account").order_by("pk")
    some = list(waiting[:SLICE_ROWS])
    try:
        passwords = open_passwords(run_id, [each.line for each in some])
    except KeyMissing:
        give_up_passwords(run_id, now=now)
        return False
    for each in some:
        _settle(each, passwords.get(each.line))
        if seconds() - began >= SLICE_SECONDS:
            break
    if waiting.exists():
        return True
    _record_end(run_id, "run.passwords_set", Outcome.SET, now)
    forget_passwords(run_id)
    return False


def _settle(waiting: FilePassword, password: str | None) -> None:
    """Hash the password and set it, unless the account has rights or someone has set another one meanwhile."""
    account = waiting.account
    if password is None:
        _end(waiting, Outcome.LOST)
        return
    fingerprint = fingerprint_of(account.pk, password)
    if waiting.fingerprint == fingerprint:
        _end(waiting, Outcome.SET, fingerprint=fingerprint)
        return
    if _is_kept(account):
        _end(waiting, Outcome.NOT_NEEDED)
        return
    hashed = make_password(password)  # slow, so outside the transaction
    with transaction.atomic():
        if _is_kept(Account.objects.select_for_update().get(pk=account.pk)):
            _end(waiting, Outcome.NOT_NEEDED)
        else:
            Account.objects.filter(pk=account.pk).update(password=hashed)
            # Someone who found the sheet must not set another password.
            ClaimCode.objects.filter(account=account.pk).delete()
            _end(waiting, Outcome.SET, fingerprint=fingerprint)


def _is_kept(account: Account) -> bool:
    return account.has_usable_password() or Right.objects.filter(account=account).exists()


def _end(waiting: FilePassword, outcome: str, **values: str) -> None:
    FilePassword.objects.filter(pk=waiting.pk).update(outcome=outcome, **values)


def give_up_passwords(run_id: int, *, now: datetime) -> None:
    """Leave the accounts that still wait without a password, and record how many. A manager sets theirs."""
    with transaction.atomic():
        _waiting(run_id).update(outcome=Outcome.LOST)
        _record_end(run_id, "run.passwords_lost", Outcome.LOST, now)
        transaction.on_commit(lambda: forget_passwords(run_id))


def _record_end(run_id: int, action: str, outcome: str, now: datetime) -> None:
    run = Run.objects.select_related("school_system").get(pk=run_id)
    number = FilePassword.objects.filter(run=run_id, outcome=outcome).count()
    record(school_system=run.school_system, action=action, detail={"run": run_id, "accounts": number}, now=now)


def forget_passwords(run_id: int) -> None:
    """Destroy the kept passwords of a run that has ended, unless some still wait to be hashed."""
    is_open = Run.objects.filter(pk=run_id).exclude(state__in=ENDED).exists()
    if not is_open and not _waiting(run_id).exists():
        destroy_passwords(run_id)


def forget_passwords_left() -> None:
    """Destroy what a killed process or a removed run left."""
    for run_id in runs_with_keys():
        forget_passwords(run_id)


def _waiting(run_id: int) -> QuerySet[FilePassword]:
    return FilePassword.objects.filter(run=run_id, outcome=Outcome.WAITING)
