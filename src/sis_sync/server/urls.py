"""Every address of the server: the HTTP API, then the pages."""

from django.urls import include, path

urlpatterns = [
    path("api/v1/", include("sis_sync.server.api.urls")),
    path("", include("sis_sync.server.web.urls")),
]

handler500 = "sis_sync.server.web.views.errors.server_error"
