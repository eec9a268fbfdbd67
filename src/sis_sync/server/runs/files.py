"""The files of a run: their paths, and functions that write them completely or not at all.

The files of a plan are in a folder named after its digest. The run records the digest of its current plan, so a new
plan replaces the old one when the new digest is recorded, not before.
"""

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO

import duckdb
from django.conf import settings
from django.db import DatabaseError, InterfaceError

from sis_sync.core.environment import MAX_FILE_MB
from sis_sync.core.errors import FileRefused
from sis_sync.core.limits import FILE_LIMITS
from sis_sync.core.refusals import SPLIT_NO_LIST
from sis_sync.core.whole_files import CHUNK_BYTES, OWNER_ONLY, replaced_whole, sync_file, sync_folder, write_whole
from sis_sync.engine.duckdb import Session, open_session
from sis_sync.server.errors import PlanDamaged
from sis_sync.server.place import require_room
from sis_sync.server.runs.models import Run
from sis_sync.steps.plan.plan import notes_of, plan_digest

DAMAGED_PLAN = "The stored plan cannot be read: it is damaged"
PLAN_AGAIN = (
    "Open the page of the run: a plan that waits is made again. If the run is over, the accounts and their history "
    "are right; only the rows of the run cannot be shown. Check the disk of the server: it lost part of this file."
)
MAX_NAME_BYTES = 255  # the limit of common file systems
READING_MEMORY_MB = 256
# Up to this size, one thread plans a file for few accounts, or applies a plan, as quickly as two. Measured with files
# of 10,000 to 30,000 rows, and with the plan of 10,000 new accounts.
SMALL_FILE_BYTES = 2_000_000
UNCHANGED = "unchanged.parquet"
REMEMBERED = """
COPY (
  SELECT line, custom_id FROM read_parquet([:changing, :unchanged], union_by_name = true)
  WHERE line IS NOT NULL AND custom_id <> '' ORDER BY line
) TO :target (FORMAT parquet)
"""


@dataclass(frozen=True)
class RunFiles:
    """The files of one run: the upload, the plan and its accounts (Parquet), two reports (CSV).

    `reading` is the result of the first reading, if some columns were removed from the upload after it. `refused` is
    a refused upload without its columns of secrets.
    `unchanged` contains the rows of the plan that change nothing, `notes` more of some of these, and `plan` all other
    rows. `findings` contains the groups of findings with examples (JSON). Like the plan, it contains people's data.
    `told` and `told_failed` contain what a sender without the scope read may see; they exist only if such a key sent
    the file. `remembered` contains the line and the custom ID of each row. A purge writes it when it removes the plan,
    if the guards still need it. The results are made when someone asks for them (results.py).
    """

    original: Path
    reading: Path
    refused: Path
    plan: Path
    unchanged: Path
    notes: Path
    seen: Path
    failed: Path
    findings: Path
    remembered: Path
    told: Path
    told_failed: Path

    @property
    def folder(self) -> Path:
        """Return the run's own folder."""
        return self.original.parent

    @property
    def stored_plan(self) -> tuple[Path, ...]:
        """Return the files from which the digest is computed."""
        return self.plan, self.unchanged, self.notes, self.seen

    def results_path(self, *, is_told: bool, is_whole: bool) -> Path:
        """Return the path of the results: as a sender without the scope read sees them, and with the unchanged rows."""
        return self.plan.with_name(f"{'told-' if is_told else ''}results{'' if is_whole else '-short'}.csv")

    @property
    def all_results(self) -> tuple[Path, ...]:
        """Return the paths of all results that may have been made."""
        return tuple(
            self.results_path(is_told=told, is_whole=whole) for told in (False, True) for whole in (False, True)
        )


@dataclass(frozen=True)
class StoredUpload:
    """An upload on disk that does not belong to a run yet."""

    path: Path
    size_bytes: int
    sha256: str


def run_files(run: Run) -> RunFiles:
    """Return the paths of the files of a run and of its plan. Depending on the state of the run, some do not exist."""
    return _files(data_folder() / "runs" / str(run.pk), run.plan_digest or "no-plan")


