"""The output of `check` and `plan`: file, counts, findings by code, failed rows, guards, next command."""

from pathlib import Path

import click

from sis_sync.cli.next_command import next_step
from sis_sync.cli.plan_request import RequestedPlan
from sis_sync.cli.terminal import print_json
from sis_sync.core.errors import FileRefused
from sis_sync.core.guards import GuardHit
from sis_sync.core.plan import ABSENT_ACTIONS, Counts
from sis_sync.core.wording import counted, percent, shown
from sis_sync.engine.duckdb import Session
from sis_sync.steps.plan.plan import Plan
from sis_sync.steps.read.read import Records
from sis_sync.steps.validate.messages import FindingGroup, group_findings
from sis_sync.steps.validate.validate import Judged

FAILED_ROWS_SHOWN = 20
_COLOURS = {"error": "red", "warning": "yellow"}
_ACTION_WORDS = {
    "create": "to create",
    "update": "to update",
    "restore": "to restore",
    "unchanged": "unchanged",
    "delete": "to delete",
    "disable": "to disable",
    "ignored": "ignored",
    "failed": "failed",
}
_ALWAYS_SHOWN = ("create", "update", "unchanged", "delete")
# The accounts that have an ID and are not deleted. All of a pair are such.
_LIVE = """
SELECT (SELECT count(*) FROM accounts WHERE custom_id <> '' AND NOT is_deleted) + (SELECT people FROM pair_totals)
"""


def print_check(session: Session, judged: Judged, *, as_json: bool) -> None:
    """Print the findings of a file that is not planned."""
    records = judged.records
    rows = {"rows": records.facts.rows, "failed": judged.failed_rows}
    if as_json:
        print_json(
            {"file": records.facts.as_dict(), "mode": judged.mode.name, "counts": rows, "findings": judged.findings}
        )
        return
    _print_file(records)
    click.echo(f"{counted(records.facts.rows, 'row', 'rows')}, {judged.failed_rows:,} failed.")
    _print_findings(group_findings(session, records, judged.findings))
    _print_failed_rows(session, judged.failed_rows)


def print_plan(made: RequestedPlan, *, output: Path | None, as_json: bool) -> None:
    """Print counts, findings, guards, and the next command."""
    session, plan, hits = made.session, made.plan, made.hits
    if as_json:
        print_json(document_of(plan, hits))
        return
    records = plan.records
    _print_file(records)
    click.echo(counts_in_words(plan.counts, live=session.value(_LIVE)))
    if plan.disabled_newcomers:
        verb = "is" if plan.disabled_newcomers == 1 else "are"
        click.echo(f"{plan.disabled_newcomers:,} of the {plan.counts.create:,} to create {verb} Disabled.")
    if not_made := plan.findings.get("row.not_created"):
        click.echo(f"No account was created for {counted(not_made, 'disabled person', 'disabled people')}.")
    _print_findings(group_findings(session, records, plan.findings))
    _print_failed_rows(session, plan.counts.failed)
    for hit in hits:
        click.echo(held_line(hit))
    if output:
        click.echo(f"The plan is in {output}.")
    click.echo(next_step(made, is_written=output is not None))


def print_refusal(refusal: FileRefused, *, as_json: bool) -> int:
    """Print the refusal with its reason and remedy. Return its exit code."""
    if as_json:
        print_json({"refused": {"code": refusal.code, "message": refusal.message, "line": refusal.line}})
    click.echo(f"File refused ({refusal.code}): {refusal.message}\n{refusal.fix}".rstrip(), err=True)
    click.echo("Nothing is planned, and no account is changed.", err=True)
    return refusal.exit_code


def document_of(plan: Plan, hits: tuple[GuardHit, ...]) -> dict[str, object]:
    """Return a plan for JSON."""
    return {
        "file": plan.records.facts.as_dict(),
        "mode": plan.mode.name,
        "counts": plan.counts.as_dict(),
        "guards": [hit.as_dict() for hit in hits],
        "findings": plan.findings,
    }


def counts_in_words(counts: Counts, *, live: int = 0) -> str:
    """Return the number of accounts per action, and the share of the `live` accounts that would leave."""
    parts = []
    for action, words in _ACTION_WORDS.items():
        number = getattr(counts, action)
        share = f" ({percent(number, live)})" if action in ABSENT_ACTIONS and number and live else ""
        if number or action in _ALWAYS_SHOWN:
            parts.append(f"{number:,} {words}{share}")
    return ", ".join(parts)


def held_line(hit: GuardHit, school_system: str = "") -> str:
    """Return the line to print for a guard that would hold the plan."""
    held = click.style("Would be held", fg="yellow")
    of_system = f": {school_system}" if school_system else ""
    return f"{held}{of_system} ({hit.code}): {hit.message}"


def _print_file(records: Records) -> None:
    facts = records.facts
    mapping = f", mapping {facts.mapping}" if facts.mapping else ""
    rows = counted(facts.rows, "row", "rows")
    click.echo(f"{shown(facts.name)}: {rows}, {facts.encoding}, {facts.delimiter}s between the columns{mapping}")
    if facts.kept_fields:
        kept = facts.kept_fields.replace(" ", ", ")
        click.echo(f"Existing accounts keep their {kept}: the mapping does not set these fields.")


def _print_findings(groups: tuple[FindingGroup, ...]) -> None:
    """Print each code with its count, first examples, consequences and advice."""
    for group in groups:
        code = click.style(group.code, fg=_COLOURS[group.severity], bold=True)
        click.echo(f"\n{code}: {group.count:,} ({group.severity})")
        for example in group.examples:
            click.echo(f"  {example}")
        if group.advice:
            click.echo(f"  {group.advice}")
        if group.mapping_lines:
            click.echo("  Or let a mapping correct it in every row:")
        for line in group.mapping_lines:
            click.echo(f"    {line}")
    if groups:
        click.echo()


def _print_failed_rows(session: Session, failed: int) -> None:
    """Print the first failed rows, each with all its faults."""
    if not failed:
        return
    click.echo("The failed rows:")
    rows = session.rows(
        "SELECT message FROM remarks WHERE line IN (SELECT line FROM failed) ORDER BY line LIMIT :rows",
        rows=FAILED_ROWS_SHOWN,
    )
    for (message,) in rows:
        click.echo(f"  {message}")
    if failed > FAILED_ROWS_SHOWN:
        click.echo(f"  and {failed - FAILED_ROWS_SHOWN:,} more; sis-sync plan ... --output FILE has them all.")
    click.echo()
