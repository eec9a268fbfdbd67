"""What the client's commands share: the --config option, the settings, and the connection to the server."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from sis_sync.client.api import Api
    from sis_sync.client.config import ClientConfig

Command = TypeVar("Command", bound=Callable[..., Any])


def config_option(command: Command) -> Command:
    """Add --config."""
    option = click.option(
        "--config",
        "config_path",
        type=click.Path(path_type=Path),
        help="The client.properties to use.  [./client.properties, else the one of your user]",
    )
    return option(command)


def load(config_path: Path | None) -> "ClientConfig":
    """The settings. ConfigurationError as the loader raises it."""
    from sis_sync.client.config import load_config
    from sis_sync.client.settings_file import find_settings_file

    return load_config(find_settings_file(config_path), os.environ)


@contextmanager
def connected(config: "ClientConfig") -> Iterator["Api"]:
    """The server's API, with the configured key."""
    from sis_sync.client.api import open_api
    from sis_sync.client.config import require_backend

    with open_api(require_backend(config), config.client.name) as api:
        yield api
