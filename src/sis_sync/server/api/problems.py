"""Answers every error of the API as problem+json (RFC 9457): type, title, status, detail, fix."""

import json
import logging
import re
import secrets
from typing import Any

from django.core.exceptions import BadRequest, SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse
from django.http.multipartparser import MultiPartParserError
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError

from sis_sync.core.errors import FileRefused, KeyRefused, RunClosed, SisSyncError
from sis_sync.server.api.auth import NO_KEY, SEND_KEY
from sis_sync.server.errors import NotNow, ValuesRefused
from sis_sync.server.place import as_not_now

MEDIA_TYPE = "application/problem+json"
# What Django raises for a body that it cannot read.
UNREADABLE = (MultiPartParserError, BadRequest, SuspiciousOperation)
COMPARE = "Compare the call with /api/v1/openapi.json."
log = logging.getLogger("sis_sync.server.api")


def problem(
    kind: str, title: str, status: int, detail: str, fix: str = "", extra: dict[str, Any] | None = None
) -> HttpResponse:
    """Return the answer. `kind` names the type, which must never change after a release."""
    type_ = f"urn:sis-sync:problem:{kind}"
    body = {"type": type_, "title": title, "status": status, "detail": detail, "fix": fix, **(extra or {})}
    headers = {"WWW-Authenticate": 'Bearer realm="SIS Sync"'} if status == 401 else {}
    return HttpResponse(json.dumps(body), status=status, content_type=MEDIA_TYPE, headers=headers)


def problem_of(error: SisSyncError) -> HttpResponse:
    """Return the answer to one of our own errors. Its class name becomes the type."""
    kind = re.sub(r"(?<!^)(?=[A-Z])", "-", type(error).__name__).lower()
    extra: dict[str, Any] = {}
    if isinstance(error, NotNow):
        answer = problem(kind, error.title, error.http_status, error.message, error.fix)
        answer.headers["Retry-After"] = str(error.retry_after_seconds)
        return answer
    if isinstance(error, FileRefused):
        extra = {"code": error.code, "line": error.line}
    if isinstance(error, RunClosed) and error.state:
        extra = {"state": error.state}
    if isinstance(error, ValuesRefused):
        extra = {"errors": error.errors}
    return problem(kind, error.title, error.http_status, error.message, error.fix, extra)


def not_found() -> HttpResponse:
    """Return the answer for anything that does not exist, or that this key may not see."""
    return problem("not-found", "Not found", 404, "There is nothing at this address for this key.", "Check the ID.")


def not_understood(error: ValidationError) -> HttpResponse:
    """Return an answer that names the invalid parts of a request without their values."""
    wrong = [f"{'.'.join(str(part) for part in fault['loc'])}: {fault['msg']}" for fault in error.errors]
    return problem("not-understood", "Not understood", 422, "; ".join(wrong), COMPARE)


def unreadable() -> HttpResponse:
    """Return the answer to a body that is cut, has too many parts, or is in no form that its headers name."""
    detail = "The body of this call cannot be read: it is damaged, or has too many parts. Nothing was stored."
    return problem("not-understood", "Not understood", 400, detail, COMPARE)


def unexpected(error: Exception) -> HttpResponse:
    """Return the answer to an exception that is not in our tree: a fault of the place, otherwise a bug."""
    later = as_not_now(error)
    return problem_of(later) if later else bug()


def bug() -> HttpResponse:
    """Log an unexpected error under a reference number, and return an answer with the number."""
    reference = secrets.token_hex(4)
    log.exception("unexpected error, reference %s", reference)
    detail = f"The server met an unexpected error, reference {reference}."
    return problem(
        "unexpected", "Unexpected error", 500, detail, "Send the reference to the person who hosts the server."
    )


def add_problem_answers(api: NinjaAPI) -> None:
    """Make the API answer every error as a problem."""
    handlers: list[tuple[type[Exception], Any]] = [
        (SisSyncError, lambda _request, error: problem_of(error)),
        (AuthenticationError, lambda _request, _error: problem_of(KeyRefused(NO_KEY, fix=SEND_KEY))),
        (Http404, lambda _request, _error: not_found()),
        (ValidationError, lambda _request, error: not_understood(error)),
        *((kind, lambda _request, _error: unreadable()) for kind in UNREADABLE),
        (HttpError, lambda _request, error: problem("not-understood", "Not understood", error.status_code, str(error))),
        (Exception, lambda _request, error: unexpected(error)),
    ]
    for kind, answer in handlers:
        api.add_exception_handler(kind, answer)


def unknown_address(_request: HttpRequest, _rest: str = "") -> HttpResponse:
    """Return the answer to an unknown address under /api/v1/."""
    return not_found()
