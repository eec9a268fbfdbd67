"""Tells Django about the app."""

from django.apps import AppConfig


class RunsConfig(AppConfig):
    """The app `runs`."""

    name = "sis_sync.server.runs"
    label = "runs"
    verbose_name = "Runs"
