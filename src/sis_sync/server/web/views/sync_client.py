"""Bulk Management > Sync Client: the API switch and its keys."""

import zoneinfo
from datetime import datetime, time, timedelta

from django.http import HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from sis_sync.core.errors import SisSyncError
from sis_sync.server.keys.models import ApiKey
from sis_sync.server.keys.selectors import access_key, keys_of
from sis_sync.server.keys.services import create_key, revoke_key, rotate_key, set_client_api
from sis_sync.server.orgs.selectors import access_org, managed_orgs
from sis_sync.server.refused_values import ValuesRefused
from sis_sync.server.web.client_properties import client_properties
from sis_sync.server.web.entrance import PageRequest, for_district_managers, for_managers
from sis_sync.server.web.forms.bulk import KeyForm
from sis_sync.server.web.render import page, say, say_refused, see_other, sent


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
def create_api_key(request: PageRequest) -> HttpResponse:
    """Makes a key and shows it, this once."""
    form = KeyForm(sent(request), orgs=managed_orgs(actor=request.user))
    if request.method == "POST" and form.is_valid():
        chosen = form.cleaned_data
        try:
            key, secret = create_key(
                school_system=request.user.school_system,
                org=access_org(actor=request.user, org_id=chosen["org"]),
                name=chosen["name"],
                scopes=chosen["scopes"],
                modes=chosen["modes"],
                actor=request.user,
                now=timezone.now(),
                expires_at=end_of_day(request, form),
            )
        except ValuesRefused as refused:
            form.take_refusals(refused)
        else:
            return show_once(request, key, secret)
    return page(request, "web/bulk/create_key.html", {"form": form})


def end_of_day(request: PageRequest, form: KeyForm) -> datetime | None:
    """When the last day chosen ends in the school system's zone; None for no end."""
    day = form.cleaned_data["expires_on"]
    if day is None:
        return None
    zone = zoneinfo.ZoneInfo(request.user.school_system.time_zone)
    return datetime.combine(day + timedelta(days=1), time(), zone)


def show_once(request: PageRequest, key: ApiKey, secret: str) -> HttpResponse:
    """The page with the secret. It is stored nowhere, so that loading the page again cannot show it."""
    address = request.build_absolute_uri("/").rstrip("/")
    context = {"key": key, "secret": secret, "properties": client_properties(address, secret, key.modes)}
    return page(request, "web/bulk/key_once.html", context)


@for_managers
@require_http_methods(["GET", "POST"])
def rotate_api_key(request: PageRequest, key_id: int) -> HttpResponse:
    """Says what rotating does, then shows the new key, this once."""
    key = access_key(actor=request.user, key_id=key_id)
    if request.method == "POST":
        try:
            new_key, secret = rotate_key(key=key, actor=request.user, now=timezone.now())
        except SisSyncError as error:
            say_refused(request, error)
            return see_other("web:sync_client")
        return show_once(request, new_key, secret)
    return page(request, "web/bulk/rotate_key.html", {"key": key})


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
