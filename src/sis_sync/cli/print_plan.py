"""What `check` and `plan` print: findings by code with counts, then lines, then what to do next."""

import os
import shlex
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import click
from click.core import ParameterSource

from sis_sync.cli.plan_outcomes import Outcome, code_of, counts_of_all
from sis_sync.cli.terminal import print_json
from sis_sync.core.errors import FileRefused, SisSyncError
from sis_sync.core.guards import GuardHit
from sis_sync.core.plan import Counts
from sis_sync.core.wording import counted, percent, shown
from sis_sync.engine.duckdb import Session
from sis_sync.steps.map.mapper_lines import preset_names
from sis_sync.steps.plan.plan import Plan
from sis_sync.steps.read.read import Records
from sis_sync.steps.validate.messages import FindingGroup, group_findings
from sis_sync.steps.validate.validate import Judged


def given_command(**changed: str) -> str:
    """The present command whole and quoted, with these options set: `sis-sync plan a.csv --mode full`."""
    context = click.get_current_context()
    words = [word for param in context.command.params for word in _words_of(context, param, changed)]
    return quoted(*context.command_path.split(), *words)


def quoted(*words: str) -> str:
    """The words as a terminal of this system takes them."""
    return shlex.join(words) if os.name == "posix" else subprocess.list2cmdline(words)


def _words_of(context: click.Context, param: click.Parameter, changed: dict[str, str]) -> Iterator[str]:
    name = param.name or ""
    is_given = context.get_parameter_source(name) is ParameterSource.COMMANDLINE and param.expose_value
    value = changed.get(name, context.params.get(name) if is_given else None)
    if value is None or value is False:
        return
    if isinstance(param, click.Option):
        yield param.opts[0]
    if value is not True:
        yield str(value)


FAILED_ROWS = 20
_COLOURS = {"error": "red", "warning": "yellow"}


def say_groups(groups: tuple[FindingGroup, ...]) -> None:
    """Each code with its count, its first examples, what follows and what to do."""
    for group in groups:
        code = click.style(group.code, fg=_COLOURS[group.severity], bold=True)
        click.echo(f"\n{code}: {group.count:,} ({group.severity})")
        for example in group.examples:
            click.echo(f"  {example}")
        if group.advice:
            click.echo(f"  {group.advice}")
        if group.mapping_lines:
            click.echo("  Or let a mapping put it right in every row:")
        for line in group.mapping_lines:
            click.echo(f"    {line}")
    if groups:
        click.echo()


def say_failed_rows(session: Session, failed: int) -> None:
    """The failed rows, each with all its faults, as many as a person would read here."""
    if not failed:
        return
    click.echo("The failed rows:")
    rows = session.rows(
        "SELECT message FROM remarks WHERE line IN (SELECT line FROM failed) ORDER BY line LIMIT :most",
        most=FAILED_ROWS,
    )
    for (message,) in rows:
        click.echo(f"  {message}")
    if failed > FAILED_ROWS:
        click.echo(f"  and {failed - FAILED_ROWS:,} more; sis-sync plan ... --output FILE has them all.")
    click.echo()


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
    records = judged.records
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
        "file": plan.records.facts.as_dict(),
        "mode": plan.mode.name,
        "counts": plan.counts.as_dict(),
        "guards": [hit.as_dict() for hit in hits],
        "findings": plan.findings,
    }


def say_plan(session: Session, plan: Plan, hits: tuple[GuardHit, ...], *, output: Path | None, as_json: bool) -> None:
    """Counts, findings, guards, and the next command."""
    records = plan.records
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
    name = plan.records.facts.mapping
    command = quoted("sis-sync", "upload", file, "--mode", plan.mode.name, *(["--mapper", name] if name else []))
    is_own = name and name not in preset_names()
    first = f"put the lines of {params['mapping']} into client.properties, then " if is_own else ""
    return f"Next: {first}{command}"


def say_line(outcome: Outcome) -> None:
    """The counts of one school system, or why it has no plan and what to do."""
    result = outcome.result
    words = _in_a_line(result) if isinstance(result, SisSyncError) else counts_in_words(result.counts)
    click.echo(f"{outcome.school_system}: {words}")


def say_all(outcomes: Sequence[Outcome], folder: Path) -> None:
    """Sums over the plans that were made, which of them would be held, and where they are."""
    planned = sum(isinstance(outcome.result, Plan) for outcome in outcomes)
    counts = counts_of_all(outcomes)
    click.echo(f"\n{planned:,} of {len(outcomes):,} school systems planned, {counted(counts.rows, 'row', 'rows')}:")
    click.echo(counts_in_words(counts))
    for outcome in outcomes:
        for hit in outcome.hits:
            held = click.style("Would be held", fg="yellow")
            click.echo(f"{held}: {outcome.school_system} ({hit.code}): {hit.message}")
    if planned:
        click.echo(f"The plans are in {folder}.")


def print_document(outcomes: Sequence[Outcome]) -> None:
    """One document, in the order of SYSTEMS.csv."""
    systems = [{"school_system": outcome.school_system, **_document(outcome)} for outcome in outcomes]
    print_json({"school_systems": systems, "counts": counts_of_all(outcomes).as_dict()})


def _document(outcome: Outcome) -> dict[str, object]:
    result = outcome.result
    return {"refused": _refused(result)} if isinstance(result, SisSyncError) else document_of(result, outcome.hits)


def _refused(refusal: SisSyncError) -> dict[str, object]:
    line = refusal.line if isinstance(refusal, FileRefused) else None
    return {"code": code_of(refusal), "message": refusal.message, "line": line, "fix": refusal.fix}


def _in_a_line(refusal: SisSyncError) -> str:
    what = "refused" if isinstance(refusal, FileRefused) else "not planned"
    words = " ".join(f"{refusal.message} {refusal.fix}".split())
    return f"{click.style(what, fg='red')} ({code_of(refusal)}): {words}"
