"""The client's log: rotating, and without personal data. IDs, codes, counts and file names only."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from logging.handlers import RotatingFileHandler
from pathlib import Path

from sis_sync.core.errors import ConfigurationError

LOGGER = logging.getLogger("sis_sync.client")
_MAX_BYTES, _KEPT_FILES = 1_000_000, 5


@contextmanager
def client_log(folder: Path) -> Iterator[None]:
    """Write the client's log into this folder; times are UTC."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handler = RotatingFileHandler(
            folder / "client.log", maxBytes=_MAX_BYTES, backupCount=_KEPT_FILES, encoding="utf-8"
        )
    except OSError as error:
        message = f"The log folder {folder} cannot be used: {error.strerror}."
        raise ConfigurationError(
            message, fix="Name a folder that the client may write to: client.log.folder=PATH."
        ) from None
    formatter = logging.Formatter("%(asctime)sZ %(levelname)s %(message)s", datefmt="%Y-%m-%dT%H:%M:%S")
    formatter.converter = time.gmtime
    handler.setFormatter(formatter)
    LOGGER.addHandler(handler)
    LOGGER.setLevel(logging.INFO)
    try:
        yield
    finally:
        LOGGER.removeHandler(handler)
        handler.close()
