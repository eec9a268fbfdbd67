"""Everything of a pass that needs the server: send what waits, report refusals, follow the runs."""

import contextlib
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sis_sync.client.api import Api, Upload
from sis_sync.client.folders import is_too_old
from sis_sync.client.follow import follow_until_settled
from sis_sync.client.journal import (
    Delivery,
    State,
    count_attempt,
    get_delivery,
    mark_received,
    mark_unsent,
    open_deliveries,
    same_content_sent_at,
    spooled_deliveries,
)
from sis_sync.client.report import FileOutcome, PassReport
from sis_sync.client.responses import RunStatus
from sis_sync.client.retry import Clock, Tell, until_answered
from sis_sync.client.sections import Section
from sis_sync.client.spool import destination_in, put_away
from sis_sync.core.errors import ConfigurationError, FileRefused, NotPermitted, SisSyncError, UsageFault


@dataclass(frozen=True)
class Sender:
    """What sending needs: the open state, the API, the clock, how long to try again, and who hears of it."""

    state: State
    api: Api
    clock: Clock
    retry_max_minutes: int
    tell: Tell

    def send(self, section: Section, delivery: Delivery, report: PassReport) -> None:
        """Send one delivery and put it away. Errors but a refused file are the caller's: the journal keeps the file."""
        if is_too_old(delivery.source, section, now=self.clock.now()):
            skip_too_old(self.state, section, delivery, report, now=self.clock.now())
            return
        count_attempt(self.state, delivery)
        try:
            run = until_answered(
                lambda: self.api.post_run(_upload_of(delivery)),
                max_minutes=self.retry_max_minutes,
                clock=self.clock,
                file_name=delivery.file_name,
                tell=self.tell,
            )
        except FileRefused as refusal:
            refuse(self.state, section, delivery, refusal, report, now=self.clock.now())
            return
        self._receive(section, delivery, run, report)

    def _receive(self, section: Section, delivery: Delivery, run: RunStatus, report: PassReport) -> None:
        now = self.clock.now()
        same_as_at = same_content_sent_at(self.state, delivery)
        destination = destination_in(section.archive_folder, delivery, now=now)
        mark_received(self.state, delivery, run.id, destination, now=now)
        put_away_again(self.state, get_delivery(self.state, delivery.id), report, now=now)
        report.add_file(
            FileOutcome(section.name, delivery.mode, delivery.file_name, "sent", run=run, same_as_at=same_as_at)
        )


def _upload_of(delivery: Delivery) -> Upload:
    return Upload(
        path=delivery.spool,
        file_name=delivery.file_name,
        mode=delivery.mode,
        sha256=delivery.sha256,
        idempotency_key=delivery.idempotency_key,
        mapping_name=delivery.mapping_name,
        mapping_lines=delivery.mapping_lines,
    )


def refuse(
    state: State, section: Section, delivery: Delivery, refusal: FileRefused, report: PassReport, *, now: datetime
) -> None:
    """Put the file into failed/ with its findings beside it."""
    note = findings_note(delivery.file_name, refusal)
    mark_unsent(state, delivery, "refused", destination_in(section.failed_folder, delivery, now=now), note)
    put_away_again(state, get_delivery(state, delivery.id), report, now=now)
    outcome = FileOutcome(section.name, delivery.mode, delivery.file_name, "refused", reason=note, code=refusal.code)
    report.add_file(outcome)


def skip_too_old(state: State, section: Section, delivery: Delivery, report: PassReport, *, now: datetime) -> None:
    """A file that could not be sent while it was fresh is archived as skipped, and said so."""
    destination = destination_in(section.archive_folder, delivery, now=now, tag=".too-old")
    mark_unsent(state, delivery, "skipped", destination)
    put_away_again(state, get_delivery(state, delivery.id), report, now=now)
    reason = f"older than {section.max_age_hours} hours before it could be sent"
    report.add_file(FileOutcome(section.name, delivery.mode, delivery.file_name, "skipped", reason=reason))


def put_away_again(state: State, delivery: Delivery, report: PassReport, *, now: datetime) -> None:
    """Put the delivery away; where a folder refuses, the next pass tries again and nothing is sent twice."""
    try:
        put_away(state, delivery, now=now)
    except OSError as error:
        message = f"{delivery.file_name} could not be moved to {delivery.destination}: {error.strerror or error}."
        fix = "Check the rights of the folder; the next pass tries again and nothing is sent twice."
        report.add_problem(delivery.section, SisSyncError(message, fix=fix))


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


def findings_note(file_name: str, refusal: FileRefused) -> str:
    """What is put beside a refused file, for the person who must act."""
    where = f" line {refusal.line}" if refusal.line else ""
    lines = (
        f"{file_name} was not applied: the whole file is refused.",
        f"{file_name}{where}: {refusal.message} ({refusal.code})",
        refusal.fix,
    )
    return "\n".join(line for line in lines if line) + "\n"
