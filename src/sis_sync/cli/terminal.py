"""How much the program says, in which colours, and whether it may ask: options that every command has.

stdout is the answer; stderr is progress, warnings and errors.
"""

import codecs
import json
import os
import sys
from collections.abc import Iterator
from typing import Any

import click

from sis_sync.core.errors import UsageFault

_ESCAPE = "sis_sync.escape"
_QUIET, _NO_INPUT = "sis_sync.is_quiet", "sis_sync.no_input"
COLOURS: dict[str, bool | None] = {"auto": None, "always": True, "never": False}


def _keep(name: str) -> Any:
    def callback(ctx: click.Context, _param: click.Parameter, value: bool) -> None:
        if value:
            ctx.find_root().meta[name] = True

    return callback


def _speak(_ctx: click.Context, _param: click.Parameter, value: bool) -> None:
    if value:
        log_to_stderr()


def _colour(ctx: click.Context, _param: click.Parameter, value: str | None) -> None:
    """--color wins over NO_COLOR; where neither is given, colours are for terminals."""
    root = ctx.find_root()
    if value is None and ctx is not root:
        return  # what stands before the command holds
    is_unwanted = value in (None, "auto") and bool(os.environ.get("NO_COLOR"))
    ctx.color = root.color = False if is_unwanted else COLOURS[value or "auto"]


def _options(*, is_shown: bool) -> list[click.Option]:
    hidden = {"expose_value": False, "hidden": not is_shown}
    return [
        click.Option(
            ["-q", "--quiet"], is_flag=True, callback=_keep(_QUIET), help="No progress and no warnings.", **hidden
        ),
        click.Option(["-v", "--verbose"], is_flag=True, callback=_speak, help="Say each step on stderr.", **hidden),
        click.Option(
            ["--color"],
            type=click.Choice(list(COLOURS)),
            callback=_colour,
            help="Colours; auto is on a terminal and without NO_COLOR.",
            **hidden,
        ),
        click.Option(
            ["--no-input"], is_flag=True, callback=_keep(_NO_INPUT), help="Ask nothing; fail instead.", **hidden
        ),
    ]


def give_options(command: click.Command, *, is_shown: bool = False) -> click.Command:
    """The command, taking the options too, as do all below it. They stand in the help of `sis-sync` alone."""
    taken = {name for param in command.params for name in param.opts}
    command.params += [option for option in _options(is_shown=is_shown) if not taken & set(option.opts)]
    for child in _below(command):
        give_options(child)
    return command


def _below(command: click.Command) -> Iterator[click.Command]:
    if isinstance(command, click.Group):
        yield from command.commands.values()


def is_quiet() -> bool:
    """Whether progress and warnings are unwanted."""
    return _is_set(_QUIET)


def may_ask() -> bool:
    """Whether somebody sits at the terminal and --no-input was not given."""
    return sys.stdin.isatty() and not _is_set(_NO_INPUT)


def ask(label: str, option: str) -> str:
    """What the person at the terminal types. UsageFault where nobody may be asked."""
    if not may_ask():
        raise UsageFault(f"{option} is missing.", fix="Give it; here nobody can be asked for it.")
    return str(click.prompt(label, err=True))


def _is_set(name: str) -> bool:
    context = click.get_current_context(silent=True)
    return bool(context and context.find_root().meta.get(name))


def note(text: str) -> None:
    """Progress or a warning, on stderr; nothing with -q."""
    if not is_quiet():
        click.echo(text, err=True)


def log_to_stderr() -> None:
    """Let the program's own log, which holds no personal data, be read along."""
    import logging

    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(message)s"))
    logger = logging.getLogger("sis_sync")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)


def survive_any_encoding() -> None:
    """What stdout or stderr cannot spell is shown as an escape, one that JSON knows, instead of ending the program."""
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


def print_json(document: dict[str, Any]) -> None:
    """One document with its schema version first."""
    click.echo(json.dumps({"schema_version": 1, **document}, ensure_ascii=False))
