"""The passwords that a file brings: encrypted until the run is decided, then hashed by a job, a few at a time."""

import sys
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from datetime import datetime
from itertools import chain
from pathlib import Path

from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.db.models import QuerySet

from sis_sync.core.run_states import ENDED
from sis_sync.engine.duckdb import Session
from sis_sync.server.accounts.models import Account, ClaimCode, FilePassword
from sis_sync.server.accounts.sealed_passwords import (
    KeyMissing,
    destroy_passwords,
    each_password,
    fingerprint_key,
    fingerprint_of,
    open_passwords,
    runs_with_keys,
    seal_passwords,
)
from sis_sync.server.audit.models import AccountChange
from sis_sync.server.audit.services import record
from sis_sync.server.orgs.models import Right
from sis_sync.server.runs.models import ModeSettings, Run
from sis_sync.steps.map.map import KnownPasswords

Outcome = FilePassword.Outcome
OPEN = (Outcome.WAITING, Outcome.OVERTAKEN)  # the job has not dealt with them
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


def kept_passwords(run: Run, lines: Collection[int] | None = None) -> dict[int, str]:
    """Return the passwords that were kept, by line: of these lines, or all. Without their key there are none."""
    try:
        return open_passwords(run.pk, lines)
    except KeyMissing:
        return {}


def known_passwords(run: Run, settings: ModeSettings, folder: Path) -> KnownPasswords | None:
    """Write the fingerprint of the last password that a file brought for each account of the school system.

    Return None if the files of the mode set no passwords of accounts that exist.
    """
    if settings.sets_passwords != ModeSettings.Passwords.ON:
        return None
    key, path = fingerprint_key(), folder / "known-passwords.csv"
    brought = FilePassword.objects.filter(account__school_system=run.school_system_id)
    with path.open("w", encoding="ascii", newline="\n") as file:
        known = brought.exclude(outcome__in=OPEN).exclude(fingerprint="").values_list("account_id", "fingerprint")
        file.writelines(f"{account_id},{each}\n" for account_id, each in known.iterator(FETCHED_ROWS))
        for run_id in brought.filter(outcome__in=OPEN, run__isnull=False).values_list("run", flat=True).distinct():
            file.writelines(f"{account_id},{each}\n" for account_id, each in _waiting_fingerprints(run_id, key))
    return KnownPasswords(path, key)


def _waiting_fingerprints(run_id: int, key: str) -> Iterator[tuple[int, str]]:
    """Yield account and fingerprint of each password of this run that waits, or of the one before if it is lost."""
    waiting = _waiting(run_id).order_by("line").values_list("account_id", "line", "fingerprint")
    rows = each_password(run_id)
    line, password = 0, ""
    for account_id, wanted, before in waiting.iterator(FETCHED_ROWS):
        with suppress(KeyMissing):
            while line < wanted:
                line, password = next(rows, (sys.maxsize, ""))
        found = fingerprint_of(account_id, password, key=key) if line == wanted else before
        if found:
            yield account_id, found


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
    key = fingerprint_key()
    for each in some:
        _settle(each, passwords.get(each.line), key, now)
        if seconds() - began >= SLICE_SECONDS:
            break
    if waiting.exists():
        return True
    _record_end(run_id, "run.passwords_set", Outcome.SET, now)
    forget_passwords(run_id)
    return False


def _settle(waiting: FilePassword, password: str | None, key: str, now: datetime) -> None:
    """Hash the password and set it, unless the account has rights or someone has set another one meanwhile.

    `key` is the key of the fingerprints.
    """
    account = waiting.account
    if password is None:
        _end(waiting, Outcome.LOST)
        return
    fingerprint = fingerprint_of(account.pk, password, key=key)
    if waiting.fingerprint == fingerprint:
        _end(waiting, Outcome.SET)
        return
    if waiting.outcome == Outcome.OVERTAKEN:
        _end(waiting, Outcome.NOT_NEEDED, fingerprint=fingerprint)
        return
    if _has_rights(account):
        _end(waiting, Outcome.NOT_NEEDED)
        return
    hashed = make_password(password)  # slow, so outside the transaction
    with transaction.atomic():
        # Whoever gives rights to the account, sets another password or applies another run waits for this lock.
        Account.objects.select_for_update().get(pk=account.pk)
        if _has_rights(account):
            _end(waiting, Outcome.NOT_NEEDED)
        elif _end(waiting, Outcome.SET, fingerprint=fingerprint):
            _set(waiting, hashed, now)


def _has_rights(account: Account) -> bool:
    return Right.objects.filter(account=account).exists()


def _set(waiting: FilePassword, hashed: str, now: datetime) -> None:
    """Store the hash and write the history. Sessions and the claim code of the account no longer work."""
    Account.objects.filter(pk=waiting.account_id).update(password=hashed, must_change_password=False)
    # Someone who found the sheet must not set another password.
    ClaimCode.objects.filter(account=waiting.account_id).delete()
    AccountChange.objects.create(
        school_system_id=waiting.account.school_system_id,
        account_id=waiting.account_id,
        run_id=waiting.run_id,
        line=waiting.line,
        action="password",
        before={},
        after={},
        changed_at=now,
    )


def _end(waiting: FilePassword, outcome: str, **values: str) -> bool:
    """Record the outcome. Return False if the password was overtaken meanwhile, by a person or by another run."""
    same = {name: getattr(waiting, name) for name in ("pk", "run_id", "line", "outcome")}
    return FilePassword.objects.filter(**same).update(outcome=outcome, **values) == 1


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
    return FilePassword.objects.filter(run=run_id, outcome__in=OPEN)
