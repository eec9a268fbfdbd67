"""Signing in."""

from django.contrib.auth.backends import BaseBackend


class SchoolSystemBackend(BaseBackend):
    """x"""