def _files(folder: Path, plan: str) -> RunFiles:
    return RunFiles(
        original=folder / "original",
        reading=folder / "reading.parquet",
        refused=folder / "refused",
        plan=folder / plan / "plan.parquet",
        unchanged=folder / plan / UNCHANGED,
        notes=notes_of(folder / plan / UNCHANGED),
        seen=folder / plan / "seen.parquet",
        failed=folder / plan / "failed.csv",
        findings=folder / plan / "findings.json",
        remembered=folder / "remembered.parquet",
        told=folder / plan / "told.parquet",
        told_failed=folder / plan / "told-failed.csv",
    )


@contextmanager
def new_plan_files(run: Run) -> Iterator[RunFiles]:
    """Yield the paths for a new plan. Remove the files afterwards unless the block adopts them."""
    files = _files(run_files(run).folder, f"being-made-{secrets.token_hex(8)}")
    files.plan.parent.mkdir(mode=0o700)
    try:
        yield files
    finally:
        shutil.rmtree(files.plan.parent, ignore_errors=True)


def adopt_plan(made: RunFiles, digest: str) -> None:
    """Flush the new files to disk and move them to their digest's folder. Call this before recording the digest."""
    new = list(made.plan.parent.iterdir())
    for path in new:
        path.chmod(OWNER_ONLY)
        sync_file(path)
    sync_folder(made.plan.parent)
    before = _files(made.folder, digest)
    if is_as_stored(before, digest) and all((before.plan.parent / path.name).is_file() for path in new):
        return  # the same plan was made before
    shutil.rmtree(before.plan.parent, ignore_errors=True)
    made.plan.parent.rename(before.plan.parent)
    sync_folder(made.folder)


def is_as_stored(files: RunFiles, digest: str) -> bool:
    """Return True if the files of the plan exist and have this digest."""
    return all(path.is_file() for path in files.stored_plan) and plan_digest(*files.stored_plan) == digest


def other_plans(run: Run, digest: str) -> list[Path]:
    """Return the folders of the run's plans with another digest. Call this before recording the digest."""
    return [folder for folder in run_files(run).folder.iterdir() if folder.is_dir() and folder.name != digest]


def forget_plans(folders: list[Path]) -> None:
    """Remove the folders of plans that were replaced."""
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


def data_folder() -> Path:
    """Return the folder for all data outside the database."""
    return Path(settings.SIS_SYNC_DATA_FOLDER)


def base_name(file_name: str) -> str:
    """Return the last part of a path of any system, without control characters, cut to its last 255 bytes."""
    last = file_name.replace("\\", "/").rsplit("/", 1)[-1]
    printable = "".join(character for character in last if character.isprintable())
    end = printable.encode()[-MAX_NAME_BYTES:].decode(errors="ignore")
    return end if end.strip(". ") else "roster.csv"


def store_upload(source: IO[bytes]) -> StoredUpload:
    """Copy an upload to disk and flush it. If this raises, nothing of it stays.

    Raise FileRefused `file.too_large` if it is above the limit, or DiskFull if the disk would lose its reserve.
    """
    folder = data_folder() / "incoming"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / secrets.token_hex(16)
    sha256 = write_whole(path, _chunks_within_limit(source))
    return StoredUpload(path, path.stat().st_size, sha256)


def _chunks_within_limit(source: IO[bytes]) -> Iterator[bytes]:
    size = 0
    while chunk := source.read(CHUNK_BYTES):
        size += len(chunk)
        require_room(len(chunk))
        if size > FILE_LIMITS.file_bytes:
            message = f"The file is larger than {FILE_LIMITS.file_bytes:,} bytes, which is the limit."
            fix = f"Leave columns out, or ask for a higher limit ({MAX_FILE_MB.name}). {SPLIT_NO_LIST}"
            raise FileRefused("file.too_large", message, fix=fix)
        yield chunk


def adopt_upload(upload: StoredUpload, files: RunFiles) -> None:
    """Make the upload the original of the run. Call it before the run is committed."""
    # A run that was never committed may have had the same ID and left files here.
    shutil.rmtree(files.folder, ignore_errors=True)
    files.folder.mkdir(mode=0o700, parents=True)
    upload.path.replace(files.original)
    sync_folder(files.folder)
    sync_folder(files.folder.parent)


