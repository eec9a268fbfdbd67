"""Tells Django about the app."""

from django.apps import AppConfig


class JobsConfig(AppConfig):
    """The app `jobs`."""

    name = "sis_sync.server.jobs"
    label = "jobs"
    verbose_name = "Jobs"
