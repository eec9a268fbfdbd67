"""Puts a page together: what every page shows beside what the view found."""

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils.datastructures import MultiValueDict

from sis_sync.core.errors import SisSyncError
from sis_sync.server.orgs.selectors import is_district_manager, is_manager, scope_org
from sis_sync.server.runs.selectors import waiting_runs
from sis_sync.server.web.access import PageRequest

PLACES: dict[str, tuple[str, ...]] = {
    "home": ("home",),
    "members": ("user_", "account_", "people_"),
    "settings": ("settings", "org"),
    "audit": ("audit",),
    "profile": ("profile",),
}


def page(
    request: PageRequest, template: str, context: Mapping[str, Any] | None = None, *, status: int = 200
) -> HttpResponse:
    """The page of somebody signed in, with the navigation that they may use."""
    return render(request, template, {**surroundings(request), **(context or {})}, status=status)


def surroundings(request: PageRequest) -> dict[str, Any]:
    """Who looks, what they manage, and how many runs wait for a decision."""
    me = request.user
    manages = is_manager(account=me)
    return {
        "me": me,
        "place": place_of(request),
        "school_system": me.school_system,
        "is_manager": manages,
        "is_district_manager": manages and is_district_manager(account=me),
        "scope": scope_org(actor=me) if manages else None,
        "waiting_count": waiting_runs(actor=me).count() if manages else 0,
    }


def place_of(request: HttpRequest) -> str:
    """The part of the navigation that the page belongs to; what is in no other is in Bulk Management."""
    name = (request.resolver_match.url_name if request.resolver_match else "") or ""
    return next((place for place, starts in PLACES.items() if name.startswith(starts)), "bulk")


def see_other(url_name: str, *args: Any, query: str = "") -> HttpResponseRedirect:
    """After a deed: the page that shows what it did. Loading that again repeats nothing."""
    address = reverse(url_name, args=args)
    return HttpResponseRedirect(f"{address}?{query}" if query else address, status=303)


def sent(request: HttpRequest) -> QueryDict | None:
    """What a form sent, be it nothing at all; None where the page is only being opened."""
    return request.POST if request.method == "POST" else None


def sent_files(request: HttpRequest) -> "MultiValueDict[str, UploadedFile[bytes]] | None":
    """The files that came with a form, like `sent`."""
    return request.FILES if request.method == "POST" else None


def say(request: HttpRequest, text: str) -> None:
    """Something that was done, told on the next page."""
    messages.success(request, text)


def say_refused(request: HttpRequest, error: SisSyncError) -> None:
    """Something that was not done, why, and what to do, told on the next page."""
    messages.error(request, f"{error.message} {error.fix}".strip())
