"""Everything of a pass that needs the server: send what waits, report refusals, follow the runs."""

import contextlib
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import timedelta

from sis_sync.client.answers import RunStatus
from sis_sync.client.api import Api
from sis_sync.client.following import follow_until_settled
from sis_sync.client.journal import Delivery, open_deliveries, spooled_deliveries
from sis_sync.client.patience import Clock, Tell
from sis_sync.client.report import FileOutcome, PassReport
from sis_sync.client.section import Section
from sis_sync.client.sending import Sender
from sis_sync.client.state import State
from sis_sync.core.errors import ConfigurationError, FileRefused, NotPermitted, SisSyncError, UsageFault

# What may concern one section only; every other error would meet the next file too.
_SECTION_ERRORS = (ConfigurationError, NotPermitted, UsageFault)

MOST_NAMED = 3  # files in one notice


@dataclass(frozen=True)
class Courier:
    """`open_api` connects only when there is something to say; `is_stopping` is asked between files.

    `tell` hears what is waited for.
    """

    state: State
    clock: Clock
    open_api: Callable[[], AbstractContextManager[Api]]
    is_stopping: Callable[[], bool]
    retry_max_minutes: int
    keep_days: int
    tell: Tell

    def deliver(
        self,
        sections: Sequence[Section],
        refused: Sequence[tuple[Delivery, FileRefused]],
        report: PassReport,
        *,
        wait_seconds: float,
    ) -> None:
        """Send, report, follow; an error that stops all of it goes into the report."""
        since = self.clock.now() - timedelta(days=self.keep_days)
        waiting = [each for section in sections for each in spooled_deliveries(self.state, section.name)]
        if not waiting and not refused and not open_deliveries(self.state, since=since):
            return
        try:
            with self.open_api() as api:
                self._send_all(api, sections, report)
                _report_refusals(api, refused)
                self._follow(api, report, wait_seconds)
        except SisSyncError as error:
            report.add_problem("", error)
            self._say_kept(sections, report)

    def _send_all(self, api: Api, sections: Sequence[Section], report: PassReport) -> None:
        sender = Sender(self.state, api, self.clock, self.retry_max_minutes, self.tell)
        for section in sections:
            try:
                for delivery in spooled_deliveries(self.state, section.name):
                    if self.is_stopping():
                        return
                    sender.send(section, delivery, report)
            except _SECTION_ERRORS as error:
                report.add_problem(section.name, error)

    def _say_kept(self, sections: Sequence[Section], report: PassReport) -> None:
        """Name what could not be sent: it is nowhere lost."""
        names = [each.file_name for section in sections for each in spooled_deliveries(self.state, section.name)]
        if names:
            more = f" and {len(names) - MOST_NAMED:,} more" if len(names) > MOST_NAMED else ""
            are_kept = "is kept and" if len(names) == 1 else "are kept and"
            report.add_notice(f"{', '.join(names[:MOST_NAMED])}{more} {are_kept} sent by the next pass.")

    def _follow(self, api: Api, report: PassReport, wait_seconds: float) -> None:
        still_going = follow_until_settled(
            self.state, api, report, keep_days=self.keep_days, clock=self.clock, seconds=wait_seconds
        )
        report.files = _told_once(report.files, still_going)


def _told_once(outcomes: Sequence[FileOutcome], still_going: Sequence[RunStatus]) -> list[FileOutcome]:
    """A file sent in this pass is told once, with its run as it stands at the end of the pass."""
    latest = {run.id: run for run in (*(each.run for each in outcomes if each.run), *still_going)}
    sent = {each.run.id for each in outcomes if each.run and each.outcome == "sent"}
    return [
        replace(each, run=latest[each.run.id]) if each.run else each
        for each in outcomes
        if not (each.run and each.outcome == "ended" and each.run.id in sent)
    ]


def _report_refusals(api: Api, refused: Sequence[tuple[Delivery, FileRefused]]) -> None:
    """Tell the server what was refused here; an older server does not know the call, and that is no fault."""
    for delivery, refusal in refused:
        with contextlib.suppress(SisSyncError):
            api.report_refusal(
                mode=delivery.mode,
                file_name=delivery.file_name,
                sha256=delivery.sha256,
                code=refusal.code,
                line=refusal.line,
            )
