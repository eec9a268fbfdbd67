"""The part of a pass that needs the server: send waiting files, report refusals, follow the runs."""

import contextlib
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import timedelta

from sis_sync.client.api import Api, Upload
from sis_sync.client.archive import Archiver
from sis_sync.client.eligible_files import is_too_old
from sis_sync.client.follow import Follower
from sis_sync.client.journal import Delivery, Journal
from sis_sync.client.report import FileOutcome, PassReport
from sis_sync.client.responses import RunStatus
from sis_sync.client.retry import Announce, Clock, until_answered
from sis_sync.client.sections import Section
from sis_sync.core.errors import ConfigurationError, FileRefused, NotPermitted, SisSyncError, UsageFault
from sis_sync.core.wording import counted

# These errors may affect only one section. Any other error would also stop the next file.
_SECTION_ERRORS = (ConfigurationError, NotPermitted, UsageFault)

_MAX_NAMED = 3  # files in one notice


@dataclass(frozen=True)
class Courier:
    """Delivers files to the server.

    `open_api` connects to the server. It is called only if there are files to send or runs to follow. `is_stopping` is
    called between files. `announce` receives messages for a person during a pause.
    """

    journal: Journal
    clock: Clock
    open_api: Callable[[], AbstractContextManager[Api]]
    is_stopping: Callable[[], bool]
    retry_max_minutes: int
    keep_days: int
    announce: Announce

    def deliver(
        self,
        sections: Sequence[Section],
        refused: Sequence[tuple[Delivery, FileRefused]],
        archiver: Archiver,
        *,
        wait_seconds: float,
    ) -> None:
        """Send the sections' files, report local refusals, and follow the runs for at most `wait_seconds`.

        Add an error that stops all deliveries to the report.
        """
        since = self.clock.now() - timedelta(days=self.keep_days)
        if not refused and not self._waiting(sections) and not self.journal.open_deliveries(since=since):
            return
        report = archiver.report
        try:
            with self.open_api() as api:
                self._send_all(api, sections, archiver)
                _report_refusals(api, refused)
                follower = Follower(self.journal, api, self.clock, report, self.keep_days)
                not_ended = follower.follow(seconds=wait_seconds)
                report.files = _one_outcome_per_file(report.files, not_ended)
        except SisSyncError as error:
            report.add_problem("", error)
            self._add_unsent_notice(sections, report)

    def _send_all(self, api: Api, sections: Sequence[Section], archiver: Archiver) -> None:
        for section in sections:
            try:
                for delivery in self.journal.deliveries_to_send(section.name):
                    if self.is_stopping():
                        return
                    self._send(api, section, delivery, archiver)
            except _SECTION_ERRORS as error:
                archiver.report.add_problem(section.name, error)

    def _send(self, api: Api, section: Section, delivery: Delivery, archiver: Archiver) -> None:
        """Send one file and archive it, even if it is refused. Raise any other error; the file then stays unsent."""
        if is_too_old(delivery.source, section, now=self.clock.now()):
            reason = f"older than {counted(section.max_age_hours or 0, 'hour', 'hours')} before it could be sent"
            archiver.archive_skipped(section, [delivery], tag=".too-old", reason=reason)
            return
        # Count the attempt before sending: after a crash in between, the journal must still know about it.
        self.journal.count_attempt(delivery)
        upload = Upload(
            path=delivery.spool,
            file_name=delivery.file_name,
            mode=delivery.mode,
            sha256=delivery.sha256,
            idempotency_key=delivery.idempotency_key,
            mapping_name=delivery.mapping_name,
            mapping_lines=delivery.mapping_lines,
            options=delivery.options,
        )
        try:
            run = until_answered(
                lambda: api.post_run(upload),
                max_minutes=self.retry_max_minutes,
                clock=self.clock,
                file_name=delivery.file_name,
                announce=self.announce,
            )
        except FileRefused as refusal:
            archiver.move_to_failed(section, delivery, refusal)
            return
        archiver.archive_sent(section, delivery, run)

    def _waiting(self, sections: Sequence[Section]) -> list[Delivery]:
        return [each for section in sections for each in self.journal.deliveries_to_send(section.name)]

    def _add_unsent_notice(self, sections: Sequence[Section], report: PassReport) -> None:
        """Add a notice with the names of the files that could not be sent. The next pass sends them."""
        names = [each.file_name for each in self._waiting(sections)]
        if names:
            more = f" and {len(names) - _MAX_NAMED:,} more" if len(names) > _MAX_NAMED else ""
            are_kept = "is kept and" if len(names) == 1 else "are kept and"
            report.add_notice(f"{', '.join(names[:_MAX_NAMED])}{more} {are_kept} sent by the next pass.")


def _report_refusals(api: Api, refused: Sequence[tuple[Delivery, FileRefused]]) -> None:
    """Report to the server which files the client refused. Ignore the error of an older server without this call."""
    for delivery, refusal in refused:
        with contextlib.suppress(SisSyncError):
            api.report_refusal(
                mode=delivery.mode,
                file_name=delivery.file_name,
                sha256=delivery.sha256,
                code=refusal.code,
                line=refusal.line,
            )


def _one_outcome_per_file(outcomes: Sequence[FileOutcome], not_ended: Sequence[RunStatus]) -> list[FileOutcome]:
    """Return one outcome per file. A file that was sent and ended in this pass counts as sent, with its latest run."""
    latest = {run.id: run for run in (*(each.run for each in outcomes if each.run), *not_ended)}
    sent = {each.run.id for each in outcomes if each.run and each.outcome == "sent"}
    return [
        replace(each, run=latest[each.run.id]) if each.run else each
        for each in outcomes
        if not (each.run and each.outcome == "ended" and each.run.id in sent)
    ]
