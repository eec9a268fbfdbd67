"""Carries the secret of a new key from the form that made it to the page that shows it.

The browser that is to show it keeps it meanwhile, not the server: sessions lie in the database and its backups.
"""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

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
