"""Sends what the journal holds: once, however often it takes. A receipt ends it; so does the server's refusal."""

from dataclasses import dataclass
from datetime import datetime

from sis_sync.client.answers import RunStatus
from sis_sync.client.api import Api, Upload
from sis_sync.client.checking import findings_note
from sis_sync.client.folders import is_too_old
from sis_sync.client.journal import (
    Delivery,
    count_attempt,
    get_delivery,
    mark_received,
    mark_unsent,
    same_content_sent_at,
)
from sis_sync.client.patience import Clock, Tell, until_answered
from sis_sync.client.put_away import destination_in, put_away
from sis_sync.client.report import FileOutcome, PassReport
from sis_sync.client.section import Section
from sis_sync.client.state import State
from sis_sync.core.errors import FileRefused, SisSyncError


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
