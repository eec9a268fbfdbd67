"""Bulk Management > Sync Client: the API switch and its keys."""

from datetime import datetime

from django.http import HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from sis_sync.server.keys.models import ApiKey
from sis_sync.server.keys.selectors import access_key, keys_of
from sis_sync.server.keys.services import revoke_key, set_client_api
from sis_sync.server.web.entrance import PageRequest, for_district_managers, for_managers
from sis_sync.server.web.render import page, say, see_other


@for_managers
@require_GET
def sync_client(request: PageRequest) -> HttpResponse:
    """The state of the API, the keys, and how to set a client up."""
    now = timezone.now()
    keys = list(keys_of(actor=request.user))
    context = {
        "keys": [key for key in keys if is_live(key, now)],
        "old_keys": [key for key in keys if not is_live(key, now)],
        "address": request.build_absolute_uri("/").rstrip("/"),
    }
    return page(request, "web/bulk/sync_client.html", context)


def is_live(key: ApiKey, now: datetime) -> bool:
    """Neither revoked nor expired."""
    return key.revoked_at is None and (key.expires_at is None or key.expires_at > now)


@for_district_managers
@require_POST
def switch_client_api(request: PageRequest) -> HttpResponse:
    """Enables or disables the API for all keys."""
    enabled = request.POST.get("enabled") == "yes"
    set_client_api(school_system=request.user.school_system, enabled=enabled, actor=request.user, now=timezone.now())
    say(request, "The Sync Client API is enabled." if enabled else "The Sync Client API is disabled: no key works.")
    return see_other("web:sync_client")


@for_managers
@require_http_methods(["GET", "POST"])
def revoke_api_key(request: PageRequest, key_id: int) -> HttpResponse:
    """Says what revoking does, then does it."""
    key = access_key(actor=request.user, key_id=key_id)
    if request.method == "POST":
        revoke_key(key=key, actor=request.user, now=timezone.now())
        say(request, f"The key {key.name} was revoked. It works no longer.")
        return see_other("web:sync_client")
    return page(request, "web/bulk/revoke_key.html", {"key": key})
