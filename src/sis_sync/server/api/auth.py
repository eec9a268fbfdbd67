"""The API key of a request, and the scopes and modes that it may use."""

from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from ninja.security import HttpBearer

from sis_sync.core.errors import KeyRefused, NotPermitted, UsageFault
from sis_sync.core.modes import MODES
from sis_sync.server.keys.authenticate import authenticate_key
from sis_sync.server.keys.limits import count_call
from sis_sync.server.keys.models import ApiKey

OTHER_KEY = "Use a key that may, or ask a manager to make one under Bulk Management > Sync Client."

NO_KEY, SEND_KEY = "The call carries no API key.", "Send it as: Authorization: Bearer sissync_..."


class SignedRequest(HttpRequest):
    """A request whose key was accepted."""

    auth: ApiKey


class BearerKey(HttpBearer):
    """`Authorization: Bearer sissync_...`."""

    openapi_bearerFormat = "sissync_..."  # noqa: N815 - the name is the library's

    def authenticate(self, request: HttpRequest, token: str) -> Any:
        """Return the key and count the call. Raise KeyRefused, with the reason, if the key is not accepted."""
        key = accepted_key(request, token)
        count_call(key)
        return key


def key_of_request(request: HttpRequest) -> ApiKey:
    """Return the key. Raise KeyRefused, with the reason, if there is none or it is not accepted. Count no call."""
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() != BearerKey.openapi_scheme:
        raise KeyRefused(NO_KEY, fix=SEND_KEY)
    return accepted_key(request, token)


def accepted_key(request: HttpRequest, secret: str) -> ApiKey:
    """Return the key with this secret. Raise KeyRefused, with the reason, if it is not accepted."""
    return authenticate_key(
        secret=secret,
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
