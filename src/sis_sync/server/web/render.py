"""Helpers of all views: render a page with its frame, read the submitted form, flash a message, redirect."""

from collections.abc import Mapping
from typing import Any, TypeVar

from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.core.paginator import Page, Paginator
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils.datastructures import MultiValueDict

from sis_sync.core.errors import SisSyncError
from sis_sync.server.errors import NotNow
from sis_sync.server.orgs.selectors import is_district_manager, is_manager, scope_org
from sis_sync.server.runs.selectors import waiting_runs
from sis_sync.server.sessions import ends_at
from sis_sync.server.web.access import PageRequest
from sis_sync.server.web.words import error_words

M = TypeVar("M", bound=Model)
PAGE_SIZE = 50  # rows of every list
# Start of a page's name: the item of the main navigation to mark. All other pages are in Bulk Management.
NAVIGATION: dict[str, tuple[str, ...]] = {
    "home": ("home",),
    "members": ("user_", "account_", "people_", "claim_codes", "names_of_sis"),
    "settings": ("settings", "org", "networks", "retention", "own_names"),
    "audit": ("audit",),
    "profile": ("profile", "new_password"),
}


def page(
    request: PageRequest, template: str, context: Mapping[str, Any] | None = None, *, status: int = 200
) -> HttpResponse:
    """Render a page for a signed-in person, with the navigation that they may use."""
    return render(request, template, {**frame(request), **(context or {})}, status=status)


def frame(request: PageRequest) -> dict[str, Any]:
    """Return the part of the context that every page needs for its header and footer."""
    me = request.user
    manages = is_manager(account=me)
    page_name = (request.resolver_match.url_name if request.resolver_match else "") or ""
    return {
        "me": me,
        "place": next((place for place, starts in NAVIGATION.items() if page_name.startswith(starts)), "bulk"),
        "school_system": me.school_system,
        "is_manager": manages,
        "is_district_manager": manages and is_district_manager(account=me),
        "scope": scope_org(actor=me) if manages else None,
        "session_ends_at": ends_at(request),
        "waiting_count": waiting_runs(actor=me).count() if manages else 0,
    }


def paged(request: HttpRequest, rows: QuerySet[M], *, size: int = PAGE_SIZE) -> Page[M]:
    """Return the page of rows that the address asks for, or the first page."""
    return Paginator(rows, size).get_page(request.GET.get("page"))


def form_data(request: HttpRequest) -> QueryDict | None:
    """Return the submitted form, which may be empty. Return None unless it is a POST: then the form shows no errors."""
    return request.POST if request.method == "POST" else None


def form_files(request: HttpRequest) -> "MultiValueDict[str, UploadedFile[bytes]] | None":
    """Return the submitted files, or None as in `form_data`."""
    return request.FILES if request.method == "POST" else None


def flash(request: HttpRequest, text: str) -> None:
    """Show a message on the next page."""
    messages.success(request, text)


def flash_error(request: HttpRequest, error: SisSyncError) -> None:
    """Show the error, and what to do about it, on the next page."""
    messages.error(request, error_words(error))


def with_retry_after(response: HttpResponse, error: NotNow) -> HttpResponse:
    """Give the response the status of the error, and the header that says when to try again."""
    response.status_code = error.http_status
    response.headers["Retry-After"] = str(error.retry_after_seconds)
    return response


def see_other(url_name: str, *args: Any, query: str = "") -> HttpResponseRedirect:
    """Redirect to a page after a change, so that reloading the page does not repeat the change."""
    address = reverse(url_name, args=args)
    return HttpResponseRedirect(f"{address}?{query}" if query else address, status=303)
