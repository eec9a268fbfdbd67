"""Sessions in the database that make no one wait: at the end of a request they are stored as a mark.

Signing in stores its session at once, and fails if it cannot.
"""

from typing import cast

from django.contrib.auth import login, update_session_auth_hash
from django.contrib.sessions.backends.db import SessionStore as DatabaseSessions
from django.db import transaction
from django.http import HttpRequest

from sis_sync.server.accounts.models import Account
from sis_sync.server.lock_wait import write_mark


class SessionStore(DatabaseSessions):
    """A session whose changes, such as a message for the next page, are dropped if they would have to wait."""

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
        login(request, account)
        cast(SessionStore, request.session).save_now()


def keep_only_session(request: HttpRequest, account: Account) -> None:
    """Keep this session, now that the password is another. It is stored with the caller's transaction."""
    update_session_auth_hash(request, account)
    cast(SessionStore, request.session).save_now()
