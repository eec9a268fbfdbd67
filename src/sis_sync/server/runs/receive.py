"""A file comes in: stored first, recorded then, planned by a job."""

from datetime import datetime
from typing import IO

from django.db import IntegrityError, transaction

from sis_sync.core.errors import NotPermitted, UsageFault
from sis_sync.core.modes import MODES
from sis_sync.server.accounts.models import Account
from sis_sync.server.audit.services import record
from sis_sync.server.jobs.models import Job
from sis_sync.server.jobs.queue import enqueue
from sis_sync.server.keys.models import ApiKey
from sis_sync.server.orgs.models import Org, SchoolSystem
from sis_sync.server.runs.errors import FileDamaged, IdempotencyKeyReused
from sis_sync.server.runs.models import Run
from sis_sync.server.runs.storage import StoredUpload, adopt_upload, base_name, run_files, store_upload


def receive_run(
    *,
    school_system: SchoolSystem,
    scope_org: Org,
    mode: str,
    file: IO[bytes],
    file_name: str,
    mapping_lines: str = "",
    mapping_name: str = "",
    uploaded_by: Account | None = None,
    api_key: ApiKey | None = None,
    idempotency_key: str | None = None,
    sha256: str | None = None,
    now: datetime,
) -> Run:
    """The run of this file, stored and queued for planning; the same run again for the same idempotency key.

    `file` holds the plain bytes (a gzip is unpacked by the caller). `sha256` in hex, if the sender knows it.
    Raises UsageFault for an unknown mode, FileDamaged, IdempotencyKeyReused, NotPermitted, FileRefused.
    """
    _check(school_system, scope_org, mode)
    upload = store_upload(file)
    try:
        _check_sum(upload, sha256)
        run = Run(
            school_system=school_system,
            scope_org=scope_org,
            mode=mode,
            file_name=base_name(file_name),
            file_size_bytes=upload.size_bytes,
            file_sha256=upload.sha256,
            mapping_lines=mapping_lines,
            mapping_name=mapping_name,
            uploaded_by=uploaded_by,
            api_key=api_key,
            idempotency_key=idempotency_key,
            received_at=now,
        )
        return _earlier(run) or _record(run, upload, now)
    finally:
        upload.path.unlink(missing_ok=True)


def _check(school_system: SchoolSystem, scope_org: Org, mode: str) -> None:
    if mode not in MODES:
        raise UsageFault(f'There is no mode "{mode}".', fix=f"The modes are {', '.join(MODES)}.")
    if scope_org.school_system_id != school_system.pk:
        raise NotPermitted("The org belongs to another school system.")


def _check_sum(upload: StoredUpload, sha256: str | None) -> None:
    if sha256 and sha256.lower() != upload.sha256:
        raise FileDamaged(
            "The file that arrived has another SHA-256 than the one sent with it. Nothing was stored.",
            fix="Send it again.",
        )


def _earlier(run: Run) -> Run | None:
    """The run that the same key made before, if it was of the same file, mode and mapping."""
    if not run.idempotency_key:
        return None
    earlier = Run.objects.filter(api_key=run.api_key, idempotency_key=run.idempotency_key).first()
    if earlier and _body(earlier) != _body(run):
        raise IdempotencyKeyReused(
            f"This idempotency key belongs to run {earlier.pk}, which had another file, mode or mapping.",
            fix="Use a new key for each file.",
        )
    return earlier


def _body(run: Run) -> tuple[str, str, str, str]:
    return run.file_sha256, run.mode, run.mapping_lines, run.mapping_name


def _record(run: Run, upload: StoredUpload, now: datetime) -> Run:
    try:
        with transaction.atomic():
            run.save()
            adopt_upload(upload, run_files(run))
            enqueue(kind=Job.Kind.PLAN, run=run, now=now)
            record(
                school_system=run.school_system,
                action="run.received",
                actor=run.uploaded_by,
                api_key=run.api_key,
                detail={"run": run.pk, "mode": run.mode, "bytes": run.file_size_bytes},
                now=now,
            )
    except IntegrityError:
        # The same key came twice at once, and the other was first.
        if earlier := _earlier(run):
            return earlier
        raise
    return run
