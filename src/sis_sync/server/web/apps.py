"""Tells Django about the app."""

from django.apps import AppConfig


class WebConfig(AppConfig):
    """The app `web`."""

    name = "sis_sync.server.web"
    label = "web"
    verbose_name = "Pages"
