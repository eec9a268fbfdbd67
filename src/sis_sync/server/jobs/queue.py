"""The job queue: adds jobs, selects the next one, and moves a job from state to state by compare-and-set.

The caller must have the lock on the job's school system (lock.py).
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Case, F, Max, Q, QuerySet, When
from django.db.models.functions import Now

from sis_sync.core.place_faults import PlaceFault
from sis_sync.server.jobs.models import Job, Turn
from sis_sync.server.jobs.wake import wake_workers

if TYPE_CHECKING:
    from sis_sync.server.runs.models import Run

OPEN_STATES = (Job.State.RUNNING, Job.State.QUEUED)
# A job that waits for the place is tried again after as long as it has waited, within these limits.
SHORTEST_PAUSE, LONGEST_PAUSE = timedelta(seconds=5), timedelta(seconds=60)


def enqueue(*, kind: str, run: Run, now: datetime) -> Job:
    """Queue a job of this kind for the run, unless one is already waiting. Return the waiting job.

    Call it in the transaction of the change that needs the job, so that both are stored or neither is.
    """
    waiting = Job.objects.filter(kind=kind, run=run, state=Job.State.QUEUED).first()
    if waiting:
        return waiting
    wake_workers()
    return Job.objects.create(kind=kind, run=run, queued_at=now)


def next_job(*, busy_systems: Collection[int], tried: Collection[int], now: datetime) -> Job | None:
    """Return the next open job, except tried jobs, jobs of busy school systems, and jobs that wait for the place.

    The school systems take turns, so that the many files of one do not delay another by more than one job. Within a
    school system the oldest job is next, and apply jobs go before plan jobs. Passwords come last of all, but may be
    prepared while their school system is busy.
    """
    # A time beyond the longest pause was stored while the clock was wrong.
    is_due = Q(tries_again_at=None) | Q(tries_again_at__lte=now) | Q(tries_again_at__gt=now + LONGEST_PAUSE)
    jobs = Job.objects.filter(is_due, state__in=OPEN_STATES).exclude(pk__in=tried)
    is_prepare = Q(kind=Job.Kind.PREPARE)
    jobs = jobs.exclude(Q(run__school_system__in=busy_systems) & ~is_prepare)
    turn = F("run__school_system__job_turn__number").asc(nulls_first=True)
    comes_last = Case(When(is_prepare, then=1), default=0)
    return jobs.select_related("run").order_by(comes_last, turn, "kind", "pk").first()  # "apply" sorts before "plan"


def begin(job: Job, *, now: datetime) -> bool:
    """Count an attempt and mark the job as running. Return False if another worker has done the job meanwhile.

    An attempt takes the turn of its school system, also if its worker dies: a file that kills workers delays no one
    more than another file.
    """
    unchanged = Job.objects.filter(pk=job.pk, state=job.state, attempts=job.attempts)
    started = {"started_at": now, "beat_at": Now(), "waits_for": "", "tries_again_at": None}
    with transaction.atomic():
        if not unchanged.update(state=Job.State.RUNNING, attempts=F("attempts") + 1, **started):
            return False
        newest = Turn.objects.aggregate(newest=Max("number"))["newest"] or 0
        Turn.objects.update_or_create(school_system_id=job.run.school_system_id, defaults={"number": newest + 1})
    job.refresh_from_db()
    return True


def beat(job: Job) -> bool:
    """Record a sign of life of the job's worker. Return False if another worker has taken the job over."""
    return _running(job).update(beat_at=Now()) == 1


def finish(job: Job, *, now: datetime) -> None:
    """Mark the job as done."""
    _running(job).update(state=Job.State.DONE, ended_at=now)


def continue_later(job: Job) -> None:
    """Put a running job back into the queue. It did a part of its work, so its attempts count from zero."""
    _running(job).update(state=Job.State.QUEUED, attempts=0)


def queue_again(job: Job, *, counts: bool) -> None:
    """Put a running job back into the queue. Undo the count of the attempt unless it `counts`."""
    _running(job).update(state=Job.State.QUEUED, attempts=F("attempts") - (0 if counts else 1))


def wait_for_place(job: Job, fault: PlaceFault, *, is_begun: bool, now: datetime) -> None:
    """Let the job wait until the fault is over, and try it again then. An attempt that has begun does not count."""
    since = job.waits_since or now
    pause = min(max(now - since, SHORTEST_PAUSE), LONGEST_PAUSE)
    unchanged = Job.objects.filter(pk=job.pk, state=job.state, attempts=job.attempts)
    unchanged.update(
        state=Job.State.QUEUED,
        attempts=F("attempts") - int(is_begun),
        waits_for=fault,
        waits_since=since,
        tries_again_at=now + pause,
    )


def waited_seconds(job: Job, *, now: datetime) -> float:
    """Return for how long the job has waited for the place, 0 if it did not have to."""
    return (now - job.waits_since).total_seconds() if job.waits_since else 0.0


def give_up(job: Job, *, reference: str, now: datetime) -> None:
    """Mark the job as failed. `reference` finds the error in the log."""
    open_job = Job.objects.filter(pk=job.pk, state__in=OPEN_STATES)
    open_job.update(state=Job.State.FAILED, reference=reference, ended_at=now)


def _running(job: Job) -> QuerySet[Job]:
    return Job.objects.filter(pk=job.pk, state=Job.State.RUNNING, attempts=job.attempts)
