"""Tells Django about the app."""

from django.apps import AppConfig


class AuditConfig(AppConfig):
    """The app `audit`."""

    name = "sis_sync.server.audit"
    label = "audit"
    verbose_name = "Audit"
