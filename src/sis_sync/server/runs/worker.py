"""The worker: takes a job, locks its school system while the job runs, and records the outcome.

If a job in state `running` has a free lock, its worker died. Another worker resumes it at once.
"""

import logging
import math
import secrets
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection, transaction
from django.utils import timezone

from sis_sync.core.place_faults import PlaceFault, fault_of, is_over_own_limit
from sis_sync.server.jobs.lock import end_frozen_holder, jobs_lock, named_lock, passwords_lock
from sis_sync.server.jobs.models import Job
from sis_sync.server.jobs.queue import (
    OPEN_STATES,
    begin,
    continue_later,
    finish,
    give_up,
    next_job,
    queue_again,
    wait_for_place,
    waited_seconds,
)
from sis_sync.server.jobs.wake import Rest
from sis_sync.server.logs import WithoutValues
from sis_sync.server.place import PLACE_WORDS, has_room, log_place_fault, name_fault
from sis_sync.server.runs.cancel import cancel_as_asked, is_cancel_asked
from sis_sync.server.runs.expiry import expire_waiting
from sis_sync.server.runs.files import clear_incoming, clear_work
from sis_sync.server.runs.fit import plan_misfits_again
from sis_sync.server.runs.flow import apply_run, fail_run, plan_run, refuse_endless, refuse_for_memory
from sis_sync.server.runs.passwords import forget_passwords_left, give_up_passwords, prepare_passwords
from sis_sync.server.runs.purge.daily import DailyPurge
from sis_sync.server.runs.watch import JobWatch

logger = logging.getLogger(__name__)

MAX_ATTEMPTS = 3
POLL_SECONDS = 0.5
PLACE_PAUSE_SECONDS = 5.0
HOUSEKEEPING_EVERY = timedelta(minutes=1)
UPLOAD_TAKES_AT_MOST = timedelta(days=1)

Clock = Callable[[], datetime]
Leave = Callable[[], None]


def work_until_idle(*, clock: Clock = timezone.now) -> int:
    """Do all open jobs in this process. Return how many were started."""
    begun = 0
    while work_once(clock=clock):
        begun += 1
    return begun


def work_forever(stop: threading.Event, *, clock: Clock = timezone.now, leave: Leave | None = None) -> None:
    """Do jobs until `stop` is set. On SQLite only one worker does jobs; others wait until it ends.

    `leave` ends this process at once, because a cancelled job does not give way. Another worker goes on.
    """
    if connection.vendor == "postgresql":
        _loop(stop, clock, leave)
        return
    while not stop.is_set():
        try:
            with named_lock("worker") as is_free:
                if is_free:
                    _loop(stop, clock, leave)
        except OSError as error:
            log_place_fault(error)
        stop.wait(POLL_SECONDS)


def work_once(*, clock: Clock = timezone.now, leave: Leave | None = None) -> bool:
    """Do the next job of a school system that no other worker has locked. Return True if there was one.

    The jobs of one school system run one at a time, and approved plans are applied before other files are planned.
    Otherwise a plan would use accounts that are about to change, and its guards would miss people who leave. Passwords
    are prepared in short slices if there is nothing else to do, by one worker of the installation at a time.
    """
    busy: set[int] = set()
    tried: set[int] = set()
    while job := next_job(busy_systems=busy, tried=tried, now=clock()):
        is_of_system = job.kind != Job.Kind.PREPARE
        with jobs_lock(job.run.school_system_id) if is_of_system else passwords_lock() as is_free:
            if is_free and _claim(job, clock()):
                _perform(job, clock, leave)
                return True
        if is_free:
            tried.add(job.pk)
        elif end_frozen_holder(job.run.school_system_id if is_of_system else None):
            logger.warning("the worker of job %s (%s of run %s) shows no sign of life", job.pk, job.kind, job.run_id)
        elif is_of_system:
            busy.add(job.run.school_system_id)
        else:
            tried.add(job.pk)
    return False


def _loop(stop: threading.Event, clock: Clock, leave: Leave | None) -> None:
    daily_purge = DailyPurge()
    rest = Rest()
    keeps_house_at = clock()
    while not stop.is_set():
        try:
            if clock() >= keeps_house_at:  # also while there are jobs: passwords may take hours
                keeps_house_at = clock() + HOUSEKEEPING_EVERY  # first: if it fails, jobs come before the next try
                keep_house(now=clock())
                daily_purge.do_piece(now=clock())
            if not (work_once(clock=clock, leave=leave) or daily_purge.do_piece(now=clock())):
                rest.until_woken(stop, POLL_SECONDS)
        except (DatabaseError, InterfaceError, OSError, MemoryError) as error:
            log_place_fault(error)
            connection.close()
            stop.wait(PLACE_PAUSE_SECONDS)


