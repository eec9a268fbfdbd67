"""Tells Django about the app."""

from django.apps import AppConfig


class ApiConfig(AppConfig):
    """The app `api`."""

    name = "sis_sync.server.api"
    label = "api"
    verbose_name = "HTTP API"
