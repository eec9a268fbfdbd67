"""The two ways to run unattended: a single pass, or passes in a loop until the client is asked to stop."""

import signal
import sqlite3
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

from sis_sync.client.api import open_api
from sis_sync.client.config import ClientConfig, require_backend
from sis_sync.client.deliver import Courier
from sis_sync.client.one_pass import SyncClient
from sis_sync.client.report import LOGGER, PassReport, client_log
from sis_sync.client.retry import Announce, Clock
from sis_sync.client.schedule import is_due
from sis_sync.client.state_folder import client_lock, open_journal
from sis_sync.core.errors import ConfigurationError
from sis_sync.core.place_faults import as_no_room, fault_of


class Stop:
    """Stores whether the client was asked to stop, and by which signal."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self.signal_number = 0

    def ask(self, signal_number: int, _frame: FrameType | None = None) -> None:
        """Ask the client to stop. It finishes the current file, then exits."""
        self.signal_number = signal_number
        self._event.set()

    def is_asked(self) -> bool:
        """Return True if the client was asked to stop."""
        return self._event.is_set()

    def wait(self, seconds: float) -> bool:
        """Wait until the time is over or the client is asked to stop. Return True if it was asked."""
        return self._event.wait(seconds)

    @property
    def exit_code(self) -> int:
        """130 after an interrupt, 143 after a termination, 0 if the client was not asked to stop."""
        return 128 + self.signal_number if self.signal_number else 0


@contextmanager
def stopping_on_signals(stop: Stop) -> Iterator[None]:
    """Turn SIGTERM and SIGINT into a request to stop while the block runs, so that the current file is finished."""
    before = {number: signal.signal(number, stop.ask) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def open_client(config: ClientConfig, stop: Stop, announce: Announce) -> Iterator[SyncClient]:
    """Lock the state folder, open log and journal, and yield a client that can run passes.

    `announce` receives messages for a person during a pause.
    """
    backend = require_backend(config)
    if not config.sections:
        fix = "Set enabled=true and a folder for one of partial.sync, student.sync, staff.sync, full.sync."
        raise ConfigurationError(f"{config.path} switches no section on.", fix=fix)
    client = config.client
    with (
        _full_disk_in_words(config),
        client_lock(client.state_folder),
        client_log(client.log_folder),
        open_journal(client.state_folder) as journal,
    ):
        courier = Courier(
            journal=journal,
            clock=Clock(now=lambda: datetime.now(UTC), pause=stop.wait),
            open_api=lambda: open_api(backend, client.name),
            is_stopping=stop.is_asked,
            retry_max_minutes=backend.retry_max_minutes,
            keep_days=client.archive_keep_days,
            announce=announce,
        )
        yield SyncClient(config, journal, courier)


@contextmanager
def _full_disk_in_words(config: ClientConfig) -> Iterator[None]:
    """Raise NoRoom if a disk is full that the client, its journal or its engine writes to."""
    try:
        yield
    except Exception as error:
        if no_room := as_no_room(error, _written_folders(config)):
            raise no_room from None
        raise


def _written_folders(config: ClientConfig) -> list[Path]:
    own = [config.client.state_folder, config.client.log_folder, Path(tempfile.gettempdir())]
    return own + [folder for each in config.sections for folder in (each.archive_folder, each.failed_folder)]


def run_once(client: SyncClient, stop: Stop, *, wait_seconds: float) -> PassReport:
    """Run one pass over all sections. Ignore their schedules."""
    # A file has settled only if two looks saw it unchanged. A single pass may have no earlier look, so look once now,
    # wait, and let the pass look again. The pass will report the problems of this look too.
    scans = client.look(PassReport())
    if any(scan.unsettled for scan in scans):
        stop.wait(client.config.client.settle_seconds)
    report, scans = client.run_pass(sections=client.config.sections, wait_seconds=wait_seconds)
    for name in dict.fromkeys(found.path.name for scan in scans for found in scan.unsettled):
        report.add_notice(f"{name} is still being written, or in use by another program. The next pass looks again.")
    return report


def watch(client: SyncClient, stop: Stop, show: Callable[[PassReport], None]) -> None:
    """Run passes until the client is asked to stop. If a fault of the place ends a pass, log it and try again."""
    LOGGER.info("watching %s sections", len(client.config.sections))
    while not stop.is_asked():
        try:
            show(_scheduled_pass(client))
        except Exception as error:
            if fault_of(error) is None and not isinstance(error, OSError | sqlite3.Error):
                raise
            # Such as a full disk, a lost share, or too little memory for the engine: keep watching.
            no_room = as_no_room(error, _written_folders(client.config))
            LOGGER.error("a pass broke off: %s", no_room.title if no_room else type(error).__name__)
            if no_room:
                client.courier.announce(f"{no_room.message} The next pass tries again.")
        stop.wait(client.config.client.poll_seconds)
    LOGGER.info("stopped")


def _scheduled_pass(client: SyncClient) -> PassReport:
    now = client.courier.clock.now()
    due = [
        section
        for section in client.config.sections
        if is_due(section.schedule, served_at=client.journal.served_at(section.name, now=now), now=now)
    ]
    report, scans = client.run_pass(sections=due, wait_seconds=0)
    # A section whose file is still changing stays due, so the next pass takes the file.
    settled = {scan.section.name for scan in scans if not scan.unsettled}
    for section in due:
        if section.name in settled:
            client.journal.mark_served(section.name, now=now)
    return report
