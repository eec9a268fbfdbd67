"""The page for a bug: a reference number, by which the log knows it, and nothing else."""

import logging
import secrets

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

logger = logging.getLogger("sis_sync.server.web")
REFERENCE_BYTES = 4


def server_error(request: HttpRequest) -> HttpResponse:
    """Called while the exception is being handled, so that the log holds where it came from."""
    reference = secrets.token_hex(REFERENCE_BYTES)
    logger.exception("reference %s", reference)
    return HttpResponse(render_to_string("500.html", {"reference": reference}), status=500)
