"""The page for a bug: it shows only a reference number, by which the error is found in the log."""

import logging
import secrets

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

logger = logging.getLogger("sis_sync.server.web")
REFERENCE_BYTES = 4


def server_error(request: HttpRequest) -> HttpResponse:
    """Return the page for a bug. Django calls it while it handles the exception, so the log gets the traceback."""
    reference = secrets.token_hex(REFERENCE_BYTES)
    logger.exception("reference %s", reference)
    return HttpResponse(render_to_string("500.html", {"reference": reference}), status=500)
