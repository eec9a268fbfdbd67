"""One pass over the watched folders: look, take, check, deliver, tidy. It is safe to stop or crash at any point."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sis_sync.client.archive import Archiver
from sis_sync.client.config import ClientConfig
from sis_sync.client.deliver import Courier
from sis_sync.client.eligible_files import Scan, remove_ready_files, scan_section
from sis_sync.client.journal import Delivery, Journal
from sis_sync.client.report import PassReport
from sis_sync.client.sections import Section, SectionMapping
from sis_sync.client.state_folder import remove_orphans, take_file
from sis_sync.core.errors import ConfigurationError, FileRefused
from sis_sync.core.modes import Mode
from sis_sync.core.place_faults import as_no_room, fault_of
from sis_sync.core.reading_options import ReadingOptions
from sis_sync.core.wording import counted


@dataclass(frozen=True)
class SyncClient:
    """A running client. It has locked the state folder and opened the journal. The courier contains the clock."""

    config: ClientConfig
    journal: Journal
    courier: Courier

    def run_pass(self, *, sections: Sequence[Section], wait_seconds: float) -> tuple[PassReport, list[Scan]]:
        """Run one pass over these sections. Follow runs that make progress for at most `wait_seconds`."""
        report = PassReport()
        archiver = Archiver(self.journal, self.courier.clock, report)
        remove_orphans(self.journal)
        # Look before putting files away. That way this pass still sees a file that an earlier pass left in its folder,
        # and removes its ready file. With a stale ready file, the client would take the next export too early.
        scans = self.look(report)
        for delivery in self.journal.deliveries_to_put_away():
            archiver.put_away(delivery)
        wanted = {section.name for section in sections}
        complete = {scan.section.name for scan in scans if scan.section.name in wanted and self._take(scan, archiver)}
        remove_ready_files(scans, complete)
        refused = self._check_taken(archiver)
        # Deliver all sections, not only those of this pass: files that an earlier pass could not send are sent now.
        self.courier.deliver(self.config.sections, refused, archiver, wait_seconds=wait_seconds)
        archiver.remove_old(keep_days=self.config.client.archive_keep_days)
        return report, scans

    def look(self, report: PassReport) -> list[Scan]:
        """Scan every section's folder. Report a folder that cannot be read as a problem of that section only."""
        scans = []
        settle_seconds = self.config.client.settle_seconds
        for section in self.config.sections:
            try:
                scans.append(scan_section(self.journal, section, settle_seconds=settle_seconds, now=self._now()))
            except OSError as error:
                report.add_problem(section.name, _unreadable(section, error))
        # Forget only if every folder was read: files in an unreadable folder may still exist.
        if len(scans) == len(self.config.sections):
            self.journal.forget_looks_except(found.path for scan in scans for found in scan.seen)
        return scans

    def _take(self, scan: Scan, archiver: Archiver) -> bool:
        """Copy the eligible files to the spool. Return True if the section has no more files to take."""
        section = scan.section
        if scan.too_old:
            archiver.report.add_notice(_too_old_notice(section, scan.too_old.path.name))
        try:
            if section.sends_newest_only and scan.eligible:
                self._skip_outdated(scan, archiver)
            for found in scan.eligible:
                if self.courier.is_stopping() or not take_file(self.journal, section, found, now=self._now()):
                    return False
        except OSError as error:
            # The disk of the copy may be full, rather than that of the folder.
            no_room = as_no_room(error, (section.folder, self.journal.spool_folder))
            archiver.report.add_problem(section.name, no_room or _unreadable(section, error))
            return False
        return not scan.unsettled

    def _skip_outdated(self, scan: Scan, archiver: Archiver) -> None:
        """Skip the files that the newest list replaces: older files in the folder, and older copies not sent yet."""
        for found in scan.outdated:
            take_file(self.journal, scan.section, found, now=self._now())
        outdated = self.journal.unsent_deliveries(scan.section.name)
        reason = f"{scan.eligible[-1].path.name} is newer"
        archiver.archive_skipped(scan.section, outdated, tag=".skipped", reason=reason)

    def _check_taken(self, archiver: Archiver) -> list[tuple[Delivery, FileRefused]]:
        """Check the files that this pass or a crashed one has taken. Return the refused files."""
        refused = []
        sections = {section.name: section for section in self.config.sections}
        for delivery in self.journal.unchecked_deliveries():
            section = sections.get(delivery.section)
            if section is None or self.courier.is_stopping():
                continue  # the files of a disabled section wait until it is enabled again
            try:
                self._check(section, delivery)
            except FileRefused as refusal:
                if fault_of(refusal):  # its disk does not work: the next pass checks it again
                    archiver.report.add_problem(section.name, refusal)
                    continue
                archiver.move_to_failed(section, delivery, refusal)
                refused.append((delivery, refusal))
            except ConfigurationError as error:
                archiver.report.add_problem(section.name, error)
        return refused

    def _check(self, section: Section, delivery: Delivery) -> None:
        check_file(
            delivery.spool,
            mode=section.mode,
            mapping=SectionMapping(delivery.mapping_name, delivery.mapping_lines),
            options=delivery.options,
        )
        self.journal.mark_checked(delivery)

    def _now(self) -> datetime:
        return self.courier.clock.now()


def check_file(path: Path, *, mode: Mode, mapping: SectionMapping, options: ReadingOptions) -> None:
    """Read, map and validate the file. Raise FileRefused if the whole file is refused."""
    from sis_sync.engine.duckdb import open_session
    from sis_sync.steps import pipeline

    rules = mapping.rules()
    with open_session() as session:
        pipeline.check_file(session, path, mode=mode, mapping=rules, options=options)


def _unreadable(section: Section, error: OSError) -> ConfigurationError:
    message = f"{section.name}: {error.filename or section.folder} cannot be used: {error.strerror or error}."
    return ConfigurationError(message, fix="Check that the folder is there and the client may read and write in it.")


def _too_old_notice(section: Section, file_name: str) -> str:
    age = counted(section.max_age_hours or 0, "hour", "hours")
    return (
        f"{section.name}: {file_name} is older than {age} and was not sent. "
        "Check that the SIS still exports. To send this file all the same, copy it again or raise "
        f"{section.name}.max.age.hours."
    )
