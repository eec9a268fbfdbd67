"""Who calls: the API key of a request, and what it may do."""

from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from ninja.security import HttpBearer

from sis_sync.core.errors import NotPermitted
from sis_sync.server.keys.authenticate import authenticate_key
from sis_sync.server.keys.models import ApiKey

OTHER_KEY = "Use a key that may, or let a manager make one under Bulk Management > Sync Client."


class SignedRequest(HttpRequest):
    """A request whose key was taken."""

    auth: ApiKey


class BearerKey(HttpBearer):
    """`Authorization: Bearer sissync_...`."""

    openapi_bearerFormat = "sissync_..."  # noqa: N815 - the name is the library's

    def authenticate(self, request: HttpRequest, token: str) -> Any:
        """The key; KeyRefused says why one is not taken."""
        return authenticate_key(
            secret=token,
            now=timezone.now(),
            address=request.META.get("REMOTE_ADDR", ""),
            client_version=request.headers.get("User-Agent", ""),
        )


def require_scope(api_key: ApiKey, *scopes: str) -> None:
    """NotPermitted unless the key has one of the scopes."""
    if not set(scopes) & set(api_key.scopes):
        raise NotPermitted(f"The key {api_key.prefix} lacks the scope {' or '.join(scopes)}.", fix=OTHER_KEY)


def require_mode(api_key: ApiKey, mode: str) -> None:
    """NotPermitted unless the key may use the mode."""
    if mode not in api_key.modes:
        allowed = ", ".join(api_key.modes)
        raise NotPermitted(f"The key {api_key.prefix} may not send {mode} files, only {allowed}.", fix=OTHER_KEY)
