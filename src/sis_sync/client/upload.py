"""The command `upload` sends one file by hand. It uses no journal and no archive; the file stays in its folder."""

import secrets
import time
from datetime import UTC, datetime
from pathlib import Path

from sis_sync.client.api import Api, Upload
from sis_sync.client.config import ClientConfig
from sis_sync.client.one_pass import check_file
from sis_sync.client.responses import RunStatus
from sis_sync.client.retry import Announce, Clock, look_until, until_answered
from sis_sync.client.sections import find_mapping, reading_options
from sis_sync.core.modes import Mode
from sis_sync.core.reading_options import NOTHING_SAID, ReadingOptions
from sis_sync.core.whole_files import sha256_of


def upload_file(
    api: Api,
    config: ClientConfig,
    path: Path,
    *,
    mode: Mode,
    mapper: str,
    options: ReadingOptions = NOTHING_SAID,
    announce: Announce,
) -> RunStatus:
    """Check the file locally, send it, and return its run. Raise FileRefused if the file is not a roster.

    `announce` receives messages for a person during a pause.
    """
    mapping = find_mapping(config.settings, mapper)
    options = reading_options(config.settings, options, mapping)
    check_file(path, mode=mode, mapping=mapping, options=options)
    upload = Upload(
        path=path,
        file_name=path.name,
        mode=mode.name,
        sha256=sha256_of(path),
        idempotency_key=secrets.token_hex(16),
        mapping_name=mapping.name,
        mapping_lines=mapping.lines,
        options=options,
    )
    return until_answered(
        lambda: api.post_run(upload),
        max_minutes=config.backend.retry_max_minutes,
        clock=_CLOCK,
        file_name=path.name,
        announce=announce,
    )


def wait_for(api: Api, run: RunStatus, *, seconds: float) -> RunStatus:
    """Look at the run until it has ended or waits for a person, for at most `seconds`. Return its latest status."""
    return look_until(
        lambda: api.get_run(run.id),
        is_over=lambda found: not found.is_moving,
        first=run,
        seconds=seconds,
        clock=_CLOCK,
    )


def _pause(seconds: float) -> bool:
    time.sleep(seconds)
    return False


_CLOCK = Clock(now=lambda: datetime.now(UTC), pause=_pause)
