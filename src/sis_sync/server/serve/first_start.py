"""What `serve` does before its processes start: bring the database up to date, and say how a new server begins."""

import ipaddress

from django.conf import settings
from django.core.management import call_command
from django.db import OperationalError, connections
from django.utils import timezone

from sis_sync.core.errors import ConfigurationError
from sis_sync.server.orgs.models import SchoolSystem

LOCAL_NAMES = ("localhost",)


def refuse_plain_http_from_afar(host: str) -> None:
    """ConfigurationError for an address that other machines reach without HTTPS."""
    if settings.SIS_SYNC_BEHIND_PROXY or is_local(host):
        return
    raise ConfigurationError(
        f"{host} can be reached by other machines, and this server speaks plain HTTP: passwords and keys would "
        "travel in the open.",
        fix="Put a reverse proxy with HTTPS in front and set SIS_SYNC_BEHIND_PROXY=1, or leave --host at 127.0.0.1.",
    )


def is_local(host: str) -> bool:
    """Whether only this machine reaches the address."""
    try:
        return host in LOCAL_NAMES or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def migrate() -> None:
    """Bring the database up to date. ConfigurationError if it cannot be reached."""
    try:
        call_command("migrate", interactive=False, verbosity=0)
    except OperationalError as error:
        raise ConfigurationError(
            "The database cannot be reached or written.", fix="Check SIS_SYNC_DATABASE_URL and SIS_SYNC_DATA_FOLDER."
        ) from error


def setup_link(base_url: str) -> str | None:
    """The one-time link that makes the first school system and its manager; None once there is one."""
    from sis_sync.server.setup.services import make_setup_link

    if SchoolSystem.objects.exists():
        return None
    return make_setup_link(base_url=base_url, now=timezone.now())


def forget_connections() -> None:
    """Close what this process has open, before it only looks after others."""
    connections.close_all()
