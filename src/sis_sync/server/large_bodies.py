"""Judges a request with a large body by its headers. Refused bodies are never read (serve/connections.py).

What an upload counts for its key is settled here, once its answer is known.
"""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from sis_sync.core.errors import SisSyncError
from sis_sync.server.accounts.models import Account
from sis_sync.server.api.auth import key_of_request, require_scope
from sis_sync.server.api.problems import problem_of
from sis_sync.server.errors import BodyTooLarge
from sis_sync.server.keys.limits import (
    FORM_BYTES,
    begin_upload,
    count_bytes,
    file_limit_bytes,
    require_call_left,
    too_large_for,
)
from sis_sync.server.keys.services import UPLOAD
from sis_sync.server.middleware import Respond
from sis_sync.server.orgs.selectors import is_manager
from sis_sync.server.web.access import redirect_to_page
from sis_sync.server.windows import HOLD, Hold

API = "/api/"
UPLOADS = "/api/v1/runs"
SERVER_FAULT = 500  # this HTTP status and those above


def judge_large_bodies(respond: Respond) -> Respond:
    """While the web process asks about the headers of a request, answer only whether its body may be read."""

    def middleware(request: HttpRequest) -> HttpResponse:
        hold: Hold | None = request.META.get(HOLD)
        if hold is None or not hold.is_asked:
            return settled(respond, request)
        is_call = request.path_info.startswith(API)
        refusal = refusal_of_call(request, hold) if is_call else refusal_of_page(request)
        hold.is_allowed = refusal is None
        return refusal or HttpResponse(status=204)

    return middleware


def settled(respond: Respond, request: HttpRequest) -> HttpResponse:
    """Answer the request. What it counted counts, unless the server is at fault: then its sender will try again."""
    given: Hold | None = request.META.get(HOLD)
    hold = request.META[HOLD] = given or Hold()
    try:
        response = respond(request)
        if response.status_code < SERVER_FAULT:
            hold.settle()
    finally:
        if given is None:  # otherwise the web process frees it
            hold.free()
    return response


def refusal_of_call(request: HttpRequest, hold: Hold) -> HttpResponse | None:
    """Return the refusal of a call, or None. An upload takes its slot now, and its bytes count."""
    try:
        key = key_of_request(request)
        require_call_left(key)
        size = declared_bytes(request)
        if request.path_info != UPLOADS:
            refuse_large_form(size)
            return None
        require_scope(key, UPLOAD)
        most = file_limit_bytes(key)
        if size > most + FORM_BYTES:
            raise too_large_for(key, most)
        begin_upload(key, hold)
        count_bytes(key, size, hold)
    except SisSyncError as error:
        return problem_of(error)
    return None


def refusal_of_page(request: HttpRequest) -> HttpResponse | None:
    """Return the refusal of a form, or None. Only managers may send files."""
    if not isinstance(request.user, Account):
        return redirect_to_page(request, "web:sign_in")
    try:
        size = declared_bytes(request)
        if request.path_info != reverse("web:bulk_upload") or not is_manager(account=request.user):
            refuse_large_form(size)
    except BodyTooLarge as error:
        text = f"{error.message} {error.fix}\n"
        return HttpResponse(text, status=error.http_status, content_type="text/plain; charset=utf-8")
    return None


def declared_bytes(request: HttpRequest) -> int:
    """Return the size of the body. Raise BodyTooLarge if the request does not state it."""
    text = request.META.get("CONTENT_LENGTH", "")
    if not text.isdigit():
        raise BodyTooLarge("The request does not state the size of its body.", fix="Send the header Content-Length.")
    return int(text)


def refuse_large_form(size: int) -> None:
    """Raise BodyTooLarge if a form without a roster has so many bytes."""
    if size > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
        fix = "Files with people are sent under Bulk Management > Users, or with POST /api/v1/runs."
        raise BodyTooLarge(f"The form has {size:,} bytes, which is too large for this address.", fix=fix)
