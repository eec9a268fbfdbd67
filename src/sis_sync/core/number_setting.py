"""A whole number from the environment."""

import os

from sis_sync.core.errors import ConfigurationError


def number_setting(name: str, default: int, *, least: int) -> int:
    """The number in the variable `name`, or the default. ConfigurationError for anything else, and below `least`."""
    text = os.environ.get(name, "").strip()
    if not text:
        return default
    if not text.isascii() or not text.isdigit() or int(text) < least:
        raise ConfigurationError(
            f"{name} is {text!r}, which is no whole number from {least} up.",
            fix=f"Write a number, or leave it empty for {default}.",
        )
    return int(text)