@contextmanager
def taken_back_unless_committed(upload: StoredUpload, run: Run) -> Iterator[None]:
    """Remove the upload from the run's folder if the block, which commits the run, raises an error.

    Another upload may be the run's meanwhile. If the commit was done in spite of the error, the run has its file.
    """
    own = upload.path.stat()
    try:
        yield
    except BaseException:
        with suppress(OSError, DatabaseError, InterfaceError):
            original = run_files(run).original
            is_stored = Run.objects.filter(pk=run.pk).exclude(state=Run.State.FAILED).exists()
            if not is_stored and os.path.samestat(own, original.stat()):
                original.unlink()
        raise


@contextmanager
def work_folder(run_id: int) -> Iterator[Path]:
    """Yield an empty folder for one job of the run. Remove files that a killed worker left."""
    # A frozen worker that wakes up after another took its job over must not write into, or remove, the other's folder.
    folder = data_folder() / "work" / f"run-{run_id}-{secrets.token_hex(4)}"
    clear_work(run_id)
    folder.mkdir(mode=0o700, parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def work_folders(run_id: int) -> list[Path]:
    """Return the work folders of the run's jobs: of one that runs, and of those whose worker was killed."""
    return list((data_folder() / "work").glob(f"run-{run_id}-*"))


def clear_work(run_id: int) -> None:
    """Remove the work folders that killed workers left. They may contain the uploaded file, with passwords."""
    for left in work_folders(run_id):
        shutil.rmtree(left, ignore_errors=True)


def clear_incoming(*, before: datetime) -> int:
    """Remove uploads whose process was killed before it recorded a run. Return how many."""
    number = 0
    for path in (data_folder() / "incoming").glob("*"):
        with suppress(FileNotFoundError):  # its request has just recorded it, or removed it
            if path.stat().st_mtime < before.timestamp():
                path.unlink()
                number += 1
    return number


def remove_original(run_id: int) -> None:
    """Remove the file of a run that has no plan. It may contain passwords, which only planning removes."""
    (data_folder() / "runs" / str(run_id) / "original").unlink(missing_ok=True)


def forget_what_has_no_plan(run: Run) -> None:
    """Remove the plans of a cancelled run that it does not record, and its upload if it was never planned."""
    if not run_files(run).folder.is_dir():
        return
    forget_plans(other_plans(run, run.plan_digest))
    if run.planned_at is None:
        remove_original(run.pk)


def cancel_marker(run_id: int) -> Path:
    """Return the file that exists once someone has asked to cancel the run. It names who asked."""
    return data_folder() / "runs" / str(run_id) / "cancel"


def remember_last_rows(run: Run) -> None:
    """Store the lines and custom IDs of the plan's rows, and nothing else of it. Do nothing if the plan is gone."""
    files = run_files(run)
    if files.remembered.is_file() or not (files.plan.is_file() and files.unchanged.is_file()):
        return
    with replaced_whole(files.remembered) as draft, reading_session() as session:
        session.run(REMEMBERED, changing=str(files.plan), unchanged=str(files.unchanged), target=str(draft))


def reading_session() -> AbstractContextManager[Session]:
    """Open a small session that reads stored plans for a page or a decision."""
    return open_session(memory_limit_mb=READING_MEMORY_MB, threads=1)


@contextmanager
def unless_gone(*plan: Path) -> Iterator[None]:
    """Leave the block without an error if a file of the plan is gone: it is being made or replaced, or was removed.

    Raise PlanDamaged if the files are there and cannot be read.
    """
    try:
        yield
    except duckdb.Error as error:
        if all(path.is_file() for path in plan):
            raise PlanDamaged(f"{DAMAGED_PLAN}.", fix=PLAN_AGAIN) from error


def is_plan_damaged(run: Run) -> bool:
    """True if the files of the plan are there, but one of them is cut off or no table."""
    files = run_files(run)
    try:
        with unless_gone(files.plan, files.unchanged), reading_session() as session:
            for path in (files.plan, files.unchanged):
                session.value("SELECT count(*) FROM read_parquet(:path)", path=str(path))
    except PlanDamaged:
        return True
    return False


def run_session(folder: Path, *, is_small: bool = False) -> AbstractContextManager[Session]:
    """Open a session for planning or applying. Above the server's memory limit it writes to `folder`.

    `is_small`: use one thread, because sharing little work costs more than it saves.
    """
    return open_session(
        temp_folder=folder,
        memory_limit_mb=settings.SIS_SYNC_MEMORY_MB,
        threads=1 if is_small else settings.SIS_SYNC_THREADS,
    )
