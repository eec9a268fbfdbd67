"""Configures logging. Logs contain times, levels, IDs and counts, never a person's data."""

import logging
import traceback
from types import TracebackType
from typing import Any

ExceptionInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


class WithoutValues(logging.Formatter):
    """Formats an exception as its type and traceback, without its message.

    Database messages quote the failing row, which contains a person's data.
    """

    def formatException(self, ei: ExceptionInfo) -> str:  # noqa: N802 - the name is the standard library's
        """Return the chain of exceptions, first cause first."""
        error, parts = ei[1], list[str]()
        while error is not None and len(parts) < 5:
            frames = "".join(traceback.format_list(traceback.extract_tb(error.__traceback__)))
            parts.append(f"{frames}{type(error).__module__}.{type(error).__qualname__}")
            error = error.__cause__ or error.__context__
        return "\ncaused:\n".join(reversed(parts))


LOGGING_SETTINGS: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "plain": {
            "()": "sis_sync.server.logs.WithoutValues",
            "format": "%(asctime)s %(levelname)s %(name)s: %(message)s",
        }
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "loggers": {
        "django": {"handlers": ["stderr"], "level": "WARNING", "propagate": False},
        "django.db.backends": {"handlers": [], "level": "CRITICAL", "propagate": False},
        "sis_sync": {"handlers": ["stderr"], "level": "INFO", "propagate": True},
    },
}
