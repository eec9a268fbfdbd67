"""Signs people in by school system, e-mail address and password. Locks an address after too many wrong passwords."""

import hashlib
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.backends import BaseBackend
from django.contrib.auth.hashers import check_password, make_password
from django.db import transaction
from django.db.models import F
from django.http import HttpRequest
from django.utils import timezone

from sis_sync.core.fields import ACTIVE
from sis_sync.server.accounts.models import Account, SignInFailures
from sis_sync.server.accounts.selectors import account_at
from sis_sync.server.audit.services import record
from sis_sync.server.errors import TooManySignIns
from sis_sync.server.orgs.models import SchoolSystem

MAX_FAILURES = 10
WINDOW = timedelta(minutes=15)


def failure_key(school_system_id: int, email: str, request: HttpRequest | None) -> str:
    """Return a SHA-256 of the e-mail address and the network address, so that neither is stored."""
    place = request.META.get("REMOTE_ADDR", "") if request is not None else ""
    return hashlib.sha256(f"{school_system_id}\n{email.strip().lower()}\n{place}".encode()).hexdigest()


def refuse_if_too_many(key: str, *, now: datetime) -> None:
    """Raise TooManySignIns, with the minutes to wait, after ten wrong passwords in the window."""
    failures = SignInFailures.objects.filter(pk=key, first_failed_at__gt=now - WINDOW, count__gte=MAX_FAILURES).first()
    if failures is not None:
        minutes = int((failures.first_failed_at + WINDOW - now).total_seconds() // 60) + 1
        raise TooManySignIns(
            f"Too many wrong passwords. Signing in with this address is closed for {minutes} more minutes.",
            fix="Wait, or ask a manager to set a new password.",
        )


@transaction.atomic
def count_failure(key: str, *, now: datetime) -> None:
    """Count one more wrong password. Start a new window if the last one has ended."""
    SignInFailures.objects.filter(first_failed_at__lte=now - WINDOW).delete()
    SignInFailures.objects.get_or_create(pk=key, defaults={"first_failed_at": now})
    SignInFailures.objects.filter(pk=key).update(count=F("count") + 1)


def forget_failures(key: str) -> None:
    """Reset the count after a correct password."""
    SignInFailures.objects.filter(pk=key).delete()


class SchoolSystemBackend(BaseBackend):
    """Signs in active accounts. A disabled or deleted account gets the same answer as a wrong password."""

    def authenticate(
        self,
        request: HttpRequest | None,
        *,
        school_system: SchoolSystem | None = None,
        email: str | None = None,
        password: str | None = None,
        now: datetime | None = None,
        **_others: Any,
    ) -> Account | None:
        """Return the account, or None for a wrong address or password. Raise TooManySignIns after too many.

        Without `school_system`, use the only one of the installation.
        """
        system = school_system or school_system_at("")
        if system is None or email is None or password is None:
            return None
        moment = now or timezone.now()
        key = failure_key(system.pk, email, request)
        refuse_if_too_many(key, now=moment)
        account = account_at(school_system_id=system.pk, email=email)
        if not has_password(account, password):
            count_failure(key, now=moment)
            return None
        forget_failures(key)
        record(school_system=system, action="signed_in", by=account, now=moment)
        return account

    def get_user(self, user_id: int) -> Account | None:
        """Return the account of a session. Return None if it is disabled or deleted, which ends the session."""
        return Account.objects.filter(pk=user_id, status=ACTIVE, deleted_at__isnull=True).first()


def school_system_at(slug: str) -> SchoolSystem | None:
    """Return the school system with this slug. Without a slug, return the only one, or None if there are several."""
    if slug:
        return SchoolSystem.objects.filter(slug=slug).first()
    first_two = list(SchoolSystem.objects.all()[:2])
    return first_two[0] if len(first_two) == 1 else None


def has_password(account: Account | None, password: str) -> bool:
    """True if this is the password of an account that may sign in."""
    if account is None or not account.is_active or not account.has_usable_password():
        make_password(password)  # as slow as a check: the response time must not reveal which addresses exist
        return False
    return check_password(password, account.password)
