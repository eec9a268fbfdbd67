"""The commands that set up and run the sync client, and the settings and connection that client commands share."""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from sis_sync.cli.terminal import may_ask, note
from sis_sync.core.errors import UsageFault

if TYPE_CHECKING:
    from sis_sync.client.api import Api
    from sis_sync.client.config import ClientConfig

WAIT_SECONDS = 30.0
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
    """Return the settings. Raise ConfigurationError if they are invalid."""
    from sis_sync.client.config import load_config
    from sis_sync.client.settings_file import find_settings_file

    return load_config(find_settings_file(config_path), os.environ)


@contextmanager
def connected(config: "ClientConfig") -> Iterator["Api"]:
    """Yield the server's API. Calls use the configured key."""
    from sis_sync.client.api import open_api
    from sis_sync.client.config import require_backend

    with open_api(require_backend(config), config.client.name) as api:
        yield api


@click.command()
@click.option(
    "--config", "config_path", type=click.Path(path_type=Path), help="Where to write it.  [./client.properties]"
)
@click.option("--url", help="Address of the server, https://...")
@click.option("--force", is_flag=True, help="Replace the file if it exists.")
def init(config_path: Path | None, url: str | None, force: bool) -> None:
    """Write a commented client.properties with all five sections."""
    from sis_sync.client.config import server_address
    from sis_sync.client.settings_file import FILE_NAME
    from sis_sync.client.template import template, write_settings_file

    path = config_path or Path(FILE_NAME)
    if url is None and may_ask():
        url = click.prompt("Address of the server (empty: later)", default="", show_default=False, err=True)
    try:
        values = {"backend.url": server_address(url)} if url else {}
    except ValueError as error:
        raise UsageFault(f'--url "{url}" cannot be used.', fix=str(error)) from None
    write_settings_file(path, template(values), may_replace=force)
    click.echo(f"Wrote {path}.")
    note("Next: set backend.url, the API key and the folder of a section in it, then: sis-sync doctor")


@click.command()
@config_option
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
@click.option(
    "--wait-seconds",
    type=click.FloatRange(0, 3600),
    default=WAIT_SECONDS,
    show_default=True,
    help="How long to wait for runs that the server is working on.",
)
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 8 if a run is held or waits for approval.")
def run(config_path: Path | None, as_json: bool, wait_seconds: float, detailed_exitcode: bool) -> int:
    """Run one pass over the watched folders, then exit. For cron and Task Scheduler."""
    from sis_sync.cli.print_client import print_report, print_warnings
    from sis_sync.client.watch import Stop, open_client, run_once, stopping_on_signals

    config, stop = load(config_path), Stop()
    print_warnings(config.warnings)
    with open_client(config, stop, note) as client, stopping_on_signals(stop):
        report = run_once(client, stop, wait_seconds=wait_seconds)
    if as_json:
        click.echo(json.dumps(report.as_dict(), ensure_ascii=False))
    else:
        print_report(report)
    return stop.exit_code or report.exit_code(is_detailed=detailed_exitcode)


@click.command()
@config_option
@click.option("--json", "as_json", is_flag=True, help="One JSON document per line, for each pass that did something.")
def watch(config_path: Path | None, as_json: bool) -> int:
    """Watch the folders until stopped. After SIGTERM, finish the current file first."""
    from sis_sync.cli.print_client import PassPrinter, print_warnings
    from sis_sync.client.watch import Stop, open_client, stopping_on_signals
    from sis_sync.client.watch import watch as watch_folders

    config, stop = load(config_path), Stop()
    print_warnings(config.warnings)
    with open_client(config, stop, note) as client, stopping_on_signals(stop):
        folders = ", ".join(str(section.folder) for section in config.sections)
        note(f"Watching {folders}. Stop with Ctrl-C.")
        watch_folders(client, stop, PassPrinter(as_json=as_json).print_pass)
    return stop.exit_code


@click.group(name="config")
def config_group() -> None:
    """Show the settings in use."""


@config_group.command(name="show")
@config_option
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
def config_show(config_path: Path | None, as_json: bool) -> None:
    """Print every setting with its value and its origin. Secrets are masked."""
    from sis_sync.cli.print_client import print_warnings
    from sis_sync.client.config import effective_settings
    from sis_sync.client.settings_file import find_settings_file

    config = load(config_path)
    print_warnings(config.warnings)
    rows = effective_settings(find_settings_file(config_path), os.environ)
    if as_json:
        settings = [{"key": key, "value": value, "origin": origin} for key, value, origin in rows]
        click.echo(json.dumps({"schema_version": 1, "settings": settings}, ensure_ascii=False))
        return
    for key, value, origin in rows:
        click.echo(f"{key}={value}  # {origin}")
