"""The `sis-sync` command: finds the command asked for, and turns errors into exit codes."""

import importlib
import sys
from typing import Any

import click

from sis_sync.cli.terminal import give_options, survive_any_encoding

# Command name -> (module, attribute). Nothing is imported before its command is asked for, so --help stays quick.
COMMANDS: dict[str, tuple[str, str]] = {
    "check": ("sis_sync.cli.offline", "check"),
    "plan": ("sis_sync.cli.offline", "plan"),
    "mapper": ("sis_sync.cli.mapper", "mapper"),
    "init": ("sis_sync.cli.client", "init"),
    "run": ("sis_sync.cli.client", "run"),
    "watch": ("sis_sync.cli.client", "watch"),
    "doctor": ("sis_sync.cli.client_runs", "doctor"),
    "upload": ("sis_sync.cli.client_runs", "upload"),
    "status": ("sis_sync.cli.client_runs", "status"),
    "results": ("sis_sync.cli.client_runs", "results"),
    "approve": ("sis_sync.cli.client_runs", "approve"),
    "reject": ("sis_sync.cli.client_runs", "reject"),
    "token": ("sis_sync.cli.client_runs", "token"),
    "config": ("sis_sync.cli.client", "config_group"),
    "serve": ("sis_sync.cli.server", "serve"),
    "worker": ("sis_sync.cli.server", "worker"),
    "server": ("sis_sync.cli.server", "server"),
    "demo": ("sis_sync.cli.demo", "demo"),
    "bench": ("sis_sync.cli.bench", "bench"),
}
SUMMARIES: dict[str, str] = {
    "check": "Read, map and validate a file; print its findings.",
    "plan": "Show what a file would change, without a server.",
    "mapper": "List and try column mappings.",
    "init": "Write a commented client.properties.",
    "run": "One pass over the watched folders, then exit.",
    "watch": "Watch the folders until stopped.",
    "doctor": "Examine settings, folders, key, server, clock and disk.",
    "upload": "Check one file and send it.",
    "status": "Show a run, or the latest runs.",
    "results": "Print the results CSV of a run.",
    "approve": "Approve a run with a key that may.",
    "reject": "Reject a run.",
    "token": "Keep and try the API key.",
    "config": "Look at the settings in force.",
    "serve": "Start the server: web and worker.",
    "worker": "Start one more worker.",
    "server": "Set up and keep the server.",
    "demo": "A made-up district, server and client, ready to try.",
    "bench": "Measure what the steps cost, beside a peer.",
}


class LazyCommands(click.Group):
    """A group that imports a command's module only when the command is run."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands in the order a newcomer meets them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command, or None if there is none of that name."""
        if cmd_name not in COMMANDS:
            return None
        module, attribute = COMMANDS[cmd_name]
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return give_options(command)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands from their summaries, importing none of them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, SUMMARIES[name]) for name in COMMANDS])


@click.group(cls=LazyCommands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="sis-sync")
def cli() -> None:
    """Keep user accounts equal to what the school's information system exports."""


give_options(cli, is_shown=True)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit with the code of the outcome (the command line's section 4)."""
    from sis_sync.cli.errors import exit_code_of

    survive_any_encoding()
    sys.exit(exit_code_of(lambda: run(arguments)))


def run(arguments: list[str] | None) -> Any:
    """Run the command; errors are left to the caller."""
    return cli.main(args=arguments, prog_name="sis-sync", standalone_mode=False)
