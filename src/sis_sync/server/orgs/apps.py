"""Tells Django about the app."""

from django.apps import AppConfig


class OrgsConfig(AppConfig):
    """The app `orgs`."""

    name = "sis_sync.server.orgs"
    label = "orgs"
    verbose_name = "School systems and orgs"
