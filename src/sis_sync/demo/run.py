"""Run the demo: start server and client as real processes, and export the file of one day after the other."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

from sis_sync.core.errors import SisSyncError
from sis_sync.core.exit_codes import DONE, ROWS_FAILED
from sis_sync.core.run_states import APPLIED, DECIDABLE, ENDED
from sis_sync.demo.manager import DemoManager
from sis_sync.demo.people import export_cut_off, export_of_day
from sis_sync.demo.place import DemoPlace, write_properties
from sis_sync.demo.prepare import DemoAccess, prepare_demo
from sis_sync.server.serve.setup_commands import forget_connections, migrate

DAYS = (1, 2, 3)
CUT_OFF_DAY = 4
WHAT_TO_LOOK_AT: dict[int, str] = {
    1: "Everyone is new. Look at the sums by school, and approve.",
    2: "Some leave, some are new, and 2 rows fail: open the lists, type the number, and approve.",
    3: "Six of those who left come back: the list says when they left, and by which run.",
}
STOP_SECONDS = 20
# The counts of a run, with the words in which the demo prints them.
SHOWN = {
    "create": "created",
    "update": "updated",
    "restore": "restored",
    "unchanged": "unchanged",
    "ignored": "ignored",
    "failed": "failed",
    "delete": "deleted",
}


def play(place: DemoPlace) -> None:
    """Run all three days without a browser. The client sends and the manager approves. Print the counts."""
    access = _prepare(place)
    with _running(place, "serve", "--port", str(place.port)), DemoManager(place.url, access.reading_key) as manager:
        manager.wait_for_server()
        manager.sign_in(access.email, access.password)
        for day in DAYS:
            _export(place, day)
            _run_client(place)
            run = _decided(manager)
            click.echo(f"Day {day}: {_in_words(run['counts'])}; {run['state']}")


def show(place: DemoPlace) -> None:
    """Run server and client until stopped. Write each export as soon as the run of the previous day has ended.

    The last export is cut off, so that a guard holds its run.
    """
    access = _prepare(place)
    with _running(place, "serve", "--port", str(place.port)), DemoManager(place.url, access.reading_key) as manager:
        manager.wait_for_server()
        with _running(place, "watch", "--config", str(place.properties)):
            _print_welcome(place, access)
            for day in DAYS:
                _export(place, day)
                click.echo(f"Day {day}: lakeview-day{day}.csv was exported. Home > Decide. {WHAT_TO_LOOK_AT[day]}")
                _wait_for_decision(manager, day)
            _write_export(place, CUT_OFF_DAY, export_cut_off())
            click.echo(
                f"Day {CUT_OFF_DAY}: the export was cut off, and the run is on hold.\n"
                "Home > Decide says what holds it and what that usually means. Reject it, or only create and update."
            )
            _wait_for_decision(manager, CUT_OFF_DAY)
            _print_what_is_next(place)
            while True:
                time.sleep(1)


def _prepare(place: DemoPlace) -> DemoAccess:
    migrate()
    access = prepare_demo()
    forget_connections()
    write_properties(place, access.api_key)
    return access


@contextmanager
def _running(place: DemoPlace, *arguments: str) -> Iterator[None]:
    """Run a `sis-sync` process. Its output goes to a log in the demo's folder."""
    with (place.folder / f"{arguments[0]}.log").open("wb") as log:
        process = subprocess.Popen([sys.executable, "-m", "sis_sync", *arguments], stdout=log, stderr=log)
        try:
            yield
        finally:
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _run_client(place: DemoPlace) -> None:
    """Run client passes until the client has taken the file. A pass skips a file that has not settled yet."""
    command = [sys.executable, "-m", "sis_sync", "run", "--config", str(place.properties)]
    for _ in range(10):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode not in (DONE, ROWS_FAILED):
            raise SisSyncError(f"The client ended with exit code {done.returncode}: {' '.join(done.stderr.split())}")
        if not list(place.exports.glob("*.csv")):
            return
        time.sleep(1)
    raise SisSyncError("The client did not take the file.")


def _export(place: DemoPlace, day: int) -> None:
    _write_export(place, day, export_of_day(day))


def _write_export(place: DemoPlace, day: int, text: str) -> None:
    """Write the file under a temporary name and rename it when it is complete, as an SIS does at night."""
    temporary = place.exports / f"day{day}.part"
    temporary.write_text(text, encoding="utf-8", newline="")
    temporary.rename(place.exports / f"lakeview-day{day}.csv")


def _decided(manager: DemoManager) -> dict[str, Any]:
    newest = manager.newest_run()
    if newest is None:
        raise SisSyncError("The file did not reach the server.")
    run = manager.wait_for_decision(int(newest["id"]))
    if run["state"] in DECIDABLE:
        manager.approve(run)
        run = manager.wait_for_decision(int(newest["id"]))
    if run["state"] != APPLIED:
        raise SisSyncError(f"Run {run['id']} ended as {run['state']}.")
    return run


def _wait_for_decision(manager: DemoManager, day: int) -> None:
    while True:
        newest = manager.newest_run()
        if newest and newest["file_name"].endswith(f"day{day}.csv") and newest["state"] in ENDED:
            click.echo(f"Day {day}: {_in_words(newest['counts'])}; {newest['state']}")
            return
        time.sleep(1)


def _in_words(counts: dict[str, int]) -> str:
    return ", ".join(f"{counts.get(name, 0):,} {word}" for name, word in SHOWN.items())


def _print_welcome(place: DemoPlace, access: DemoAccess) -> None:
    click.echo(f"Address:  {place.url}\nE-mail:   {access.email}\nPassword: {access.password}\n")
    click.echo(
        f"The client watches {place.exports}. Its key may upload and see the results of its own files, but not read\n"
        "about anyone else. Press Ctrl-C to end the demo.\n"
    )


def _print_what_is_next(place: DemoPlace) -> None:
    click.echo(
        "\nThese were all the days. The server keeps running until you press Ctrl-C. You can now\n"
        f"- drop a file of your own into {place.exports}, and see what would change,\n"
        "- open Members, change someone, and send an older export again from the archive,\n"
        "- open Bulk Management > History, and follow a person from a run to their account."
    )
