"""The archive: move files whose outcome is known, write their companion files, and remove old ones."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sis_sync.client.journal import Delivery, Journal
from sis_sync.client.report import FileOutcome, PassReport
from sis_sync.client.responses import RunStatus
from sis_sync.client.retry import Clock
from sis_sync.client.sections import Section, SectionMapping
from sis_sync.client.watched_folders import look_at
from sis_sync.core.errors import ConfigurationError, FileRefused, SisSyncError
from sis_sync.core.place_faults import as_no_room
from sis_sync.core.whole_files import replaced_whole, sha256_of, write_whole

_MAX_NAME_BYTES = 180


@dataclass(frozen=True)
class Archiver:
    """Record the outcome of each delivery: first in the journal, then on disk, then in the report.

    This order makes a crash harmless. Once the journal contains the outcome, the file is never sent again. The next
    pass moves every file that the journal does not list as put away, even if this pass had already moved part of it.
    """

    journal: Journal
    clock: Clock
    report: PassReport

    def archive_sent(self, section: Section, delivery: Delivery, run: RunStatus) -> None:
        """Archive a file that the server has received."""
        same_as_at = self.journal.same_content_received_at(delivery)
        destination = self._destination(section.archive_folder, delivery)
        received = self.journal.mark_received(delivery, run.id, destination, now=self.clock.now())
        self._finish(FileOutcome(received, "sent", run=run, same_as_at=same_as_at))

    def move_to_failed(self, section: Section, delivery: Delivery, refusal: FileRefused) -> None:
        """Move a refused file to the failed folder, with its findings next to it."""
        note = findings_note(delivery.file_name, refusal)
        refused = self.journal.mark_refused(delivery, self._destination(section.failed_folder, delivery), note)
        self._finish(FileOutcome(refused, "refused", reason=note, code=refusal.code))

    def archive_skipped(self, section: Section, deliveries: Sequence[Delivery], *, tag: str, reason: str) -> None:
        """Archive files that are not sent, and add the tag to their names."""
        # Mark all of them before moving the first. Otherwise, after a crash, the next pass would send the others.
        skipped = [
            self.journal.mark_skipped(each, self._destination(section.archive_folder, each, tag=tag))
            for each in deliveries
        ]
        for delivery in skipped:
            self._finish(FileOutcome(delivery, "skipped", reason=reason))

    def put_away(self, delivery: Delivery) -> None:
        """Move the file to its destination. If that fails, report it; the next pass tries again."""
        try:
            _put_away(self.journal, delivery, now=self.clock.now())
        except OSError as error:
            message = f"{delivery.file_name} could not be moved to {delivery.destination}: {error.strerror or error}."
            fix = "Check the rights of the folder; the next pass tries again and nothing is sent twice."
            no_room = as_no_room(error, Path(delivery.destination).parents)
            self.report.add_problem(delivery.section, no_room or SisSyncError(message, fix=fix))

    def remove_old(self, *, keep_days: int) -> None:
        """Remove files that were archived more than `keep_days` days ago, because they contain personal data."""
        for path in self.journal.archived_before(self.clock.now() - timedelta(days=keep_days)):
            try:
                path.unlink(missing_ok=True)
            except OSError:
                continue  # in use, or the share is not available: the next pass tries again
            self.journal.forget_archived(path)

    def _destination(self, folder: Path, delivery: Delivery, *, tag: str = "") -> Path:
        """Return the new path. Its name contains the time (UTC), the delivery's ID, the original name and the tag."""
        stem, suffix = delivery.source.path.stem, delivery.source.path.suffix
        while len(f"{stem}{suffix}".encode()) > _MAX_NAME_BYTES and stem:
            stem = stem[:-1]
        return folder / f"{self.clock.now():%Y%m%dT%H%M%SZ}-{delivery.id}_{stem}{tag}{suffix}"

    def _finish(self, outcome: FileOutcome) -> None:
        self.put_away(outcome.delivery)
        self.report.add_file(outcome)


def companion_of(archived: Path, kind: str) -> Path:
    """Return the path of a companion of an archived file, such as its results.csv."""
    return archived.with_name(f"{archived.stem}.{kind}")


def findings_note(file_name: str, refusal: FileRefused) -> str:
    """Return the text of the note next to a refused file. It tells a person why it was refused and what to do."""
    where = f" line {refusal.line}" if refusal.line else ""
    lines = (
        f"{file_name} was not applied: the whole file is refused.",
        f"{file_name}{where}: {refusal.message} ({refusal.code})",
        refusal.fix,
    )
    return "\n".join(line for line in lines if line) + "\n"


def _put_away(journal: Journal, delivery: Delivery, *, now: datetime) -> None:
    """Copy the file without its columns of secrets, remove the source, update the journal, remove the spool file.

    Raise OSError if a step fails.

    After a crash this starts again from the beginning, so each step must be safe to repeat.
    """
    destination = Path(delivery.destination)
    if delivery.spool.exists():
        destination.parent.mkdir(parents=True, exist_ok=True)
        with replaced_whole(destination) as draft:
            _copy_without_secrets(delivery, draft)
        if delivery.source.path.exists():  # users who can read the source can also read the archived file
            shutil.copymode(delivery.source.path, destination)
    if delivery.note:
        write_whole(companion_of(destination, "findings.txt"), [delivery.note.encode()])
    _remove_source(delivery)
    if delivery.state != "refused":  # files in the failed folder stay until a person removes them
        journal.remember_archived(destination, now=now)
    journal.mark_put_away(delivery, now=now)
    # Remove this copy last: until the journal lists the file as put away, the next pass starts again from it.
    delivery.spool.unlink(missing_ok=True)


def _copy_without_secrets(delivery: Delivery, target: Path) -> None:
    from sis_sync.steps.map.mapping import NO_MAPPING
    from sis_sync.steps.read.rewrite import write_without_secrets

    try:
        mapping = SectionMapping(delivery.mapping_name, delivery.mapping_lines).rules()
    except ConfigurationError:  # the column of passwords may have any name in it; the headers still tell the others
        mapping = NO_MAPPING
    write_without_secrets(delivery.spool, target, mapping=mapping, options=delivery.options)


def _remove_source(delivery: Delivery) -> None:
    """Remove the source file. If the SIS has replaced it with a newer file, keep the newer one."""
    source = delivery.source.path
    # Rename before the last comparison, so that no other file can replace it between the comparison and the removal.
    claimed = source.with_name(f".sis-sync-{delivery.id}.part")
    if not claimed.exists():
        if look_at(source) != delivery.source:
            return
        source.rename(claimed)
    if sha256_of(claimed) == delivery.sha256:
        claimed.unlink()
    else:
        claimed.rename(_free_name(source))


def _free_name(source: Path) -> Path:
    names = (source.with_name(f"{source.stem}-{n}{source.suffix}") for n in range(2, 10**6))
    return source if not source.exists() else next(path for path in names if not path.exists())
