"""Signs people in by school system, e-mail address and password, within the limits of sign_in_limits.py."""

import secrets
from datetime import datetime
from typing import Any

from django.contrib.auth.backends import BaseBackend
from django.http import HttpRequest
from django.utils import timezone

from sis_sync.core.fields import ACTIVE
from sis_sync.server.accounts.hashing import has_password
from sis_sync.server.accounts.models import Account, FilePassword
from sis_sync.server.accounts.sealed_passwords import KeyMissing, open_passwords
from sis_sync.server.accounts.selectors import account_at
from sis_sync.server.accounts.sign_in_limits import counted_try
from sis_sync.server.audit.services import record
from sis_sync.server.errors import PasswordNotReady
from sis_sync.server.orgs.models import SchoolSystem


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
        """Return the account, or None for a wrong address or password. Raise NotNow if there are too many tries.

        Raise PasswordNotReady for the right password of a newcomer that is not hashed yet.

        Without `school_system`, use the only one of the installation.
        """
        system = school_system or school_system_at("")
        if system is None or email is None or password is None:
            return None
        moment = now or timezone.now()
        place = place_of(request)
        with counted_try(school_system=system, email=email, place=place) as attempt:
            account = account_at(school_system_id=system.pk, email=email)
            is_hashed = has_password(account, password)
            attempt.is_right = is_hashed or is_being_prepared(account, password)
        if attempt.is_right and not is_hashed:
            raise PasswordNotReady(
                "Your account is there, but its password is still being prepared.", fix="Try again in a few minutes."
            )
        if not attempt.is_right:
            return None
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


def place_of(request: HttpRequest | None) -> str:
    """Return the network address of the client. If the server is behind a proxy, the proxy names it."""
    return str(request.META.get("REMOTE_ADDR", "")) if request is not None else ""


def proves_present_password(*, account: Account, password: str, place: str) -> bool:
    """Return True if this is the password of a signed-in account. It counts like a try to sign in."""
    with counted_try(school_system=account.school_system, email=account.email, place=place) as attempt:
        attempt.is_right = has_password(account, password)
    return attempt.is_right


def is_being_prepared(account: Account | None, password: str) -> bool:
    """True if this is the password that came with a file for an active account, and is not hashed yet.

    Only the person who knows the password learns this: anyone else gets the answer to a wrong one.
    """
    if account is None or not account.is_active:
        return False
    waiting = FilePassword.objects.filter(account=account, outcome=FilePassword.Outcome.WAITING).first()
    if waiting is None or waiting.run_id is None:
        return False
    try:
        brought = open_passwords(waiting.run_id, [waiting.line]).get(waiting.line, "")
    except KeyMissing:
        return False
    return secrets.compare_digest(brought.encode(), password.encode())
