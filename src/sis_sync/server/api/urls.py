"""The addresses of the HTTP API."""

from django.urls import path, re_path

from sis_sync.server.api.problems import unknown_address
from sis_sync.server.api.service import api

urlpatterns = [
    path("", api.urls),
    re_path(r"^(.*)$", unknown_address),
]
