"""Tells Django about the app."""

from django.apps import AppConfig


class KeysConfig(AppConfig):
    """The app `keys`."""

    name = "sis_sync.server.keys"
    label = "keys"
    verbose_name = "API keys"
