"""Follows the runs of delivered files, and puts beside each archived file what its run came to."""

from datetime import datetime, timedelta
from pathlib import Path

from sis_sync.client.api import Api
from sis_sync.client.journal import (
    Delivery,
    State,
    forget_kept,
    kept_before,
    mark_ended,
    open_deliveries,
    remember_kept,
)
from sis_sync.client.report import FileOutcome, PassReport
from sis_sync.client.responses import NotThere, RunStatus
from sis_sync.client.retry import Clock
from sis_sync.client.spool import beside
from sis_sync.core.whole_files import write_whole

_LOOK_EVERY_SECONDS = 0.5
_REFUSED_CODE = "file.refused"


def follow(state: State, api: Api, report: PassReport, *, keep_days: int, now: datetime) -> list[RunStatus]:
    """Look once at every run that has not ended; gives those still going on."""
    going_on = []
    for delivery in open_deliveries(state, since=now - timedelta(days=keep_days)):
        run = _status(api, delivery)
        if run is None or run.has_ended:
            _end(state, api, delivery, run, report, now=now)
        else:
            going_on.append(run)
    return going_on


def follow_until_settled(
    state: State, api: Api, report: PassReport, *, keep_days: int, clock: Clock, seconds: float
) -> list[RunStatus]:
    """Look again while a run goes on by itself, for at most so many seconds. Gives those that wait or go on."""
    end = clock.now() + timedelta(seconds=seconds)
    while True:
        going_on = follow(state, api, report, keep_days=keep_days, now=clock.now())
        if not any(run.is_moving for run in going_on) or clock.now() >= end or clock.pause(_LOOK_EVERY_SECONDS):
            return going_on


def _status(api: Api, delivery: Delivery) -> RunStatus | None:
    try:
        return api.get_run(delivery.run_id)
    except NotThere:
        return None  # removed from the server: there is nothing to wait for


def _end(
    state: State, api: Api, delivery: Delivery, run: RunStatus | None, report: PassReport, *, now: datetime
) -> None:
    archived = Path(delivery.destination)
    if run is not None:
        _fetch_results(state, api, run, beside(archived, "results.csv"), now=now)
    code = ""
    if run is not None and run.refusal:
        code = str(run.refusal.get("code", _REFUSED_CODE))
        note = beside(archived, "findings.txt")
        note.parent.mkdir(parents=True, exist_ok=True)
        write_whole(note, [f"{run.refusal.get('message', '')} ({code})\n".encode()])
        remember_kept(state, note, now=now)
    mark_ended(state, delivery, now=now)
    report.add_file(FileOutcome(delivery.section, delivery.mode, delivery.file_name, "ended", run=run, code=code))


def _fetch_results(state: State, api: Api, run: RunStatus, target: Path, *, now: datetime) -> None:
    try:
        api.download(run.id, "results.csv", target)
    except NotThere:
        return  # a run that was refused or superseded before it was planned has none
    remember_kept(state, target, now=now)


def remove_old_archives(state: State, *, keep_days: int, now: datetime) -> int:
    """Remove what we archived longer ago than this; gives how many. They hold personal data."""
    removed = 0
    for path in kept_before(state, now - timedelta(days=keep_days)):
        try:
            path.unlink(missing_ok=True)
        except OSError:
            continue  # in use, or the share is away: the next pass tries again
        forget_kept(state, path)
        removed += 1
    return removed
