"""The end of a command: return its exit code and print its error to stderr."""

import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from sis_sync.core.errors import SisSyncError
from sis_sync.core.exit_codes import DONE, INTERRUPTED
from sis_sync.core.place_faults import as_no_room


def exit_code_of(command: Callable[[], Any]) -> int:
    """Run the command and print its error. Return 0, the command's own exit code, or the exit code of its error."""
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
        _print_error(error)
        return error.exit_code
    except BrokenPipeError:
        return DONE
    except SystemExit as request:
        if isinstance(request.__context__, BrokenPipeError):  # click turns a broken pipe into an Exit
            return DONE
        raise
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:
        return report_unexpected(error)
    return outcome if isinstance(outcome, int) else DONE


def report_unexpected(error: Exception) -> int:
    """Print what a full disk needs, or where a bug is described. Return the exit code. Called while it is handled."""
    if no_room := as_no_room(error, (Path.cwd(), Path(tempfile.gettempdir()))):
        _print_error(no_room)
        return no_room.exit_code
    click.echo(f"Unexpected error, {write_bug_report()}", err=True)
    return SisSyncError.exit_code


def _print_error(error: SisSyncError) -> None:
    click.echo(f"{error.title}: {error.message}", err=True)
    if error.fix:
        click.echo(error.fix, err=True)


def write_bug_report() -> str:
    """Write the traceback to a log that only its owner can read. Return a sentence with the reference and the path."""
    import secrets

    import platformdirs

    reference = secrets.token_hex(4)
    folder = Path(platformdirs.user_log_path("sis-sync", ensure_exists=True))
    log = folder / f"error-{reference}.log"
    log.touch(mode=0o600)
    log.write_text(traceback.format_exc(), encoding="utf-8")
    return f"reference {reference}. The details are in {log}."
