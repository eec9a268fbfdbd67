"""Turns how a command ended into an exit code and a message on stderr."""

import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from sis_sync.core.errors import SisSyncError
from sis_sync.core.exit_codes import INTERRUPTED


def exit_code_of(command: Callable[[], Any]) -> int:
    """0, or what the command returned, or the code of its error (the command line's section 4)."""
    try:
        outcome = command()
    except click.exceptions.Exit as exit_request:
        return exit_request.exit_code
    except click.exceptions.Abort:
        return INTERRUPTED
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except SisSyncError as error:
        say_error(error)
        return error.exit_code
    except BrokenPipeError:
        return 0
    except SystemExit as request:
        if isinstance(request.__context__, BrokenPipeError):  # click makes it an exit of its own
            return 0
        raise
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception:
        return report_bug()
    return outcome if isinstance(outcome, int) else 0


def say_error(error: SisSyncError) -> None:
    """What went wrong and what to do, on stderr."""
    click.echo(f"{error.title}: {error.message}", err=True)
    if error.fix:
        click.echo(error.fix, err=True)


def report_bug() -> int:
    """A bug: show a reference number instead of the traceback."""
    click.echo(f"Unexpected error, {keep_details()}", err=True)
    return SisSyncError.exit_code


def keep_details() -> str:
    """Keep the traceback of a bug in a log that only its owner reads; gives the reference number and where that is."""
    import secrets

    import platformdirs

    reference = secrets.token_hex(4)
    folder = Path(platformdirs.user_log_path("sis-sync", ensure_exists=True))
    log = folder / f"error-{reference}.log"
    log.touch(mode=0o600)
    log.write_text(traceback.format_exc(), encoding="utf-8")
    return f"reference {reference}. The details are in {log}."
