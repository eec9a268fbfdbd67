"""The command that a person may run next, complete and quoted so that it can be pasted."""

import os
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import click
from click.core import ParameterSource

from sis_sync.cli.plan_request import RequestedPlan


def next_step(made: RequestedPlan, *, is_written: bool) -> str:
    """Return the last lines that `plan` prints: the next command, or the reason why there is none."""
    if made.hits:
        waits = "On the server this run would wait for a person."
        return waits if is_written else f"{waits}\nNext, to see everyone:\n  {given_command(output='plan.csv')}"
    if not made.plan.counts.changes:
        return "Nothing to do: no account would change."
    return _upload_step(made)


def _upload_step(made: RequestedPlan) -> str:
    params = click.get_current_context().params
    file, given = str(params["file"]), params["mapping"]
    mapper = ["--mapper", made.mapping_name] if made.mapping_name else []
    command = quoted("sis-sync", "upload", "FILE" if file == "-" else file, "--mode", made.plan.mode.name, *mapper)
    is_own = given is not None and Path(given).is_file()
    first = f"put the lines of {given} into client.properties, then " if is_own else ""
    return f"Next: {first}{command}"


def given_command(**changed: str) -> str:
    """Return the current command with these options set, quoted, such as `sis-sync plan a.csv --mode full`."""
    context = click.get_current_context()
    words = [word for param in context.command.params for word in _words_of(context, param, changed)]
    return quoted(*context.command_path.split(), *words)


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


def quoted(*words: str) -> str:
    """Return one line that this system's shell splits into the same words."""
    return shlex.join(words) if os.name == "posix" else subprocess.list2cmdline(words)
