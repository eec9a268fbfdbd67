"""The flags that say how to read a file. `check`, `plan`, `mapper` and `upload` have them all."""

import functools
from collections.abc import Callable
from typing import Any

import click

from sis_sync.core.errors import ConfigurationError, UsageFault
from sis_sync.core.reading_options import options_of

FLAGS = {"encoding": "--encoding", "delimiter": "--delimiter", "header": "--header-line"}


def reading_flags(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the flags to a command, which gets what they say as `options`. Raise UsageFault for a wrong word."""

    @click.option("--encoding", default="", help="The file's encoding, such as windows-1250.  [default: found]")
    @click.option("--delimiter", default="", help="comma, tab, semicolon or bar.  [default: found]")
    @click.option("--header-line", default="", help="The line of the header, or none.  [default: found]")
    @functools.wraps(command)
    def with_options(*args: Any, encoding: str, delimiter: str, header_line: str, **others: Any) -> Any:
        words = {"encoding": encoding, "delimiter": delimiter, "header": header_line}
        try:
            options = options_of(words, called=FLAGS.__getitem__)
        except ConfigurationError as error:
            raise UsageFault(error.message, fix=error.fix) from None
        return command(*args, options=options, **others)

    return with_options
