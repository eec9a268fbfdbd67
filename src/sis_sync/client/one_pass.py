"""One pass over the watched folders: look, take, check, deliver, tidy. Safe to stop or crash anywhere."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sis_sync.client.config import ClientConfig
from sis_sync.client.deliver import Courier, put_away_again, refuse
from sis_sync.client.folders import Scan, remove_ready_files, scan_section
from sis_sync.client.follow import remove_old_archives
from sis_sync.client.journal import (
    Delivery,
    State,
    deliveries_to_put_away,
    forget_others,
    mark_checked,
    taken_deliveries,
)
from sis_sync.client.report import FileOutcome, PassReport
from sis_sync.client.sections import Section, SectionMapping
from sis_sync.client.spool import remove_orphans, skip_older, take_file
from sis_sync.core.errors import ConfigurationError, FileRefused
from sis_sync.core.modes import Mode


def check_file(path: Path, *, mode: Mode, mapping: SectionMapping, fallback_encoding: str) -> None:
    """Read, map and validate the file. FileRefused if the whole file is."""
    from sis_sync.engine.duckdb import open_session
    from sis_sync.steps import pipeline
    from sis_sync.steps.map.mapper_lines import load_mapping, parse_mapping
    from sis_sync.steps.map.mapping import NO_MAPPING

    rules = NO_MAPPING
    if mapping.name:
        rules = parse_mapping(mapping.lines, name=mapping.name) if mapping.lines else load_mapping(mapping.name)
    with open_session() as session:
        pipeline.check_file(session, path, mode=mode, mapping=rules, fallback_encoding=fallback_encoding)


@dataclass(frozen=True)
class Pass:
    """What a pass works with. The courier holds the clock and knows whether the client was asked to stop."""

    config: ClientConfig
    state: State
    courier: Courier

    def run(self, *, sections: Sequence[Section], wait_seconds: float) -> tuple[PassReport, list[Scan]]:
        """Do the pass over these sections; runs that go on by themselves are followed for `wait_seconds`."""
        report = PassReport()
        remove_orphans(self.state)
        scans = self.look(report)
        for delivery in deliveries_to_put_away(self.state):
            put_away_again(self.state, delivery, report, now=self._now())
        wanted = {section.name for section in sections}
        complete = {scan.section.name for scan in scans if scan.section.name in wanted and self._take(scan, report)}
        remove_ready_files(scans, complete)
        refused = self._check_taken(report)
        self.courier.deliver(self.config.sections, refused, report, wait_seconds=wait_seconds)
        remove_old_archives(self.state, keep_days=self.config.client.archive_keep_days, now=self._now())
        return report, scans

    def look(self, report: PassReport) -> list[Scan]:
        """Look into every section's folder; one that cannot be read is a problem of its own."""
        scans = []
        settle_seconds = self.config.client.settle_seconds
        for section in self.config.sections:
            try:
                scans.append(scan_section(self.state, section, settle_seconds=settle_seconds, now=self._now()))
            except OSError as error:
                report.add_problem(section.name, _unreadable(section, error))
        if len(scans) == len(self.config.sections):
            forget_others(self.state, (found.path for scan in scans for found in scan.seen))
        return scans

    def _take(self, scan: Scan, report: PassReport) -> bool:
        """Spool what the scan found; gives whether nothing of it was left."""
        if scan.stale:
            report.add_notice(_stale_notice(scan))
        try:
            if scan.section.newest_counts and scan.takable:
                self._skip_older(scan, report)
            for found in scan.takable:
                if self.courier.is_stopping() or not take_file(self.state, scan.section, found, now=self._now()):
                    return False
        except OSError as error:
            report.add_problem(scan.section.name, _unreadable(scan.section, error))
            return False
        return not scan.waiting

    def _skip_older(self, scan: Scan, report: PassReport) -> None:
        reason = f"{scan.takable[-1].path.name} is newer"
        for delivery in skip_older(self.state, scan, now=self._now()):
            put_away_again(self.state, delivery, report, now=self._now())
            outcome = FileOutcome(delivery.section, delivery.mode, delivery.file_name, "skipped", reason=reason)
            report.add_file(outcome)

    def _check_taken(self, report: PassReport) -> list[tuple[Delivery, FileRefused]]:
        """Check what was taken, now or before a crash; gives what was refused."""
        refused = []
        sections = {section.name: section for section in self.config.sections}
        for delivery in taken_deliveries(self.state):
            section = sections.get(delivery.section)
            if section is None or self.courier.is_stopping():
                continue  # a section that was switched off keeps its files until it is on again
            try:
                self._check(section, delivery)
            except FileRefused as refusal:
                refuse(self.state, section, delivery, refusal, report, now=self._now())
                refused.append((delivery, refusal))
            except ConfigurationError as error:
                report.add_problem(section.name, error)
        return refused

    def _check(self, section: Section, delivery: Delivery) -> None:
        check_file(
            delivery.spool,
            mode=section.mode,
            mapping=SectionMapping(delivery.mapping_name, delivery.mapping_lines),
            fallback_encoding=self.config.client.fallback_encoding,
        )
        mark_checked(self.state, delivery)

    def _now(self) -> datetime:
        return self.courier.clock.now()


def _unreadable(section: Section, error: OSError) -> ConfigurationError:
    message = f"{section.name}: {error.filename or section.folder} cannot be used: {error.strerror or error}."
    return ConfigurationError(message, fix="Check that the folder is there and the client may read and write in it.")


def _stale_notice(scan: Scan) -> str:
    name = scan.stale.path.name if scan.stale else ""
    return (
        f"{scan.section.name}: {name} is older than {scan.section.max_age_hours} hours and was not sent. "
        f"Check that the SIS still exports; to send it anyway, copy it anew or raise {scan.section.name}.max.age.hours."
    )
