"""The services of runs: what pages, the API and jobs may do to one."""

from datetime import datetime
from typing import IO, Any

from django.db import IntegrityError, transaction

from sis_sync.core.errors import NotPermitted, RunClosed, UsageFault
from sis_sync.core.limits import DELETIONS_WITHOUT_TYPING, PLAN_EXPIRES_AFTER
from sis_sync.core.modes import MODES
from sis_sync.server.accounts.models import Account
from sis_sync.server.audit.services import record
from sis_sync.server.errors import DeletionsNotTyped, FileDamaged, IdempotencyKeyReused, PlanDiffers
from sis_sync.server.jobs.models import Job
from sis_sync.server.jobs.queue import enqueue
from sis_sync.server.keys.models import ApiKey
from sis_sync.server.orgs.models import Org, SchoolSystem
from sis_sync.server.runs.files import StoredUpload, adopt_upload, base_name, run_files, store_upload
from sis_sync.server.runs.models import Run
from sis_sync.server.runs.permission import check_approver, check_key, check_key_limits, check_person, leaving
from sis_sync.server.runs.states import CLOSED_WORDS, DECIDABLE, State, move


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


MAX_REASON_CHARACTERS = 500


def approve_run(
    *,
    run: Run,
    digest: str,
    actor: Account | None = None,
    api_key: ApiKey | None = None,
    typed_deletions: int | None = None,
    now: datetime,
) -> Run:
    """The run, approved and queued for applying. Exactly one of `actor` and `api_key` approves.

    Raises PlanDiffers if `digest` is not that of the present plan, DeletionsNotTyped where more than 10 accounts
    would leave and their number was not given, NotPermitted, RunClosed. The same approval twice is one.
    """
    run = Run.objects.select_related("scope_org", "school_system").get(pk=run.pk)
    _check_one(actor, api_key)
    if actor:
        check_approver(run=run, actor=actor)
    if api_key:
        check_key_limits(run=run, api_key=api_key)
    if run.state in (State.APPROVED, State.APPLYING, State.APPLIED) and _is_repeat(run, digest, actor, api_key):
        return run
    _check_open(run, now)
    _check_plan(run, digest)
    if actor:
        _check_typed(run, typed_deletions)
    with transaction.atomic():
        _decide(run, State.APPROVED, {"plan_digest": run.plan_digest}, actor, api_key, now, reason="")
        enqueue(kind=Job.Kind.APPLY, run=run, now=now)
    return _fresh(run)


def reject_run(
    *, run: Run, reason: str, actor: Account | None = None, api_key: ApiKey | None = None, now: datetime
) -> Run:
    """The run, rejected: nothing of it is ever applied. UsageFault without a reason, NotPermitted, RunClosed."""
    run = Run.objects.select_related("scope_org", "school_system").get(pk=run.pk)
    _check_one(actor, api_key)
    if actor:
        check_person(run=run, actor=actor)
    if api_key:
        check_key(run=run, api_key=api_key)
    if not reason.strip():
        raise UsageFault("A rejection needs a reason.", fix="Say why, for those who read the history.")
    _check_open(run, now)
    with transaction.atomic():
        _decide(run, State.REJECTED, {}, actor, api_key, now, reason=reason.strip()[:MAX_REASON_CHARACTERS])
    return _fresh(run)


def expire_waiting(*, now: datetime) -> int:
    """Close the plans that nobody decided for 7 days; how many."""
    waiting = Run.objects.filter(state__in=DECIDABLE, planned_at__lt=now - PLAN_EXPIRES_AFTER)
    return sum(move(run_id, DECIDABLE, State.EXPIRED) for run_id in waiting.values_list("pk", flat=True))


def _check_one(actor: Account | None, api_key: ApiKey | None) -> None:
    if (actor is None) == (api_key is None):
        raise TypeError("a run is decided by an actor or by an API key")


def _is_repeat(run: Run, digest: str, actor: Account | None, api_key: ApiKey | None) -> bool:
    decider = (actor.pk if actor else None, api_key.pk if api_key else None)
    return digest == run.plan_digest and decider == (run.decided_by_id, run.decided_by_key_id)


def _check_open(run: Run, now: datetime) -> None:
    if run.state in DECIDABLE and run.planned_at and run.planned_at < now - PLAN_EXPIRES_AFTER:
        move(run.pk, DECIDABLE, State.EXPIRED)
        run.state = State.EXPIRED
    if run.state not in DECIDABLE:
        raise _closed(run)


def _closed(run: Run) -> RunClosed:
    return RunClosed(
        f"Run {run.pk} cannot be decided. {CLOSED_WORDS.get(run.state, '')}".strip(),
        fix="Look at the run's page for what it needs, if anything.",
    )


def _check_plan(run: Run, digest: str) -> None:
    if digest != run.plan_digest:
        raise PlanDiffers(
            f"The plan of run {run.pk} is not the one that was shown.", fix="Look at it again, then decide."
        )


def _check_typed(run: Run, typed_deletions: int | None) -> None:
    number = leaving(run)
    if number > DELETIONS_WITHOUT_TYPING and typed_deletions != number:
        raise DeletionsNotTyped(
            f"{number:,} accounts would leave. The number that was typed is "
            f"{'none' if typed_deletions is None else f'{typed_deletions:,}'}. Nothing was approved.",
            fix=f"Type {number:,} to approve.",
        )


def _decide(
    run: Run,
    to_state: str,
    must_match: dict[str, Any],
    actor: Account | None,
    api_key: ApiKey | None,
    now: datetime,
    *,
    reason: str,
) -> None:
    decided = Run.objects.filter(pk=run.pk, state__in=DECIDABLE, **must_match).update(
        state=to_state,
        decided_at=now,
        decided_by=actor,
        decided_by_key=api_key,
        is_approved_by_policy=False,
        decision_reason=reason,
    )
    if not decided:
        raise _closed(_fresh(run))
    record(
        school_system=run.school_system,
        action=f"run.{to_state}",
        actor=actor,
        api_key=api_key,
        detail={"run": run.pk, "digest": run.plan_digest, "counts": run.counts},
        now=now,
    )


def _fresh(run: Run) -> Run:
    run.refresh_from_db()
    return run


__all__ = ["approve_run", "receive_run", "reject_run"]
