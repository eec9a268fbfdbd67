"""The commands of the server: start it, add a worker, set it up and maintain it."""

import importlib.util
import os
import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import ParamSpec, TypeVar

import click

from sis_sync.cli.terminal import ask, may_ask, print_json
from sis_sync.core.errors import ConfigurationError, UsageFault

P = ParamSpec("P")
R = TypeVar("R")

EXTRA_MODULES = ("django", "ninja", "psycopg", "argon2", "waitress", "whitenoise", "django_htmx")
NO_INPUT_FIX = "Write it to standard input: sis-sync server create-admin ... < FILE"


def needs_server(command: Callable[P, R]) -> Callable[P, R]:
    """Set up Django before the command. Raise ConfigurationError if the server extra is not installed."""

    @wraps(command)
    def with_server(*args: P.args, **kwargs: P.kwargs) -> R:
        if any(importlib.util.find_spec(module) is None for module in EXTRA_MODULES):
            raise ConfigurationError(
                "This command needs the server, which is not installed.",
                fix="Install it: pip install 'WHEEL[server]', or '.[server]' in a checkout.",
            )
        import django

        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sis_sync.server.settings")
        django.setup()
        return command(*args, **kwargs)

    return with_server


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535), help="Port to listen on.")
@click.option("--no-worker", is_flag=True, help="Start the web server only; workers run elsewhere.")
@needs_server
def serve(host: str, port: int, no_worker: bool) -> None:
    """Start the server: web and worker. Start either again if it stops."""
    from sis_sync.server.serve import setup_commands
    from sis_sync.server.serve.supervisor import stop_on_signals, supervise, web_child, worker_child

    setup_commands.refuse_open_plain_http(host)
    setup_commands.migrate()
    link = setup_commands.setup_link(f"http://{host}:{port}")
    if link:
        click.echo(f"This server is new. Set it up here within 60 minutes:\n{link}")
    setup_commands.forget_connections()
    children = [web_child(host, port)] if no_worker else [web_child(host, port), worker_child()]
    with stop_on_signals() as stop:
        supervise(children, stop)


@click.command()
@needs_server
def worker() -> None:
    """Start one more worker (PostgreSQL only), or the only worker if the server runs with `serve --no-worker`.

    Start it again if it stops or freezes.
    """
    from sis_sync.server.serve.supervisor import stop_on_signals, supervise, worker_child

    with stop_on_signals() as stop:
        supervise([worker_child()], stop)


@click.group()
def server() -> None:
    """Set up and maintain the server."""


@server.command()
@needs_server
def migrate() -> None:
    """Update the database to this version."""
    from sis_sync.server.serve.setup_commands import migrate as bring_up_to_date

    bring_up_to_date()
    click.echo("The database is up to date.")


@server.command()
@needs_server
def check() -> None:
    """Check the settings, the database and the data folder."""
    from sis_sync.server.serve.setup_commands import check_server

    for line in check_server():
        click.echo(line)


@server.command("create-admin")
@click.option("--school-system", "slug", help="Short name of the school system. A new name makes a new one.")
@click.option("--name", help="Name of a new school system.")
@click.option("--time-zone", default="UTC", show_default=True, help="Time zone of a new school system.")
@click.option("--email", help="Asked for if missing.")
@click.option("--first-name", help="Asked for if missing.")
@click.option("--last-name", help="Asked for if missing.")
@needs_server
def create_admin(
    slug: str | None,
    name: str | None,
    time_zone: str,
    email: str | None,
    first_name: str | None,
    last_name: str | None,
) -> None:
    """Make an account that manages the district. Ask for its password, or read it from standard input."""
    from sis_sync.server.serve.setup_commands import create_administrator

    account = create_administrator(
        slug=slug,
        name=name,
        time_zone=time_zone,
        email=email or ask("E-mail", "--email"),
        first_name=first_name or ask("First name", "--first-name"),
        last_name=last_name or ask("Last name", "--last-name"),
        password=_read_password(),
    )
    click.echo(f"Account {account.pk} manages {account.school_system.name}.")


def _read_password() -> str:
    if may_ask():
        return str(click.prompt("Password", hide_input=True, confirmation_prompt=True))
    if sys.stdin.isatty():
        raise UsageFault("With --no-input, the password must come from standard input.", fix=NO_INPUT_FIX)
    password = sys.stdin.readline().rstrip("\r\n")
    if not password:
        raise UsageFault("Standard input contains no password.", fix=NO_INPUT_FIX)
    return password


@server.command()
@needs_server
def openapi() -> None:
    """Print the OpenAPI description of the HTTP API."""
    from sis_sync.server.serve.setup_commands import openapi_document

    click.echo(openapi_document())


@server.command("import-orgs")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--school-system", "slug", help="Short name of the school system, if there are several.")
@needs_server
def import_orgs(file: Path, slug: str | None) -> None:
    """Create and update schools from a CSV with external_id,name,kind."""
    from sis_sync.server.serve.setup_commands import import_org_file

    done = import_org_file(file, slug=slug)
    click.echo(f"{done.created} created, {done.updated} updated, {done.unchanged} unchanged.")


@server.command()
@click.option("--dry-run", "is_trial", is_flag=True, help="Print what would be removed, and remove nothing.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
@needs_server
def purge(is_trial: bool, as_json: bool) -> None:
    """Remove what is older than its time. The worker does this once a day by itself."""
    from sis_sync.server.runs.purge.purge import purge_now, purge_words

    purged = purge_now(is_trial=is_trial)
    if as_json:
        print_json(purged.as_dict())
    else:
        for line in purge_words(purged):
            click.echo(line)
    purged.raise_if_incomplete()
