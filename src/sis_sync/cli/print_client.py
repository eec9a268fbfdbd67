"""Print passes and runs for people: results to stdout, warnings to stderr."""

import json
from collections.abc import Iterable

import click

from sis_sync.cli.terminal import note
from sis_sync.client.report import FileOutcome, PassReport
from sis_sync.client.responses import RunStatus
from sis_sync.core import run_states
from sis_sync.core.findings import ASK_A_MANAGER
from sis_sync.core.wording import counted

STATE_WORDS = {
    run_states.RECEIVED: "received, not checked yet",
    run_states.CHECKING: "being checked",
    run_states.WAITING: "waiting for approval",
    run_states.HELD: "on hold: a person must look at it",
    run_states.APPROVED: "approved, to be applied",
    run_states.APPLYING: "being applied",
    run_states.APPLIED: "applied",
    run_states.REFUSED: "refused: the file cannot be used",
    run_states.REJECTED: "rejected",
    run_states.SUPERSEDED: "superseded by a newer file",
    run_states.EXPIRED: "expired, no one decided in time",
    run_states.OUT_OF_DATE: "out of date: accounts have changed since it was planned",
    run_states.FAILED: "failed on the server",
    run_states.CANCELLED: "cancelled",
}
COUNT_WORDS = {
    "taken": "taken",
    "create": "to create",
    "update": "to update",
    "restore": "to restore",
    "unchanged": "unchanged",
    "ignored": "ignored",
    "failed": "failed",
    "delete": "to delete",
    "disable": "to disable",
}
DONE_WORDS = {
    "create": "created",
    "update": "updated",
    "restore": "restored",
    "delete": "deleted",
    "disable": "disabled",
}


def print_warnings(warnings: Iterable[str]) -> None:
    """Print warnings about the settings to stderr."""
    for warning in warnings:
        note(f"Warning: {warning}")


def print_report(report: PassReport) -> None:
    """Print the outcome of a pass. Print problems and notices to stderr."""
    for outcome in report.files:
        click.echo(file_line(outcome))
    if not report.files and not report.problems and not report.notices:
        click.echo("Nothing to do.")
    print_troubles(report)


def print_troubles(report: PassReport) -> None:
    """Print notices and problems to stderr."""
    for notice in report.notices:
        note(f"Notice: {notice}")
    for section, error in report.problems:
        click.echo(f"{error.title}{f' ({section})' if section else ''}: {error.message}", err=True)
        if error.fix:
            click.echo(error.fix, err=True)


def file_line(outcome: FileOutcome) -> str:
    """Return the outcome of one file in words."""
    start = f"{outcome.delivery.file_name} ({outcome.delivery.mode})"
    if outcome.outcome == "refused":
        return f"{start}: refused, moved to failed\n{outcome.reason.rstrip()}"
    if outcome.outcome == "skipped":
        return f"{start}: skipped, {outcome.reason}"
    same = f" The same file as on {outcome.same_as_at:%Y-%m-%d}." if outcome.same_as_at else ""
    if outcome.run is None:
        return f"{start}: its run is no longer on the server"
    return f"{start}: {outcome.outcome}, {run_line(outcome.run)}{same}"


def run_line(run: RunStatus) -> str:
    """Return the run's state, counts and page in words."""
    counts = counts_line(run)
    refusal = f": {run.refusal.get('message', '')}" if run.refusal else ""
    page = f"\n{run.page}" if run.page else ""
    return f"run {run.id} {STATE_WORDS.get(run.state, run.state)}{refusal}{f': {counts}' if counts else ''}{page}"


def counts_line(run: RunStatus) -> str:
    """Return the counts of a run in words, or "" if it has none yet."""
    words = {**COUNT_WORDS, **DONE_WORDS} if run.state == run_states.APPLIED else COUNT_WORDS
    counts = ", ".join(f"{run.counts[name]:,} {words[name]}" for name in COUNT_WORDS if run.counts.get(name))
    asked = run.findings.get(ASK_A_MANAGER.code, 0)
    return f"{counts}; only a manager may see why {counted(asked, 'row', 'rows')} failed" if asked else counts


class PassPrinter:
    """Prints the passes of `watch` one after the other, but a notice or problem that persists only once."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._printed: set[str] = set()

    def print_pass(self, report: PassReport) -> None:
        """Print the pass if it did something, or has a notice or problem that the previous pass did not have."""
        troubles = {*report.notices, *(error.message for _, error in report.problems)}
        is_new = bool(report.files) or not troubles <= self._printed
        if self._as_json and is_new:
            click.echo(json.dumps(report.as_dict(), ensure_ascii=False))
        elif is_new:
            for outcome in report.files:
                click.echo(file_line(outcome))
            print_troubles(report)
        self._printed = troubles
