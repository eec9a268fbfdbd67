"""Sets up a server from the command line: migrate, check, create the first manager, import orgs."""

import io
import json
import os
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.db import DatabaseError, OperationalError, connection, connections, transaction
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from sis_sync.core.errors import ConfigurationError, UsageFault
from sis_sync.core.loopback import is_loopback
from sis_sync.server.accounts.feed import NO_TRIGGERS
from sis_sync.server.accounts.feed_triggers import are_triggers_there
from sis_sync.server.accounts.models import Account
from sis_sync.server.accounts.services import create_account
from sis_sync.server.errors import ValuesRefused
from sis_sync.server.installation import OTHERS, made_data_folder
from sis_sync.server.orgs.import_csv import ImportedOrgs
from sis_sync.server.orgs.models import SchoolSystem
from sis_sync.server.orgs.selectors import district_of
from sis_sync.server.orgs.services import give_right, import_orgs
from sis_sync.server.setup.link import is_setup_needed, make_setup_link
from sis_sync.server.setup.services import create_school_system


def refuse_open_plain_http(host: str) -> None:
    """Raise ConfigurationError if other machines could reach this address without HTTPS."""
    if settings.SIS_SYNC_BEHIND_PROXY or is_loopback(host):
        return
    raise ConfigurationError(
        f"{host} can be reached by other machines, and this server speaks plain HTTP: passwords and keys would "
        "travel in the open.",
        fix="Put a reverse proxy with HTTPS in front and set SIS_SYNC_BEHIND_PROXY=1, or leave --host at 127.0.0.1.",
    )


def migrate() -> None:
    """Bring the database up to date. Raise ConfigurationError if it cannot be reached."""
    try:
        call_command("migrate", interactive=False, verbosity=0)
    except OperationalError as error:
        raise ConfigurationError(
            "The database cannot be reached or written to.", fix="Check SIS_SYNC_DATABASE_URL and SIS_SYNC_DATA_FOLDER."
        ) from error


def setup_link(base_url: str) -> str | None:
    """Return the one-time link that makes the first school system, or None if a school system exists."""
    return make_setup_link(base_url=base_url, now=timezone.now()) if is_setup_needed() else None


def forget_connections() -> None:
    """Close the database connections of this process, which from now on only supervises others."""
    connections.close_all()


def check_server() -> Iterator[str]:
    """Yield a line for each check that passes. Raise ConfigurationError for the first that fails."""
    yield _check_settings()
    yield _check_data_folder()
    yield _check_database()
    yield _check_feed()


def _check_settings() -> str:
    try:
        call_command("check", stdout=io.StringIO())
    except SystemCheckError as error:
        raise ConfigurationError("The settings of the server are inconsistent.") from error
    return "settings: fine"


def _check_data_folder() -> str:
    folder = made_data_folder(Path(settings.SIS_SYNC_DATA_FOLDER))
    rest = folder.stat().st_mode & OTHERS if os.name != "nt" else 0
    more = f"; other users can list it, but cannot read its files (better: chmod 700 {folder})" if rest else ""
    return f"data folder: {folder}{more}"


def _check_database() -> str:
    try:
        executor = MigrationExecutor(connection)
        missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError as error:
        raise ConfigurationError("The database cannot be reached.", fix="Check SIS_SYNC_DATABASE_URL.") from error
    if missing:
        raise ConfigurationError(
            f"The database lacks {len(missing)} migrations.",
            fix="Run sis-sync server migrate. sis-sync serve does it by itself.",
        )
    return f"database: {connection.vendor}, up to date"


def _check_feed() -> str:
    if are_triggers_there():
        return "change feed: written by the database"
    raise ConfigurationError(
        f"The {NO_TRIGGERS}. Until they are made again, every plan reads all accounts, and takes longer.",
        fix="sis-sync server migrate",
    )


def openapi_document() -> str:
    """Return the OpenAPI description of the HTTP API, as JSON."""
    from sis_sync.server.api.urls import api

    return json.dumps(api.get_openapi_schema(), indent=2)


@transaction.atomic
def create_administrator(
    *,
    slug: str | None,
    name: str | None,
    time_zone: str,
    email: str,
    first_name: str,
    last_name: str,
    password: str,
) -> Account:
    """Make a manager of the district of this school system. Make the school system if it does not exist."""
    now = timezone.now()
    school_system = _found(slug)
    if school_system is None:
        if not name:
            raise UsageFault("There is no such school system yet.", fix="Pass --name to make it.")
        school_system = create_school_system(name=name, slug=slug or "", time_zone=time_zone, now=now)
    district = district_of(school_system)
    values = {
        "first_name": first_name,
        "last_name": last_name,
        "email": email,
        "user_type": "Administrator",
        "status": "Active",
    }
    account = create_account(
        school_system=school_system, org=district, values=values, password=password, actor=None, now=now
    )
    give_right(account=account, org=district, actor=None, now=now)
    return account


def import_org_file(file: Path, *, slug: str | None) -> ImportedOrgs:
    """Import the orgs of the file. Raise ConfigurationError if it cannot be read or a line is wrong."""
    school_system = _found(slug)
    if school_system is None:
        raise UsageFault("There is no such school system.", fix="sis-sync server create-admin makes the first one.")
    try:
        text = file.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise ConfigurationError(f"There is no file {file}.", fix="Check the path.") from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{file.name} cannot be read as UTF-8 text.", fix="Save it as CSV UTF-8.") from error
    try:
        return import_orgs(school_system=school_system, text=text, actor=None, now=timezone.now())
    except ValuesRefused as refused:
        message = f"{file.name}: {refused.message} Nothing was imported."
        raise ConfigurationError(message, fix="Correct the file and import it again.") from refused


def _found(slug: str | None) -> SchoolSystem | None:
    """Return the school system with this short name. Without a short name, return the only one."""
    if slug:
        return SchoolSystem.objects.filter(slug=slug).first()
    found = list(SchoolSystem.objects.all()[:2])
    if len(found) > 1:
        raise UsageFault("There are several school systems.", fix="Name one with --school-system.")
    return found[0] if found else None
