"""The answers to exceptions that no view handled: try again if the place is at fault, otherwise the page for a bug."""

import logging
import secrets
import sys
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.template.loader import render_to_string

from sis_sync.server.errors import NotNow
from sis_sync.server.place import as_not_now
from sis_sync.server.web.forms.base import secret_labels

logger = logging.getLogger("sis_sync.server.web")
REFERENCE_BYTES = 4
CSRF_FIELD = "csrfmiddlewaretoken"


@dataclass(frozen=True)
class KeptForm:
    """A form that could not be handled, to send it again: its values, and the labels of what must be entered again."""

    values: tuple[tuple[str, str], ...]
    secrets: tuple[tuple[str, str], ...]
    files: tuple[str, ...]


def server_error(request: HttpRequest) -> HttpResponse:
    """Return the answer to an exception. Django calls it while it handles the exception, so the log gets the traceback.

    The page for a bug shows only a reference number, by which the error is found in the log.
    """
    later = as_not_now(sys.exc_info()[1])
    if later is not None:
        return not_now_page(request, later)
    reference = secrets.token_hex(REFERENCE_BYTES)
    logger.exception("reference %s", reference)
    return HttpResponse(render_to_string("500.html", {"reference": reference}), status=500)


def not_now_page(request: HttpRequest, error: NotNow) -> HttpResponse:
    """Return the page that keeps what was typed and sends it again. It does not use the database."""
    form = kept_form(request) if request.method == "POST" else None
    context = {"error": error, "form": form, "address": request.get_full_path(), "csrf_token": get_token(request)}
    response = HttpResponse(render_to_string("web/not_now.html", context), status=error.http_status)
    response.headers["Retry-After"] = str(error.retry_after_seconds)
    if request.headers.get("HX-Request"):
        # htmx would put this page into a part of the other one. A request that repeats every second needs no page.
        is_poll = request.resolver_match is not None and request.resolver_match.url_name == "run_progress"
        response.headers["HX-Reswap"] = "none" if is_poll else "outerHTML"
        response.headers["HX-Retarget"] = response.headers["HX-Reselect"] = "#content"
    return response


def kept_form(request: HttpRequest) -> KeptForm | None:
    """Return what was typed, except passwords and files. None if another site may have sent it."""
    if not getattr(request, "csrf_processing_done", False):
        return None
    labels = secret_labels()
    sent = [(name, value) for name, values in request.POST.lists() for value in values if name != CSRF_FIELD]
    return KeptForm(
        values=tuple((name, value) for name, value in sent if field_of(name) not in labels),
        secrets=tuple((name, labels[field_of(name)]) for name, _ in sent if field_of(name) in labels),
        files=tuple(request.FILES),
    )


def field_of(name: str) -> str:
    """Return the field of an input. In a form of several rows, an input is named after its row, such as 12-password."""
    return name.rpartition("-")[2]
