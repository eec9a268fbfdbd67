"""The options of every command (-q, -v, --color, --no-input), and functions to ask, print notes and print JSON.

Results go to stdout. Progress, warnings and errors go to stderr.
"""

import codecs
import json
import os
import sys
from typing import Any

import click

from sis_sync.core.errors import UsageFault

_ESCAPE = "sis_sync.escape"
_QUIET, _NO_INPUT = "sis_sync.is_quiet", "sis_sync.no_input"
COLOURS: dict[str, bool | None] = {"auto": None, "always": True, "never": False}


def add_options(command: click.Command, *, is_shown: bool = False) -> click.Command:
    """Add the options to the command and its subcommands. Only the help of `sis-sync` itself lists them."""
    taken = {name for param in command.params for name in param.opts}
    command.params += [option for option in _options(is_shown=is_shown) if not taken & set(option.opts)]
    if isinstance(command, click.Group):
        for child in command.commands.values():
            add_options(child)
    return command


def _options(*, is_shown: bool) -> list[click.Option]:
    hidden = {"expose_value": False, "hidden": not is_shown}
    return [
        click.Option(
            ["-q", "--quiet"],
            is_flag=True,
            callback=_store(_QUIET),
            help="Print no progress and no warnings.",
            **hidden,
        ),
        click.Option(
            ["-v", "--verbose"], is_flag=True, callback=_log_if_set, help="Print each step to stderr.", **hidden
        ),
        click.Option(
            ["--color"],
            type=click.Choice(list(COLOURS)),
            callback=_set_colours,
            help="When to use colours. auto: on a terminal, unless NO_COLOR is set.",
            **hidden,
        ),
        click.Option(
            ["--no-input"], is_flag=True, callback=_store(_NO_INPUT), help="Never ask; fail instead.", **hidden
        ),
    ]


def _store(name: str) -> Any:
    def callback(ctx: click.Context, _param: click.Parameter, value: bool) -> None:
        if value:
            ctx.find_root().meta[name] = True

    return callback


def _log_if_set(_ctx: click.Context, _param: click.Parameter, value: bool) -> None:
    if value:
        log_to_stderr()


def _set_colours(ctx: click.Context, _param: click.Parameter, value: str | None) -> None:
    """Set the use of colours. --color overrides NO_COLOR. Without either, use colours only on a terminal."""
    root = ctx.find_root()
    if value is None and ctx is not root:
        return  # keep the value of an option before the command
    is_unwanted = value in (None, "auto") and bool(os.environ.get("NO_COLOR"))
    ctx.color = root.color = False if is_unwanted else COLOURS[value or "auto"]


def log_to_stderr() -> None:
    """Print the program's own log, which contains no personal data, to stderr."""
    import logging

    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(message)s"))
    logger = logging.getLogger("sis_sync")
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)


def note(text: str) -> None:
    """Print progress or a warning to stderr, unless -q was given."""
    if not _is_set(_QUIET):
        click.echo(text, err=True)


def print_json(document: dict[str, Any]) -> None:
    """Print one document with its schema version first."""
    click.echo(json.dumps({"schema_version": 1, **document}, ensure_ascii=False))


def may_ask() -> bool:
    """Return True if stdin is a terminal and --no-input was not given."""
    return sys.stdin.isatty() and not _is_set(_NO_INPUT)


def ask(label: str, option: str) -> str:
    """Ask the person for a value and return it. Raise UsageFault if the command may not ask."""
    if not may_ask():
        raise UsageFault(f"{option} is missing.", fix="Pass it as an option; this command cannot ask for it here.")
    return str(click.prompt(label, err=True))


def _is_set(name: str) -> bool:
    context = click.get_current_context(silent=True)
    return bool(context and context.find_root().meta.get(name))


def survive_any_encoding() -> None:
    """Escape characters that the encoding of stdout or stderr cannot represent. The escapes are valid in JSON."""
    codecs.register_error(_ESCAPE, _escaped)
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors=_ESCAPE)


def _escaped(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    units = error.object[error.start : error.end].encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2)), error.end
