"""Who may open a page: everybody signed in, managers, or managers of the district."""

import zoneinfo
from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone

from sis_sync.core.errors import NotPermitted
from sis_sync.server.accounts.models import Account
from sis_sync.server.orgs.selectors import (
    ASK_A_MANAGER,
    DISTRICT_MANAGERS_ONLY,
    MANAGERS_ONLY,
    is_district_manager,
    is_manager,
)

P = ParamSpec("P")


class PageRequest(HttpRequest):
    """A request of somebody who is signed in."""

    user: Account


View = Callable[Concatenate[PageRequest, P], HttpResponseBase]
Door = Callable[Concatenate[HttpRequest, P], HttpResponseBase]


def for_everybody(view: View[P]) -> Door[P]:
    """The page for whoever is signed in and active; the others go to the sign-in page."""

    @wraps(view)
    def door(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        account = request.user
        if not isinstance(account, Account) or not account.is_active:
            return to_sign_in(request)
        with timezone.override(zoneinfo.ZoneInfo(account.school_system.time_zone)):
            try:
                return view(request, *args, **kwargs)  # type: ignore[arg-type]  # the user was checked above
            except NotPermitted as error:
                return refusal(request, error)

    return door


def for_managers(view: View[P]) -> Door[P]:
    """The page for managers of the district or of a school."""

    @wraps(view)
    def door(request: PageRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if not is_manager(account=request.user):
            raise NotPermitted(MANAGERS_ONLY, fix=ASK_A_MANAGER)
        return view(request, *args, **kwargs)

    return for_everybody(door)


def for_district_managers(view: View[P]) -> Door[P]:
    """The page for managers of the district."""

    @wraps(view)
    def door(request: PageRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if not is_district_manager(account=request.user):
            raise NotPermitted(DISTRICT_MANAGERS_ONLY, fix=ASK_A_MANAGER)
        return view(request, *args, **kwargs)

    return for_everybody(door)


def to_sign_in(request: HttpRequest) -> HttpResponse:
    """The sign-in page, and back to this one afterwards; a fragment's request takes the whole page along."""
    if request.headers.get("HX-Request"):
        return HttpResponse(status=204, headers={"HX-Refresh": "true"})
    return redirect_to_login(request.get_full_path())


def refusal(request: HttpRequest, error: NotPermitted) -> HttpResponse:
    """What one may not do, and whom to ask."""
    return render(request, "403.html", {"error": error}, status=error.http_status)
