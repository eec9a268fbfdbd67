"""`demo`: a made-up district with a real server and client. Try it in a browser, or run through it once."""

import signal
from pathlib import Path
from types import FrameType

import click

from sis_sync.cli.server import needs_server
from sis_sync.cli.terminal import note
from sis_sync.core.exit_codes import TERMINATED
from sis_sync.demo.place import DemoPlace, demo_place


@click.command()
@click.option("--once", is_flag=True, help="Run through the three days without a browser, print the counts, then exit.")
@click.option(
    "--folder",
    type=click.Path(path_type=Path),
    help="Folder for all files of the demo.  [default: a temporary folder, removed at the end]",
)
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Port of the server.  [default: a free port]")
def demo(once: bool, folder: Path | None, port: int) -> None:
    """Start a server and a client for a made-up district with exports of three days, and one that is cut off."""
    signal.signal(signal.SIGTERM, _end)
    with demo_place(folder, port) as place:
        needs_server(_run)(place, once)


def _end(_number: int, _frame: FrameType | None) -> None:
    """Exit through the context managers, which stop the server and client and remove the folder."""
    raise click.exceptions.Exit(TERMINATED)


def _run(place: DemoPlace, once: bool) -> None:
    from sis_sync.demo.run import play, show

    note("Setting up a made-up district ...")
    play(place) if once else show(place)
