"""What `check` and `plan` print: findings by code with counts, then lines, then what to do next."""

from pathlib import Path

import click

from sis_sync.cli.findings_report import say_failed_rows, say_groups
from sis_sync.cli.given import given_command, quoted
from sis_sync.cli.voice import print_json
from sis_sync.core.errors import FileRefused
from sis_sync.core.guards import GuardHit
from sis_sync.core.plan import Counts
from sis_sync.core.wording import counted, percent, shown
from sis_sync.engine.duckdb import Session
from sis_sync.steps.map.mapper_lines import preset_names
from sis_sync.steps.plan.plan import Plan
from sis_sync.steps.read.read import Records
from sis_sync.steps.validate.messages import group_findings
from sis_sync.steps.validate.validate import Judged

_ACTIONS = (
    ("create", "to create"),
    ("update", "to update"),
    ("restore", "to restore"),
    ("unchanged", "unchanged"),
    ("delete", "to delete"),
    ("disable", "to disable"),
    ("ignored", "ignored"),
    ("failed", "failed"),
)


def say_refusal(refusal: FileRefused, *, as_json: bool) -> int:
    """The refusal with its reason and remedy; gives its exit code."""
    if as_json:
        print_json({"refused": {"code": refusal.code, "message": refusal.message, "line": refusal.line}})
    click.echo(f"File refused ({refusal.code}): {refusal.message}\n{refusal.fix}".rstrip(), err=True)
    click.echo("Nothing is planned, and no account is touched.", err=True)
    return refusal.exit_code


def say_check(session: Session, judged: Judged, *, as_json: bool) -> None:
    """Findings of a file, without planning."""
    records = judged.roster.records
    rows = {"rows": records.facts.rows, "failed": judged.failed_rows}
    if as_json:
        print_json(
            {"file": records.facts.as_dict(), "mode": judged.mode.name, "counts": rows, "findings": judged.findings}
        )
        return
    _say_file(records)
    click.echo(f"{counted(records.facts.rows, 'row', 'rows')}, {judged.failed_rows:,} failed.")
    say_groups(group_findings(session, records, judged.findings))
    say_failed_rows(session, judged.failed_rows)


def document_of(plan: Plan, hits: tuple[GuardHit, ...]) -> dict[str, object]:
    """A plan for JSON."""
    return {
        "file": plan.judged.roster.records.facts.as_dict(),
        "mode": plan.mode.name,
        "counts": plan.counts.as_dict(),
        "guards": [hit.as_dict() for hit in hits],
        "findings": plan.findings,
    }


def say_plan(session: Session, plan: Plan, hits: tuple[GuardHit, ...], *, output: Path | None, as_json: bool) -> None:
    """Counts, findings, guards, and the next command."""
    records = plan.judged.roster.records
    if as_json:
        print_json(document_of(plan, hits))
        return
    _say_file(records)
    there = session.value("SELECT count(*) FROM accounts WHERE custom_id <> '' AND NOT is_deleted")
    click.echo(counts_in_words(plan.counts, there=there))
    say_groups(group_findings(session, records, plan.findings))
    say_failed_rows(session, plan.counts.failed)
    for hit in hits:
        click.echo(f"{click.style('Would be held', fg='yellow')} ({hit.code}): {hit.message}")
    if output:
        click.echo(f"The plan is in {output}.")
    click.echo(_next_step(plan, hits, is_written=output is not None))


def _say_file(records: Records) -> None:
    facts = records.facts
    mapping = f", mapping {facts.mapping}" if facts.mapping else ""
    rows = counted(facts.rows, "row", "rows")
    click.echo(f"{shown(facts.name)}: {rows}, {facts.encoding}, {facts.delimiter}s between the columns{mapping}")


def counts_in_words(counts: Counts, *, there: int = 0) -> str:
    """How many get each action, and which share of the accounts that are `there` would leave."""
    parts = []
    for action, words in _ACTIONS:
        number = getattr(counts, action)
        share = f" ({percent(number, there)})" if action in ("delete", "disable") and number and there else ""
        if number or action in ("create", "update", "unchanged", "delete"):
            parts.append(f"{number:,} {words}{share}")
    return ", ".join(parts)


def _next_step(plan: Plan, hits: tuple[GuardHit, ...], *, is_written: bool) -> str:
    if hits:
        waits = "On the server this run would wait for a person."
        return waits if is_written else f"{waits}\nNext, to see everybody:\n  {given_command(output='plan.csv')}"
    if plan.counts.changes:
        return _upload(plan)
    return "Nothing to do: no account would change."


def _upload(plan: Plan) -> str:
    """The command that sends the file to be read as it was read here."""
    params = click.get_current_context().params
    file = "FILE" if str(params["file"]) == "-" else str(params["file"])
    name = plan.judged.roster.records.facts.mapping
    command = quoted("sis-sync", "upload", file, "--mode", plan.mode.name, *(["--mapper", name] if name else []))
    is_own = name and name not in preset_names()
    first = f"put the lines of {params['mapping']} into client.properties, then " if is_own else ""
    return f"Next: {first}{command}"
