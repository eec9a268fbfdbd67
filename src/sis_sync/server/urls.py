"""Every address of the server: the HTTP API, then the pages. And the answer to exceptions that neither handled."""

import sys

from django.http import HttpRequest, HttpResponse
from django.urls import include, path

from sis_sync.server.api.problems import unexpected
from sis_sync.server.web.views.errors import server_error

API = "api/v1/"

urlpatterns = [
    path(API, include("sis_sync.server.api.urls")),
    path("", include("sis_sync.server.web.urls")),
]


def unhandled(request: HttpRequest) -> HttpResponse:
    """Return a problem to a call of the API, a page to a browser. Django calls it while it handles the exception."""
    error = sys.exc_info()[1]
    if isinstance(error, Exception) and request.path.startswith(f"/{API}"):
        return unexpected(error)
    return server_error(request)


handler500 = "sis_sync.server.urls.unhandled"
