"""The API key of a request, and the scopes and modes that it may use."""

from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from ninja.security import HttpBearer

from sis_sync.core.errors import NotPermitted, UsageFault
from sis_sync.core.modes import MODES
from sis_sync.server.keys.authenticate import authenticate_key
from sis_sync.server.keys.models import ApiKey

OTHER_KEY = "Use a key that may, or ask a manager to make one under Bulk Management > Sync Client."


class SignedRequest(HttpRequest):
    """A request whose key was accepted."""

    auth: ApiKey


class BearerKey(HttpBearer):
    """`Authorization: Bearer sissync_...`."""

    openapi_bearerFormat = "sissync_..."  # noqa: N815 - the name is the library's

    def authenticate(self, request: HttpRequest, token: str) -> Any:
        """Return the key. Raise KeyRefused, with the reason, if it is not accepted."""
        return authenticate_key(
            secret=token,
            now=timezone.now(),
            address=request.META.get("REMOTE_ADDR", ""),
            client_version=request.headers.get("User-Agent", ""),
        )


def require_scope(api_key: ApiKey, *scopes: str) -> None:
    """Raise NotPermitted unless the key has one of the scopes."""
    if not set(scopes) & set(api_key.scopes):
        raise NotPermitted(f"The key {api_key.prefix} lacks the scope {' or '.join(scopes)}.", fix=OTHER_KEY)


def require_mode(api_key: ApiKey, mode: str) -> None:
    """Raise UsageFault if the mode is unknown, or NotPermitted if the key may not use it."""
    if mode not in MODES:
        raise UsageFault(f'There is no mode "{mode[:20]}".', fix=f"The modes are {', '.join(MODES)}.")
    if mode not in api_key.modes:
        allowed = ", ".join(api_key.modes)
        raise NotPermitted(f"The key {api_key.prefix} may not send {mode} files, only {allowed}.", fix=OTHER_KEY)
