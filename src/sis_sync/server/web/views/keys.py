"""Bulk Management > Sync Client: keys that are made or rotated, and the one look at each."""

import secrets
import zoneinfo
from collections.abc import Iterable
from datetime import datetime, time, timedelta

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from sis_sync.core.errors import SisSyncError, UsageFault
from sis_sync.server.errors import ValuesRefused
from sis_sync.server.keys.models import ApiKey
from sis_sync.server.keys.selectors import access_key, key_of_secret, keys_of
from sis_sync.server.keys.services import create_key, revoke_key, rotate_key, set_client_api
from sis_sync.server.orgs.selectors import access_org, managed_orgs
from sis_sync.server.web.access import PageRequest, for_district_managers, for_managers
from sis_sync.server.web.forms.bulk import KeyForm
from sis_sync.server.web.render import page, say, say_refused, see_other, sent

COOKIE = "new_key"
SECONDS = 60


def carry(response: HttpResponse, secret: str) -> HttpResponse:
    """The response, which leads to the page of the new key, with the secret for that page only."""
    response.set_cookie(
        COOKIE,
        secret,
        max_age=SECONDS,
        path=reverse("web:new_api_key"),
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Strict",
    )
    return response


def carried(request: HttpRequest) -> str:
    """The secret; empty once it was shown."""
    return request.COOKIES.get(COOKIE, "")


def drop(response: HttpResponse) -> HttpResponse:
    """The response, after which the browser has forgotten the secret."""
    response.delete_cookie(COOKIE, path=reverse("web:new_api_key"), samesite="Strict")
    return response


SENT = "forms_sent"
MOST_REMEMBERED = 20


def new_sign() -> str:
    """For the hidden field `sign` of a form that is shown."""
    return secrets.token_hex(8)


def was_sent(request: HttpRequest) -> bool:
    """Whether this very form was taken before."""
    return request.POST.get("sign", "") in request.session.get(SENT, [])


def note_sent(request: HttpRequest) -> None:
    """Remember that this form was taken."""
    sign = request.POST.get("sign", "")[:16]
    if sign:
        request.session[SENT] = [*request.session.get(SENT, []), sign][-MOST_REMEMBERED:]


SECTIONS: dict[str, tuple[str, str]] = {
    "partial": ("partial.sync", "Partial: people in the file are created or updated, nobody else is touched"),
    "full": ("full.sync", "Full: the complete list"),
    "students": ("student.sync", "Student Only: the complete list of students"),
    "staff": ("staff.sync", "Admin/Teacher/Staff: the complete list of these"),
}


def client_properties(address: str, secret: str, modes: Iterable[str]) -> str:
    """The lines: the server's address, the key, and a section for each mode that the key may use, switched off."""
    lines = ["# API key", f"backend.url={address}", f"backend.api.token={secret}"]
    for mode in modes:
        prefix, meaning = SECTIONS[mode]
        lines += ["", f"# {meaning}", f"{prefix}.enabled=false", f"{prefix}.folder=", f"{prefix}.file.pattern=*.csv"]
    return "\n".join(lines) + "\n"


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
