"""Bulk Management > Sync Client: the state of the API, and its keys: create, rotate, revoke."""

import zoneinfo
from datetime import datetime, time, timedelta

from django.http import HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from sis_sync.core.errors import SisSyncError, UsageFault
from sis_sync.server.errors import ValuesRefused
from sis_sync.server.keys.limits import is_trusted
from sis_sync.server.keys.models import ApiKey
from sis_sync.server.keys.selectors import access_key, key_of_secret, keys_of
from sis_sync.server.keys.services import create_key, revoke_key, rotate_key, set_client_api, set_first_file
from sis_sync.server.orgs.selectors import access_org, managed_orgs
from sis_sync.server.web.access import PageRequest, for_district_managers, for_managers
from sis_sync.server.web.forms.sync import MAX_FILE_MB, FileSizeForm, KeyForm
from sis_sync.server.web.key_shown_once import (
    client_properties,
    delete_key_cookie,
    key_from_cookie,
    new_form_id,
    remember_submission,
    set_key_cookie,
    was_submitted,
)
from sis_sync.server.web.render import flash, flash_error, form_data, page, see_other

SHOWN_BEFORE = UsageFault(
    "A new key is shown once, and not again.", fix="If you did not copy it, revoke it and make another."
)


@for_managers
@require_GET
def sync_client(request: PageRequest) -> HttpResponse:
    """The state of the API, the keys, and how to set up a client."""
    now = timezone.now()
    keys = list(keys_of(actor=request.user))
    context = {
        "keys": [key for key in keys if is_live(key, now)],
        "old_keys": [key for key in keys if not is_live(key, now)],
        "address": server_address(request),
    }
    return page(request, "web/bulk/sync_client.html", context)


def is_live(key: ApiKey, now: datetime) -> bool:
    """Return True if the key is neither revoked nor expired."""
    return key.revoked_at is None and (key.expires_at is None or key.expires_at > now)


def server_address(request: PageRequest) -> str:
    """Return the address of this server as the browser knows it, without a slash at its end."""
    return request.build_absolute_uri("/").rstrip("/")


@for_district_managers
@require_POST
def switch_client_api(request: PageRequest) -> HttpResponse:
    """Enable or disable the API for all keys."""
    enabled = request.POST.get("enabled") == "yes"
    set_client_api(school_system=request.user.school_system, enabled=enabled, actor=request.user, now=timezone.now())
    flash(request, "The Sync Client API is enabled." if enabled else "The Sync Client API is disabled: no key works.")
    return see_other("web:sync_client")


@for_managers
@require_http_methods(["GET", "POST"])
def create_api_key(request: PageRequest) -> HttpResponse:
    """Create a key and redirect to the page that shows it."""
    form = KeyForm(form_data(request), orgs=managed_orgs(actor=request.user))
    if was_submitted(request):
        return see_other("web:new_api_key")  # which shows the key, if the first answer never arrived
    if request.method == "POST" and form.is_valid():
        chosen = form.cleaned_data
        try:
            _, secret = create_key(
                school_system=request.user.school_system,
                org=access_org(actor=request.user, org_id=chosen["org"]),
                name=chosen["name"],
                scopes=chosen["scopes"],
                modes=chosen["modes"],
                actor=request.user,
                now=timezone.now(),
                expires_at=end_of_last_day(request, form),
            )
        except ValuesRefused as error:
            form.add_refusal(error)
        else:
            remember_submission(request)
            return set_key_cookie(see_other("web:new_api_key"), secret)
    return page(request, "web/bulk/create_key.html", {"form": form, "form_id": new_form_id()})


def end_of_last_day(request: PageRequest, form: KeyForm) -> datetime | None:
    """Return the end of the chosen day in the school system's time zone. None if the key never expires."""
    day = form.cleaned_data["expires_on"]
    if day is None:
        return None
    zone = zoneinfo.ZoneInfo(request.user.school_system.time_zone)
    return datetime.combine(day + timedelta(days=1), time(), zone)


@for_managers
@require_GET
def new_api_key(request: PageRequest) -> HttpResponse:
    """Show a new key once. Loading the page again leads back to the list of keys."""
    secret = key_from_cookie(request)
    key = key_of_secret(actor=request.user, secret=secret)
    if key is None:
        flash_error(request, SHOWN_BEFORE)
        return see_other("web:sync_client")
    properties = client_properties(server_address(request), secret, key.modes)
    return delete_key_cookie(
        page(request, "web/bulk/key_once.html", {"key": key, "secret": secret, "properties": properties})
    )


@for_managers
@require_http_methods(["GET", "POST"])
def rotate_api_key(request: PageRequest, key_id: int) -> HttpResponse:
    """Explain rotation. Once confirmed, rotate the key and redirect to the page that shows the new one."""
    key = access_key(actor=request.user, key_id=key_id)
    if was_submitted(request):
        return see_other("web:new_api_key")  # which shows the key, if the first answer never arrived
    if request.method == "POST":
        try:
            _, secret = rotate_key(key=key, actor=request.user, now=timezone.now())
        except SisSyncError as error:
            flash_error(request, error)
            return see_other("web:sync_client")
        remember_submission(request)
        return set_key_cookie(see_other("web:new_api_key"), secret)
    return page(request, "web/bulk/rotate_key.html", {"key": key, "form_id": new_form_id()})


@for_managers
@require_http_methods(["GET", "POST"])
def limit_api_key(request: PageRequest, key_id: int) -> HttpResponse:
    """Set the size of files that the key may send before a person has approved one of its runs."""
    key = access_key(actor=request.user, key_id=key_id)
    form = FileSizeForm(form_data(request), initial={"first_file_mb": key.first_file_mb})
    if request.method == "POST" and form.is_valid():
        set_first_file(key=key, size_mb=form.cleaned_data["first_file_mb"], actor=request.user, now=timezone.now())
        flash(request, f"The size of the files of {key.name} was updated.")
        return see_other("web:sync_client")
    context = {"key": key, "form": form, "is_trusted": is_trusted(key), "most_mb": MAX_FILE_MB}
    return page(request, "web/bulk/key_limit.html", context)


@for_managers
@require_http_methods(["GET", "POST"])
def revoke_api_key(request: PageRequest, key_id: int) -> HttpResponse:
    """Explain revocation. Once confirmed, revoke the key."""
    key = access_key(actor=request.user, key_id=key_id)
    if request.method == "POST":
        revoke_key(key=key, actor=request.user, now=timezone.now())
        flash(request, f"The key {key.name} was revoked. It no longer works.")
        return see_other("web:sync_client")
    return page(request, "web/bulk/revoke_key.html", {"key": key})
