"""Signing in: a school system, an e-mail address without case, a password."""

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

LIMIT = 10
WINDOW = timedelta(minutes=15)


def failure_key(school_system_id: int, email: str, request: HttpRequest | None) -> str:
    """Stands for one address tried from one place, without naming either (SHA-256)."""
    place = request.META.get("REMOTE_ADDR", "") if request is not None else ""
    return hashlib.sha256(f"{school_system_id}\n{email.strip().lower()}\n{place}".encode()).hexdigest()


def refuse_if_too_many(key: str, *, now: datetime) -> None:
    """TooManySignIns, saying how long to wait, once the limit of the window is reached."""
    failures = SignInFailures.objects.filter(pk=key, first_failed_at__gt=now - WINDOW, count__gte=LIMIT).first()
    if failures is not None:
        minutes = int((failures.first_failed_at + WINDOW - now).total_seconds() // 60) + 1
        raise TooManySignIns(
            f"Too many wrong passwords. Signing in with this address is closed for {minutes} more minutes.",
            fix="Wait, or ask a manager to set a new password.",
        )


@transaction.atomic
def count_failure(key: str, *, now: datetime) -> None:
    """One more wrong password; a window that is over starts anew."""
    SignInFailures.objects.filter(first_failed_at__lte=now - WINDOW).delete()
    SignInFailures.objects.get_or_create(pk=key, defaults={"first_failed_at": now})
    SignInFailures.objects.filter(pk=key).update(count=F("count") + 1)


def forget_failures(key: str) -> None:
    """The right password ends the count."""
    SignInFailures.objects.filter(pk=key).delete()


class SchoolSystemBackend(BaseBackend):
    """Lets active accounts in; the disabled and the deleted answer like a wrong password."""

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
        """The account, or None for any wrong pair. TooManySignIns after too many of them.

        Without `school_system` it is the only one of the installation, if there is only one.
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
        """The account of a session, None as soon as it is disabled or deleted: its sessions end there."""
        return Account.objects.filter(pk=user_id, status=ACTIVE, deleted_at__isnull=True).first()


def school_system_at(slug: str) -> SchoolSystem | None:
    """The school system of that slug; for the bare address (no slug) the only one, None if there are several."""
    if slug:
        return SchoolSystem.objects.filter(slug=slug).first()
    first_two = list(SchoolSystem.objects.all()[:2])
    return first_two[0] if len(first_two) == 1 else None


def has_password(account: Account | None, password: str) -> bool:
    """Whether it is the account's password. For nobody it takes as long: the time tells no address."""
    if account is None or not account.is_active or not account.has_usable_password():
        make_password(password)
        return False
    return check_password(password, account.password)
