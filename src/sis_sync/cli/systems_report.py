"""What `plan --systems` prints: a line for each school system, then all together, then what would be held."""

from collections.abc import Sequence
from pathlib import Path

import click

from sis_sync.cli.offline_report import counts_in_words, document_of
from sis_sync.cli.systems_outcome import Outcome, code_of, counts_of_all
from sis_sync.cli.voice import print_json
from sis_sync.core.errors import FileRefused, SisSyncError
from sis_sync.core.wording import counted
from sis_sync.steps.plan.plan import Plan


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
