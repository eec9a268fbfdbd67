"""Sessions: how they begin, and how they end after 30 minutes without activity or 12 hours in all.

A session is stored in the database. When it was last used is in a signed cookie, because reading a page must not write.
Changes at the end of a request are a mark: they make no one wait. Signing in stores its session at once, and fails if
it cannot.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from django.conf import settings
from django.contrib.auth import SESSION_KEY, login, update_session_auth_hash
from django.contrib.auth.models import AnonymousUser
from django.contrib.auth.signals import user_logged_in
from django.contrib.sessions.backends.db import SessionStore as DatabaseSessions
from django.core.signing import BadSignature, Signer
from django.db import transaction
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from sis_sync.server.accounts.models import Account
from sis_sync.server.lock_wait import write_mark

LONGEST = timedelta(seconds=settings.SESSION_COOKIE_AGE)
LONGEST_IDLE = timedelta(minutes=30)
# A time further ahead was stored while the clock was wrong.
CLOCK_TOLERANCE = timedelta(minutes=1)
SEEN_COOKIE = "seen"
SIGNED_IN_AT = "signed_in_at"  # in the session: seconds since 1970
# Requests that a page makes by itself do not count as activity.
AUTOMATIC_PAGES = ("run_progress",)


class SessionStore(DatabaseSessions):
    """A session whose changes are dropped if they would have to wait."""

    def save(self, must_create: bool = False) -> None:
        """Store the session. Only a new one is worth waiting for."""
        if must_create or self.session_key is None:
            super().save(must_create)
        else:
            write_mark(super().save)

    def save_now(self) -> None:
        """Store the session. Raise OperationalError if another process writes for too long."""
        super().save()


def begin_session(request: HttpRequest, account: Account) -> None:
    """Sign the person in with a new session, or raise OperationalError and change nothing."""
    with transaction.atomic():
        request.session.flush()  # one that has ended by time would otherwise go on under its old ID
        login(request, account)
        cast(SessionStore, request.session).save_now()


def keep_only_session(request: HttpRequest, account: Account) -> None:
    """Keep this session, now that the password is another. It is stored with the caller's transaction."""
    update_session_auth_hash(request, account)
    cast(SessionStore, request.session).save_now()


@receiver(user_logged_in, dispatch_uid="session_times")
def set_end(request: HttpRequest, **_others: Any) -> None:
    """Set the end of a new session. It does not move, however often the session is used."""
    now = timezone.now()
    request.session[SIGNED_IN_AT] = int(now.timestamp())
    request.session.set_expiry(now + LONGEST)


def end_idle_sessions(respond: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Treat a person whose session has ended as signed out. Note that a session is in use in its cookie."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if settings.SESSION_COOKIE_NAME in request.COOKIES and SESSION_KEY in request.session and has_ended(request):
            request.user = AnonymousUser()
        response = respond(request)
        if is_activity(request):
            note_activity(request, response)
        return response

    return middleware


def is_activity(request: HttpRequest) -> bool:
    """Return True if a signed-in person asked for this, and not a page by itself."""
    if SESSION_KEY not in request.session or not request.user.is_authenticated:
        return False
    match = request.resolver_match
    return match is None or match.url_name not in AUTOMATIC_PAGES


def has_ended(request: HttpRequest) -> bool:
    """Return True if the session was not used for 30 minutes, or began 12 hours ago."""
    now, signed_in_at = timezone.now(), _signed_in_at(request)
    uses = [moment for moment in (signed_in_at, _seen_at(request)) if moment <= now + CLOCK_TOLERANCE]
    return not uses or now >= min(max(uses) + LONGEST_IDLE, signed_in_at + LONGEST)


def ends_at(request: HttpRequest) -> datetime:
    """Return when the session ends if the person does nothing after this request."""
    return min(timezone.now() + LONGEST_IDLE, _signed_in_at(request) + LONGEST)


def note_activity(request: HttpRequest, response: HttpResponse) -> None:
    """Store in the browser's cookie that the session is in use now."""
    response.set_cookie(
        SEEN_COOKIE,
        _signer(request).sign(str(int(timezone.now().timestamp()))),
        max_age=LONGEST_IDLE,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def _signed_in_at(request: HttpRequest) -> datetime:
    return datetime.fromtimestamp(request.session.get(SIGNED_IN_AT, 0), UTC)


def _seen_at(request: HttpRequest) -> datetime:
    """Return the time in the cookie, or 1970 without one. The cookie of another session does not count."""
    try:
        seconds = int(_signer(request).unsign(request.COOKIES.get(SEEN_COOKIE, "")))
    except (BadSignature, ValueError):
        seconds = 0
    return datetime.fromtimestamp(seconds, UTC)


def _signer(request: HttpRequest) -> Signer:
    return Signer(salt=f"{SEEN_COOKIE}.{request.session.session_key}")
