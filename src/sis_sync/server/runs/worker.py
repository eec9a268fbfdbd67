"""The worker: takes a job, locks its school system while the job runs, and records the outcome.

If a job in state `running` has a free lock, its worker died. Another worker resumes it at once.
"""

import logging
import secrets
import threading
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import DatabaseError, InterfaceError, connection
from django.utils import timezone

from sis_sync.core.errors import EngineUnavailable
from sis_sync.server.jobs.lock import jobs_lock, named_lock
from sis_sync.server.jobs.models import Job
from sis_sync.server.jobs.queue import OPEN_STATES, begin, finish, give_up, next_job, queue_again
from sis_sync.server.logs import WithoutValues
from sis_sync.server.runs.expiry import expire_waiting
from sis_sync.server.runs.files import clear_incoming
from sis_sync.server.runs.flow import apply_run, fail_run, plan_run

logger = logging.getLogger(__name__)

MAX_ATTEMPTS = 3
POLL_SECONDS = 0.5
DATABASE_PAUSE_SECONDS = 1.0
ENGINE_PAUSE_SECONDS = 20.0  # Spark restarts within two pauses
HOUSEKEEPING_EVERY = 120  # polls without a job: about a minute
UPLOAD_TAKES_AT_MOST = timedelta(days=1)

Clock = Callable[[], datetime]


def work_until_idle(*, clock: Clock = timezone.now) -> int:
    """Do all open jobs in this process. Return how many were started."""
    begun = 0
    while work_once(clock=clock):
        begun += 1
    return begun


def work_forever(stop: threading.Event, *, clock: Clock = timezone.now) -> None:
    """Do jobs until `stop` is set. On SQLite only one worker does jobs; others wait until it ends."""
    if connection.vendor == "postgresql":
        _loop(stop, clock)
        return
    while not stop.is_set():
        with named_lock("worker") as is_free:
            if is_free:
                _loop(stop, clock)
        stop.wait(POLL_SECONDS)


def work_once(*, clock: Clock = timezone.now) -> bool:
    """Do the next job of a school system that no other worker has locked. Return True if there was one.

    The jobs of one school system run one at a time, and approved plans are applied before other files are planned.
    Otherwise a plan would use accounts that are about to change, and its guards would miss people who leave.
    """
    busy: set[int] = set()
    tried: set[int] = set()
    while job := next_job(busy_systems=busy, tried=tried):
        with jobs_lock(job.run.school_system_id) as is_free:
            if is_free and _claim(job, clock()):
                _perform(job, clock)
                return True
        if is_free:
            tried.add(job.pk)
        else:
            busy.add(job.run.school_system_id)
    return False


def _loop(stop: threading.Event, clock: Clock) -> None:
    idle_polls = 0
    while not stop.is_set():
        try:
            if work_once(clock=clock):
                continue
            if idle_polls % HOUSEKEEPING_EVERY == 0:
                expire_waiting(now=clock())
                clear_incoming(before=clock() - UPLOAD_TAKES_AT_MOST)
            idle_polls += 1
            stop.wait(POLL_SECONDS)
        except (DatabaseError, InterfaceError) as error:
            logger.warning("the database does not answer (%s); trying again", type(error).__name__)
            connection.close()
            stop.wait(DATABASE_PAUSE_SECONDS)
        except EngineUnavailable:
            stop.wait(ENGINE_PAUSE_SECONDS)


def _claim(job: Job, now: datetime) -> bool:
    """Start the job; the caller has its lock. Return False if another worker did it or it was tried too often."""
    job.refresh_from_db()
    if job.state not in OPEN_STATES:
        return False
    if job.attempts >= MAX_ATTEMPTS:
        _end_in_failure(job, "its worker stopped three times", now)
        return False
    return begin(job, now=now)


def _perform(job: Job, clock: Clock) -> None:
    step = {Job.Kind.PLAN.value: plan_run, Job.Kind.APPLY.value: apply_run}[job.kind]
    try:
        step(job.run_id, now=clock())
    except EngineUnavailable as error:
        _after_error(job, error, clock())
        raise  # let the worker pause, because the job would fail again at once
    except Exception as error:
        _after_error(job, error, clock())
    except BaseException:
        # The process must stop. The job did not fail, so do not count the attempt.
        queue_again(job, counts=False)
        raise
    else:
        finish(job, now=clock())


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
    fail_run(job.run_id, reference=reference)
    give_up(job, reference=reference, now=now)
