"""Bulk Management > Sync Client: keys that are made or rotated, and the one look at each."""

import zoneinfo
from datetime import datetime, time, timedelta

from django.http import HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from sis_sync.core.errors import SisSyncError, UsageFault
from sis_sync.server.keys.selectors import access_key, key_of_secret
from sis_sync.server.keys.services import create_key, rotate_key
from sis_sync.server.orgs.selectors import access_org, managed_orgs
from sis_sync.server.refused_values import ValuesRefused
from sis_sync.server.web.client_properties import client_properties
from sis_sync.server.web.entrance import PageRequest, for_managers
from sis_sync.server.web.forms.bulk import KeyForm
from sis_sync.server.web.render import page, say_refused, see_other, sent
from sis_sync.server.web.sent_once import new_sign, note_sent, was_sent
from sis_sync.server.web.shown_once import carried, carry, drop

SEEN_BEFORE = UsageFault(
    "A new key is shown once, and not again.", fix="If you did not copy it, revoke it and make another."
)


@for_managers
@require_http_methods(["GET", "POST"])
def create_api_key(request: PageRequest) -> HttpResponse:
    """Makes a key and goes on to the page that shows it; the same form sent again makes no other."""
    form = KeyForm(sent(request), orgs=managed_orgs(actor=request.user))
    if was_sent(request):
        return see_other("web:new_api_key")  # which shows the key, if the first answer never arrived
    if request.method == "POST" and form.is_valid() and (secret := made(request, form)):
        note_sent(request)
        return carry(see_other("web:new_api_key"), secret)
    return page(request, "web/bulk/create_key.html", {"form": form, "sign": new_sign()})


def made(request: PageRequest, form: KeyForm) -> str:
    """The secret of the key that the form asks for; empty, with the faults on the form, if it was refused."""
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
            expires_at=end_of_day(request, form),
        )
    except ValuesRefused as refused:
        form.take_refusals(refused)
        return ""
    return secret


def end_of_day(request: PageRequest, form: KeyForm) -> datetime | None:
    """When the last day chosen ends in the school system's zone; None for no end."""
    day = form.cleaned_data["expires_on"]
    if day is None:
        return None
    zone = zoneinfo.ZoneInfo(request.user.school_system.time_zone)
    return datetime.combine(day + timedelta(days=1), time(), zone)


@for_managers
@require_http_methods(["GET", "POST"])
def rotate_api_key(request: PageRequest, key_id: int) -> HttpResponse:
    """Says what rotating does, then does it and goes on to the page that shows the new key."""
    key = access_key(actor=request.user, key_id=key_id)
    if was_sent(request):
        return see_other("web:new_api_key")  # which shows the key, if the first answer never arrived
    if request.method == "POST":
        try:
            _, secret = rotate_key(key=key, actor=request.user, now=timezone.now())
        except SisSyncError as error:
            say_refused(request, error)
            return see_other("web:sync_client")
        note_sent(request)
        return carry(see_other("web:new_api_key"), secret)
    return page(request, "web/bulk/rotate_key.html", {"key": key, "sign": new_sign()})


@for_managers
@require_GET
def new_api_key(request: PageRequest) -> HttpResponse:
    """The page with the secret of a new key, this once: loading it again leads back to the keys."""
    secret = carried(request)
    key = key_of_secret(actor=request.user, secret=secret)
    if key is None:
        say_refused(request, SEEN_BEFORE)
        return see_other("web:sync_client")
    address = request.build_absolute_uri("/").rstrip("/")
    context = {"key": key, "secret": secret, "properties": client_properties(address, secret, key.modes)}
    return drop(page(request, "web/bulk/key_once.html", context))
