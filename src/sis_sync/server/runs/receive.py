"""Receives an upload: stores the file, records its run and queues the plan. An idempotency key prevents repeats."""

from dataclasses import dataclass
from datetime import datetime
from typing import IO, Any

from django.db import IntegrityError, transaction

from sis_sync.core.errors import NotPermitted, UsageFault
from sis_sync.core.modes import MODES
from sis_sync.core.reading_options import NOTHING_SAID, ReadingOptions
from sis_sync.server.accounts.models import Account
from sis_sync.server.audit.services import record
from sis_sync.server.errors import FileDamaged, IdempotencyKeyReused
from sis_sync.server.jobs.models import Job
from sis_sync.server.jobs.queue import enqueue
from sis_sync.server.keys.models import ApiKey
from sis_sync.server.lock_wait import refuse_if_locked
from sis_sync.server.orgs.models import Org
from sis_sync.server.runs.files import (
    StoredUpload,
    adopt_upload,
    base_name,
    run_files,
    store_upload,
    taken_back_unless_committed,
)
from sis_sync.server.runs.models import Run
from sis_sync.server.runs.states import State, move


@dataclass(frozen=True, kw_only=True)
class Upload:
    """A file with the mode, mapping, reading options and scope that its sender chose.

    `scope_org` limits what the run may change. `file` yields the plain bytes: the caller unpacks gzip. `by` is the
    person or key that sent it, None for the server itself. `sha256` is in hex, empty if the sender does not know it.
    `based_on` is the run whose failed rows the file corrects.
    """

    scope_org: Org
    mode: str
    file: IO[bytes]
    file_name: str
    mapping_lines: str = ""
    mapping_name: str = ""
    options: ReadingOptions = NOTHING_SAID
    by: Account | ApiKey | None = None
    idempotency_key: str | None = None
    sha256: str = ""
    based_on: Run | None = None


def receive_run(upload: Upload, *, now: datetime) -> Run:
    """Store the upload and return its run, queued for planning.

    Return the earlier run if the same key has already sent the same upload with the same idempotency key. If that run
    failed, it begins again with this file.
    Raise UsageFault for an unknown mode, NotPermitted, FileDamaged, FileRefused or IdempotencyKeyReused. Raise DiskFull
    or OperationalError if the file cannot be taken now; then nothing of it stays.
    """
    if upload.mode not in MODES:
        raise UsageFault(f'There is no mode "{upload.mode}".', fix=f"The modes are {', '.join(MODES)}.")
    if upload.by and upload.by.school_system_id != upload.scope_org.school_system_id:
        raise NotPermitted("The org belongs to another school system.")
    refuse_if_locked()  # before the file is copied, which may take long
    stored = store_upload(upload.file)
    try:
        if upload.sha256 and upload.sha256.lower() != stored.sha256:
            raise FileDamaged(
                "The file that arrived has another SHA-256 than the one sent with it. Nothing was stored.",
                fix="Send it again.",
            )
        run = _new_run(upload, stored, now)
        earlier = _earlier_run(run)
        if earlier and earlier.state == State.FAILED:
            return _begin_again(earlier, stored, upload.by, now)
        return earlier or _record(run, stored, upload.by, now)
    finally:
        stored.path.unlink(missing_ok=True)


def _new_run(upload: Upload, stored: StoredUpload, now: datetime) -> Run:
    return Run(
        school_system=upload.scope_org.school_system,
        scope_org=upload.scope_org,
        mode=upload.mode,
        based_on=upload.based_on,
        file_name=base_name(upload.file_name),
        file_size_bytes=stored.size_bytes,
        file_sha256=stored.sha256,
        mapping_lines=upload.mapping_lines,
        mapping_name=upload.mapping_name,
        reading_options=upload.options.as_words(),
        uploaded_by=upload.by if isinstance(upload.by, Account) else None,
        api_key=upload.by if isinstance(upload.by, ApiKey) else None,
        idempotency_key=upload.idempotency_key,
        received_at=now,
    )


def _earlier_run(run: Run) -> Run | None:
    """Return the run that the same key sent with the same idempotency key.

    Raise IdempotencyKeyReused if that run has another file, mode, mapping or reading options.
    """
    if not run.idempotency_key:
        return None
    earlier = Run.objects.filter(api_key=run.api_key, idempotency_key=run.idempotency_key).first()
    if earlier and _body(earlier) != _body(run):
        raise IdempotencyKeyReused(
            f"This idempotency key belongs to run {earlier.pk}, which had another file, mode, mapping or encoding.",
            fix="Use a new key for each file.",
        )
    return earlier


def _body(run: Run) -> tuple[str, str, str, str, dict[str, str]]:
    return run.file_sha256, run.mode, run.mapping_lines, run.mapping_name, run.reading_options


def _begin_again(run: Run, stored: StoredUpload, by: Account | ApiKey | None, now: datetime) -> Run:
    """Take the file of a failed run once more. The run keeps its place among the others, but not its decision."""
    undecided = {"refusal": None, "decided_at": None, "is_approved_by_policy": False, "decision_reason": ""}
    unplanned: dict[str, Any] = {
        "plan_digest": "",
        "planned_at": None,
        "counts": {},
        "guards": [],
        "findings": {},
        "file_facts": {},
        "file_removed_at": None,
        "report_removed_at": None,
    }
    with taken_back_unless_committed(stored, run), transaction.atomic():
        if move(run.pk, (State.FAILED,), State.RECEIVED, **undecided, **unplanned):
            run.refresh_from_db()
            _take(run, stored, by, now)
    run.refresh_from_db()
    return run


def _record(run: Run, stored: StoredUpload, by: Account | ApiKey | None, now: datetime) -> Run:
    try:
        with taken_back_unless_committed(stored, run), transaction.atomic():
            run.save()
            _take(run, stored, by, now)
    except IntegrityError:
        # Another upload with the same idempotency key arrived at the same time and was stored first.
        if earlier := _earlier_run(run):
            return earlier
        raise
    return run


def _take(run: Run, stored: StoredUpload, by: Account | ApiKey | None, now: datetime) -> None:
    adopt_upload(stored, run_files(run))
    enqueue(kind=Job.Kind.PLAN, run=run, now=now)
    detail = {"run": run.pk, "mode": run.mode, "bytes": run.file_size_bytes}
    record(school_system=run.school_system, action="run.received", by=by, detail=detail, now=now)
