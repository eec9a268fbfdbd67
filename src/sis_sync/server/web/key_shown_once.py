"""Shows a new API key once: a cookie carries it to the page, and submitting a form twice makes only one key."""

import secrets
from collections.abc import Iterable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from sis_sync.core.modes import MODES
from sis_sync.server.web.words import MODE_WORDS

COOKIE = "new_key"
COOKIE_SECONDS = 60
SUBMITTED = "forms_sent"  # in the session
MOST_REMEMBERED = 20
SECTION_MEANINGS: dict[str, str] = {
    "partial": "people in the file are created or updated, no one else is touched",
    "full": "the complete list",
    "students": "the complete list of students",
    "staff": "the complete list of these",
}


def set_key_cookie(response: HttpResponse, secret: str) -> HttpResponse:
    """Store the secret in a cookie that is sent only to the page of the new key, and return the response."""
    response.set_cookie(
        COOKIE,
        secret,
        max_age=COOKIE_SECONDS,
        path=reverse("web:new_api_key"),
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Strict",
    )
    return response


def key_from_cookie(request: HttpRequest) -> str:
    """Return the secret, or an empty string if it was already shown."""
    return request.COOKIES.get(COOKIE, "")


def delete_key_cookie(response: HttpResponse) -> HttpResponse:
    """Delete the cookie with the secret from the browser, and return the response."""
    response.delete_cookie(COOKIE, path=reverse("web:new_api_key"), samesite="Strict")
    return response


def new_form_id() -> str:
    """Return a random ID for the hidden field `form_id` of a form."""
    return secrets.token_hex(8)


def was_submitted(request: HttpRequest) -> bool:
    """Return True if this form has already made a key."""
    return request.POST.get("form_id", "") in request.session.get(SUBMITTED, [])


def remember_submission(request: HttpRequest) -> None:
    """Store in the session that this form made a key."""
    form_id = request.POST.get("form_id", "")[:16]
    if form_id:
        request.session[SUBMITTED] = [*request.session.get(SUBMITTED, []), form_id][-MOST_REMEMBERED:]


def client_properties(address: str, secret: str, modes: Iterable[str]) -> str:
    """Return lines for client.properties: the server's address, the key, and a disabled section for each mode."""
    lines = ["# API key", f"backend.url={address}", f"backend.api.token={secret}"]
    for mode in modes:
        prefix = MODES[mode].settings_prefix
        lines += ["", f"# {MODE_WORDS[mode]}: {SECTION_MEANINGS[mode]}"]
        lines += [f"{prefix}.enabled=false", f"{prefix}.folder=", f"{prefix}.file.pattern=*.csv"]
    return "\n".join(lines) + "\n"
