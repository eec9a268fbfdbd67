"""What `sis-sync server check` looks at, and the API's description."""

import io
import json
import os
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from sis_sync.core.errors import ConfigurationError
from sis_sync.server.data_folder import OTHERS, made_data_folder


def check_server() -> Iterator[str]:
    """One line for each thing that is well. ConfigurationError for the first that is not."""
    yield _check_settings()
    yield _check_data_folder()
    yield _check_database()


def _check_settings() -> str:
    try:
        call_command("check", stdout=io.StringIO())
    except SystemCheckError as error:
        raise ConfigurationError("The settings of the server do not fit together.") from error
    return "settings: fine"


def _check_data_folder() -> str:
    folder = made_data_folder(Path(settings.SIS_SYNC_DATA_FOLDER))
    rest = folder.stat().st_mode & OTHERS if os.name != "nt" else 0
    more = f"; others may look into it, its files are kept from them (better: chmod 700 {folder})" if rest else ""
    return f"data folder: {folder}{more}"


def _check_database() -> str:
    try:
        executor = MigrationExecutor(connection)
        missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError as error:
        raise ConfigurationError("The database cannot be reached.", fix="Check SIS_SYNC_DATABASE_URL.") from error
    if missing:
        raise ConfigurationError(f"The database lacks {len(missing)} migrations.", fix="sis-sync server migrate")
    return f"database: {connection.vendor}, up to date"


def openapi_document() -> str:
    """The OpenAPI description of the HTTP API, as JSON."""
    from sis_sync.server.api.service import api

    return json.dumps(api.get_openapi_schema(), indent=2)
