"""Slows down guessing: after too many wrong passwords in a while, none is looked at for the rest of it.

Counted in the database, so that every web process counts together.
"""

import hashlib
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F
from django.http import HttpRequest

from sis_sync.core.errors import SisSyncError
from sis_sync.server.accounts.models import SignInFailures

LIMIT = 10
WINDOW = timedelta(minutes=15)


class TooManySignIns(SisSyncError):
    """Too many wrong passwords for this address from this place."""

    http_status, title = 429, "Too many tries"


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
