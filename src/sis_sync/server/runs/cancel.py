"""Cancels a run that has not ended: its job gives way, and no account is changed.

A file next to the run's upload tells its job to give way. While a run is applied, its row in the database is locked (on
SQLite the whole database), so the job could not learn it from there.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from threading import get_ident

from django.db import OperationalError, connection, transaction

from sis_sync.core.place_faults import PlaceFault, fault_of
from sis_sync.core.run_states import DECIDABLE, ENDED, MOVING
from sis_sync.server.accounts.models import Account
from sis_sync.server.audit.services import record
from sis_sync.server.keys.models import ApiKey
from sis_sync.server.runs.approval import closed, fresh
from sis_sync.server.runs.files import cancel_marker, forget_what_has_no_plan
from sis_sync.server.runs.models import Run
from sis_sync.server.runs.permission import check_may_cancel
from sis_sync.server.runs.states import State, move
from sis_sync.server.windows import Slots

GIVES_WAY_SECONDS = 10.0
# At most this many threads of the web process wait for a job to give way, so that the others answer requests.
MOST_WAITING = 2
LOCK_SECONDS = 1

_waiting = Slots()

CANCELLABLE = (*MOVING, *DECIDABLE)


def cancel_run(*, run: Run, by: Account | ApiKey, now: datetime) -> Run:
    """Cancel the run and return it. Repeating it changes nothing.

    If a job applies the run, wait at most 10 seconds for it. If it takes longer to give way, or two others wait now,
    return the run as it is: the job cancels it then. Raise NotPermitted, or RunClosed if the run has ended, also if its
    commit came first. Raise OperationalError if the database is busy and the run has no job that would cancel it.
    """
    run = fresh(run)
    check_may_cancel(run=run, by=by)
    if run.state in DECIDABLE:
        _record_cancel(run.pk, by, now)
    elif run.state not in ENDED:
        ask_job_to_give_way(run, by)
        if not _is_recorded(run, by, now) and run.state == State.APPLYING:
            _wait_for_job(run, by, now)
    run = fresh(run)
    if run.state in ENDED and run.state != State.CANCELLED:
        raise closed(run, "cancelled")
    return run


def is_cancel_asked(run_id: int) -> bool:
    """True if someone asked to cancel the run. Reads no database, so it never waits."""
    return cancel_marker(run_id).is_file()


def cancel_as_asked(run_id: int, *, now: datetime) -> bool:
    """Cancel the run for the person or key that asked. Return True if it is cancelled now, by this call or before."""
    try:
        kind, _, number = cancel_marker(run_id).read_text(encoding="ascii").partition(" ")
    except FileNotFoundError:
        return False
    by = (Account if kind == "account" else ApiKey).objects.filter(pk=int(number)).first()
    return _record_cancel(run_id, by, now)


def ask_job_to_give_way(run: Run, by: Account | ApiKey) -> None:
    """Write who asks to cancel the run, for its job. Its worker looks several times a second."""
    marker = cancel_marker(run.pk)
    draft = marker.with_name(f"{marker.name}.{get_ident()}.part")  # two may ask at the same time
    marker.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft.write_text(f"{'account' if isinstance(by, Account) else 'key'} {by.pk}", encoding="ascii")
    draft.replace(marker)


def _wait_for_job(run: Run, by: Account | ApiKey, now: datetime) -> None:
    free = _waiting.take("jobs", most=MOST_WAITING)
    if free is None:
        return
    try:
        until = time.monotonic() + GIVES_WAY_SECONDS
        while time.monotonic() < until and not _is_recorded(run, by, now):
            pass  # each try waits for the lock of the database
    finally:
        free()


def _is_recorded(run: Run, by: Account | ApiKey, now: datetime) -> bool:
    """Move the run, unless it has ended. Return False if the database is busy."""
    try:
        _record_cancel(run.pk, by, now)
    except OperationalError as error:
        if fault_of(error) != PlaceFault.DATABASE_BUSY:
            raise
        return False
    return True


def _record_cancel(run_id: int, by: Account | ApiKey | None, now: datetime) -> bool:
    """Move the run, unless it has ended. Return True if it is cancelled now."""
    decision = {
        "decided_at": now,
        "decided_by": by if isinstance(by, Account) else None,
        "decided_by_key": by if isinstance(by, ApiKey) else None,
        "is_approved_by_policy": False,
        "decision_reason": "",
    }
    with transaction.atomic(), _brief_lock_wait():
        was_open = move(run_id, CANCELLABLE, State.CANCELLED, **decision)
        run = fresh(Run(pk=run_id))
        if was_open:
            record(school_system=run.school_system, action="run.cancelled", by=by, detail={"run": run_id}, now=now)
    is_cancelled = run.state == State.CANCELLED
    if is_cancelled:
        forget_what_has_no_plan(run)  # again after the job gave way, because it may have written more
    else:
        cancel_marker(run_id).unlink(missing_ok=True)  # too late
    return is_cancelled


@contextmanager
def _brief_lock_wait() -> Iterator[None]:
    """On PostgreSQL, the statements of the block wait at most a second for a lock. Those after it wait as before."""
    if connection.vendor != "postgresql":
        yield
        return
    with connection.cursor() as cursor:
        before = cursor.execute("SHOW lock_timeout").fetchone()[0]
        cursor.execute(f"SET LOCAL lock_timeout = '{LOCK_SECONDS}s'")
        yield
        cursor.execute("SELECT set_config('lock_timeout', %s, true)", [before])
