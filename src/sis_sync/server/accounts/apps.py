"""Tells Django about the app."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """The app `accounts`."""

    name = "sis_sync.server.accounts"
    label = "accounts"
    verbose_name = "Accounts"
