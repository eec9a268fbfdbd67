"""The access rules of pages: for everyone who is signed in, for managers, or for managers of the district."""

import zoneinfo
from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec
from urllib.parse import urlsplit

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from sis_sync.core.errors import NotPermitted
from sis_sync.server.accounts.models import Account
from sis_sync.server.errors import PlanDamaged, ReportRemoved
from sis_sync.server.orgs.selectors import (
    ASK_A_MANAGER,
    DISTRICT_MANAGERS_ONLY,
    MANAGERS_ONLY,
    is_district_manager,
    is_manager,
)

P = ParamSpec("P")


class PageRequest(HttpRequest):
    """A request by a signed-in person."""

    user: Account


View = Callable[Concatenate[PageRequest, P], HttpResponseBase]
WrappedView = Callable[Concatenate[HttpRequest, P], HttpResponseBase]


def for_everyone(view: View[P]) -> WrappedView[P]:
    """Allow every signed-in, active person, as in `for_signed_in`.

    If someone else knows the person's password, redirect to the page that changes it.
    """

    @wraps(view)
    def wrapper(request: PageRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if request.user.must_change_password:
            return redirect_to_page(request, "web:new_password")
        return view(request, *args, **kwargs)

    return for_signed_in(wrapper)


def for_signed_in(view: View[P]) -> WrappedView[P]:
    """Allow every signed-in, active person. Redirect all others to the sign-in page.

    The page shows times in the time zone of the school system.
    """

    @wraps(view)
    def wrapper(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        account = request.user
        if not isinstance(account, Account) or not account.is_active:
            return redirect_to_page(request, "web:sign_in")
        with timezone.override(zoneinfo.ZoneInfo(account.school_system.time_zone)):
            try:
                return view(request, *args, **kwargs)  # type: ignore[arg-type]  # the user was checked above
            except PlanDamaged as error:
                return render(request, "409.html", {"error": error}, status=error.http_status)
            except ReportRemoved as error:
                return render(request, "410.html", {"error": error}, status=error.http_status)
            except NotPermitted as error:
                return render(request, "403.html", {"error": error}, status=error.http_status)

    return wrapper


def for_managers(view: View[P]) -> WrappedView[P]:
    """Allow managers of the district or of a school."""

    @wraps(view)
    def wrapper(request: PageRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if not is_manager(account=request.user):
            raise NotPermitted(MANAGERS_ONLY, fix=ASK_A_MANAGER)
        return view(request, *args, **kwargs)

    return for_everyone(wrapper)


def for_district_managers(view: View[P]) -> WrappedView[P]:
    """Allow managers of the district."""

    @wraps(view)
    def wrapper(request: PageRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if not is_district_manager(account=request.user):
            raise NotPermitted(DISTRICT_MANAGERS_ONLY, fix=ASK_A_MANAGER)
        return view(request, *args, **kwargs)

    return for_everyone(wrapper)


def redirect_to_page(request: HttpRequest, url_name: str) -> HttpResponse:
    """Return a redirect to a page that must come first, such as the sign-in page. It leads back to this page."""
    if request.headers.get("HX-Request"):
        # htmx would insert that page into a part of this page, so make the browser reload the whole page.
        return HttpResponse(status=204, headers={"HX-Refresh": "true"})
    return redirect_to_login(page_of(request), reverse(url_name))


def page_of(request: HttpRequest) -> str:
    """Return the address of the page to come back to: for a form that was sent, the page that showed it."""
    asked, shown = request.get_full_path(), urlsplit(request.headers.get("Referer", ""))
    if request.method == "GET" or shown.netloc != request.get_host():
        return asked
    return f"{shown.path}?{shown.query}" if shown.query else shown.path
