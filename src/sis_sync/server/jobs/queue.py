"""Puts work into the job table."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from sis_sync.server.jobs.models import Job

if TYPE_CHECKING:
    from sis_sync.server.runs.models import Run


def enqueue(*, kind: str, run: Run, now: datetime) -> Job:
    """Queue a job of this kind for the run, unless one waits already. Return the job that waits.

    Call it in the transaction of the change that needs the job, so that both are stored or neither is.
    """
    waiting = Job.objects.filter(kind=kind, run=run, state=Job.State.QUEUED).first()
    return waiting or Job.objects.create(kind=kind, run=run, queued_at=now)
