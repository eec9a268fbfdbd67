"""The engine's session for one job of a run, with the limits that the server was given."""

from contextlib import AbstractContextManager
from pathlib import Path

from django.conf import settings

from sis_sync.engine.duckdb import Session, open_session


def run_session(folder: Path) -> AbstractContextManager[Session]:
    """A session that spills into `folder` what is past the server's memory limit."""
    return open_session(
        temp_folder=folder,
        memory_limit_mb=settings.SIS_SYNC_MEMORY_MB,
        threads=settings.SIS_SYNC_THREADS,
    )
