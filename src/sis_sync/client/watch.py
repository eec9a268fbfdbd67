"""The two ways to run unattended: one pass, or a loop of them until the client is asked to stop."""

import signal
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

from sis_sync.client.api import open_api
from sis_sync.client.config import ClientConfig, require_backend
from sis_sync.client.deliver import Courier
from sis_sync.client.journal import mark_served, open_state, served_at
from sis_sync.client.one_pass import Pass
from sis_sync.client.report import LOGGER, PassReport, client_log
from sis_sync.client.retry import Clock, Tell
from sis_sync.client.sections import Section, is_due
from sis_sync.core.errors import AnotherInstanceRuns, ConfigurationError
from sis_sync.core.file_lock import file_lock


@contextmanager
def client_lock(folder: Path) -> Iterator[None]:
    """Hold the lock of the state folder. AnotherInstanceRuns if somebody else does."""
    with ExitStack() as held:
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            is_free = held.enter_context(file_lock(folder / "client.lock"))
        except OSError as error:
            message = f"The state folder {folder} cannot be used: {error.strerror}."
            raise ConfigurationError(
                message, fix="Name a folder that the client may write to: client.state.folder=PATH."
            ) from None
        if not is_free:
            raise AnotherInstanceRuns(
                f"Another sync client works with the state folder {folder}.",
                fix="Wait until it has ended, or stop it; a second client needs its own client.state.folder.",
            )
        yield


class Stop:
    """Whether the client was asked to stop, and by which signal."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self.signal_number = 0

    def ask(self, signal_number: int, _frame: FrameType | None = None) -> None:
        """Ask: the file in hand is finished, then the client ends."""
        self.signal_number = signal_number
        self._event.set()

    def is_asked(self) -> bool:
        """Whether it was asked."""
        return self._event.is_set()

    def wait(self, seconds: float) -> bool:
        """Wait so long, or until asked; gives whether it was asked."""
        return self._event.wait(seconds)

    @property
    def exit_code(self) -> int:
        """130 for an interrupt, 143 for a termination, 0 if nothing was asked."""
        return 128 + self.signal_number if self.signal_number else 0


@contextmanager
def listening(stop: Stop) -> Iterator[None]:
    """Let SIGTERM and SIGINT ask for a stop instead of killing the file in hand."""
    before = {number: signal.signal(number, stop.ask) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def open_pass(config: ClientConfig, stop: Stop, tell: Tell) -> Iterator[Pass]:
    """A pass ready to run: lock held, log and journal open. Errors as those parts raise them.

    `tell` hears what is waited for.
    """
    backend = require_backend(config)
    if not config.sections:
        fix = "Set enabled=true and a folder for one of partial.sync, student.sync, staff.sync, full.sync."
        raise ConfigurationError(f"{config.path} switches no section on.", fix=fix)
    client = config.client
    with client_lock(client.state_folder), client_log(client.log_folder), open_state(client.state_folder) as state:
        courier = Courier(
            state=state,
            clock=Clock(now=lambda: datetime.now(UTC), pause=stop.wait),
            open_api=lambda: open_api(backend, client.name),
            is_stopping=stop.is_asked,
            retry_max_minutes=backend.retry_max_minutes,
            keep_days=client.archive_keep_days,
            tell=tell,
        )
        yield Pass(config, state, courier)


def run_once(one: Pass, stop: Stop, *, wait_seconds: float) -> PassReport:
    """One pass over all sections, whatever their schedules; files seen for the first time get their time to settle."""
    scans = one.look(PassReport())
    if any(scan.waiting for scan in scans):
        stop.wait(one.config.client.settle_seconds)
    report, scans = one.run(sections=one.config.sections, wait_seconds=wait_seconds)
    for name in dict.fromkeys(found.path.name for scan in scans for found in scan.waiting):
        report.add_notice(f"{name} is still being written, or in use by another program. The next pass looks again.")
    return report


def watch(one: Pass, stop: Stop, tell: Callable[[PassReport], None]) -> None:
    """Pass after pass until asked to stop. A pass that the disk breaks off is logged; the next one tries again."""
    LOGGER.info("watching %s sections", len(one.config.sections))
    while not stop.is_asked():
        try:
            tell(_scheduled_pass(one))
        except (OSError, sqlite3.Error) as error:  # a full disk, a share that went away: no reason to end
            LOGGER.error("a pass broke off: %s", type(error).__name__)
        stop.wait(one.config.client.poll_seconds)
    LOGGER.info("stopped")


def _scheduled_pass(one: Pass) -> PassReport:
    now = one.courier.clock.now()
    due = [section for section in one.config.sections if _is_due(one, section, now)]
    report, scans = one.run(sections=due, wait_seconds=0)
    settled = {scan.section.name for scan in scans if not scan.waiting}
    for section in due:
        if section.name in settled:
            mark_served(one.state, section.name, now=now)
    return report


def _is_due(one: Pass, section: Section, now: datetime) -> bool:
    return is_due(section.schedule, served_at=served_at(one.state, section.name, now=now), now=now)
