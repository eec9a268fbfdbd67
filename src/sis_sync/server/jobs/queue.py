"""Putting work into the job table."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from sis_sync.server.jobs.models import Job

if TYPE_CHECKING:
    from sis_sync.server.runs.models import Run


def enqueue(*, kind: str, run: Run, now: datetime) -> Job:
    """A queued job of this kind for the run: the one that already waits, or a new one.

    Call it in the transaction that gives the reason, so that neither comes without the other.
    """
    waiting = Job.objects.filter(kind=kind, run=run, state=Job.State.QUEUED).first()
    return waiting or Job.objects.create(kind=kind, run=run, queued_at=now)
