"""The command that was given, to be pasted into a terminal again."""

import os
import shlex
import subprocess
from collections.abc import Iterator

import click
from click.core import ParameterSource


def given_command(**changed: str) -> str:
    """The present command whole and quoted, with these options set: `sis-sync plan a.csv --mode full`."""
    context = click.get_current_context()
    words = [word for param in context.command.params for word in _words_of(context, param, changed)]
    return quoted(*context.command_path.split(), *words)


def quoted(*words: str) -> str:
    """The words as a terminal of this system takes them."""
    return shlex.join(words) if os.name == "posix" else subprocess.list2cmdline(words)


def _words_of(context: click.Context, param: click.Parameter, changed: dict[str, str]) -> Iterator[str]:
    name = param.name or ""
    is_given = context.get_parameter_source(name) is ParameterSource.COMMANDLINE and param.expose_value
    value = changed.get(name, context.params.get(name) if is_given else None)
    if value is None or value is False:
        return
    if isinstance(param, click.Option):
        yield param.opts[0]
    if value is not True:
        yield str(value)
