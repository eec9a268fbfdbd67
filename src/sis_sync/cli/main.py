"""The `sis-sync` command: list the commands, run the requested one, and exit with its code."""

import importlib
import sys
from dataclasses import dataclass
from typing import Any

import click

from sis_sync.cli.terminal import add_options, survive_any_encoding


@dataclass(frozen=True)
class CommandPlace:
    """The module in `sis_sync.cli` that contains a command, the command's name in it, and its line in the help."""

    module: str
    attribute: str
    summary: str


# `--help` lists the commands from this table and imports none of them, so it answers quickly.
COMMANDS: dict[str, CommandPlace] = {
    "check": CommandPlace("offline", "check", "Read, map and validate a file; print its findings."),
    "plan": CommandPlace("offline", "plan", "Show what a file would change, without a server."),
    "mapper": CommandPlace("mapper", "mapper", "List, propose and try column mappings."),
    "init": CommandPlace("client", "init", "Write a commented client.properties."),
    "run": CommandPlace("client", "run", "Run one pass over the watched folders, then exit."),
    "watch": CommandPlace("client", "watch", "Watch the folders until stopped."),
    "doctor": CommandPlace("client_runs", "doctor", "Examine settings, folders, key, server, clock and disk."),
    "upload": CommandPlace("client_runs", "upload", "Check one file and send it."),
    "status": CommandPlace("client_runs", "status", "Show a run, or the latest runs."),
    "results": CommandPlace("client_runs", "results", "Print the results CSV of a run."),
    "approve": CommandPlace("client_runs", "approve", "Approve a run with an API key."),
    "reject": CommandPlace("client_runs", "reject", "Reject a run."),
    "cancel": CommandPlace("client_runs", "cancel", "Cancel a run that has not ended."),
    "token": CommandPlace("client_runs", "token", "Store and test the API key."),
    "config": CommandPlace("client", "config_group", "Show the settings in use."),
    "serve": CommandPlace("server", "serve", "Start the server: web and worker."),
    "worker": CommandPlace("server", "worker", "Start one more worker."),
    "server": CommandPlace("server", "server", "Set up and maintain the server."),
    "demo": CommandPlace("demo", "demo", "Try a made-up district with a server and a client."),
    "bench": CommandPlace("bench", "bench", "Measure the cost of each step next to a peer."),
}


class LazyCommands(click.Group):
    """A group that imports a command's module only when the command is run."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands in the order in which a new user needs them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return the command, or None if there is no command with that name."""
        place = COMMANDS.get(cmd_name)
        if place is None:
            return None
        command: click.Command = getattr(importlib.import_module(f"sis_sync.cli.{place.module}"), place.attribute)
        return add_options(command)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands from their summaries."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, place.summary) for name, place in COMMANDS.items()])


@click.group(cls=LazyCommands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="sis-sync")
def cli() -> None:
    """Make user accounts match the exports of the school's information system."""


add_options(cli, is_shown=True)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit with the code of its outcome (section 4 of the command line specification)."""
    from sis_sync.cli.errors import exit_code_of

    survive_any_encoding()
    sys.exit(exit_code_of(lambda: run(arguments)))


def run(arguments: list[str] | None) -> Any:
    """Run the command. Errors reach the caller as exceptions."""
    return cli.main(args=arguments, prog_name="sis-sync", standalone_mode=False)