def keep_house(*, now: datetime) -> None:
    """Close expired plans, make those again that no longer fit, and remove what killed processes left."""
    expire_waiting(now=now)
    plan_misfits_again(now=now)
    clear_incoming(before=now - UPLOAD_TAKES_AT_MOST)
    forget_passwords_left()


def _claim(job: Job, now: datetime) -> bool:
    """Start the job; the caller has its lock. Return False if another worker did it or it was tried too often."""
    job.refresh_from_db()
    if job.state not in OPEN_STATES:
        return False
    if job.kind != Job.Kind.PREPARE:  # a PREPARE job has no work folder, and another lock than the other jobs
        clear_work(job.run_id)  # even if this attempt ends before its work begins
    if not has_room():
        wait_for_place(job, PlaceFault.DISK_FULL, is_begun=False, now=now)
        return False
    if job.attempts >= MAX_ATTEMPTS:
        _end_in_failure(job, "its worker stopped three times", now)
        return False
    return begin(job, now=now)


def _perform(job: Job, clock: Clock, leave: Leave | None) -> None:
    is_unfinished: bool | None = False
    # Only a plan has a limit: later, a person or a policy has approved the work.
    limit = settings.SIS_SYNC_PLAN_SECONDS if job.kind == Job.Kind.PLAN else math.inf
    watch = JobWatch(job, leave, limit, lambda: refuse_endless(job.run_id, seconds=int(limit), now=clock()))
    try:
        if not cancel_as_asked(job.run_id, now=clock()):
            with watch.watching():
                is_unfinished = _step_of(job)(job.run_id, now=clock())
            cancel_as_asked(job.run_id, now=clock())
    except Exception as error:
        _after_stop(job, error, watch, clock)
    except BaseException:
        # The process must stop. The job did not fail, so do not count the attempt.
        queue_again(job, counts=False)
        raise
    else:
        _until_stored(lambda: continue_later(job) if is_unfinished else finish(job, now=clock()))


def _step_of(job: Job) -> Callable[..., bool | None]:
    """Return the function that does the job. It returns True if it did only a part of its work."""
    steps: dict[str, Callable[..., bool | None]] = {
        Job.Kind.PLAN: plan_run,
        Job.Kind.APPLY: apply_run,
        Job.Kind.PREPARE: prepare_passwords,
    }
    return steps[job.kind]


def _until_stored(store: Callable[[], None]) -> None:
    """Try until the database stores how the job ended. Otherwise its attempt would count as one that was killed."""
    while True:
        try:
            store()
        except (DatabaseError, InterfaceError) as error:
            if connection.in_atomic_block:  # the transaction of a caller has failed, so no retry can store anything
                raise
            log_place_fault(error)
            connection.close()
            time.sleep(PLACE_PAUSE_SECONDS)
        else:
            return


def _after_stop(job: Job, error: Exception, watch: JobWatch, clock: Clock) -> None:
    """Record how the job of an unfinished step goes on: its run has ended, it waits for the place, or it failed."""
    if is_cancel_asked(job.run_id):
        is_cancelled = cancel_as_asked(job.run_id, now=clock())
        # If not, the run had ended before: its job is to find that out.
        _until_stored(lambda: finish(job, now=clock()) if is_cancelled else queue_again(job, counts=False))
    elif watch.is_overdue:
        _until_stored(watch.end_overdue)
        _until_stored(lambda: finish(job, now=clock()))
    elif watch.seconds <= waited_seconds(job, now=clock()) and is_over_own_limit(error):
        _until_stored(lambda: refuse_for_memory(job.run_id, memory_mb=settings.SIS_SYNC_MEMORY_MB, now=clock()))
        _until_stored(lambda: finish(job, now=clock()))
    elif fault := fault_of(error):
        named = name_fault(fault)
        logger.warning("job %s (%s of run %s) waits: %s", job.pk, job.kind, job.run_id, PLACE_WORDS[named])
        _until_stored(lambda: wait_for_place(job, named, is_begun=True, now=clock()))
    else:
        _after_error(job, error, clock())


def _after_error(job: Job, error: Exception, now: datetime) -> None:
    trace = WithoutValues().formatException((type(error), error, error.__traceback__))
    if job.attempts >= MAX_ATTEMPTS:
        _end_in_failure(job, trace, now)
        return
    logger.warning("job %s (%s of run %s), attempt %s: %s", job.pk, job.kind, job.run_id, job.attempts, trace)
    queue_again(job, counts=True)


def _end_in_failure(job: Job, cause: str, now: datetime) -> None:
    reference = secrets.token_hex(4)
    logger.error("job %s (%s of run %s) failed, reference %s: %s", job.pk, job.kind, job.run_id, reference, cause)
    with transaction.atomic():
        fail_run(job.run_id, reference=reference)
        if job.kind == Job.Kind.PREPARE:
            give_up_passwords(job.run_id, now=now)
        give_up(job, reference=reference, now=now)
