"""The output of `plan --systems`: a line for each school system, then the sums; or one JSON document."""

from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

import click

from sis_sync.cli.plan_request import PlanOutcome
from sis_sync.cli.print_plan import counts_in_words, document_of, held_line
from sis_sync.cli.terminal import print_json
from sis_sync.core.errors import ConfigurationError, FileRefused, SisSyncError
from sis_sync.core.plan import Counts
from sis_sync.core.wording import counted
from sis_sync.steps.plan.plan import Plan


def print_system(outcome: PlanOutcome) -> None:
    """Print the counts of one school system, or the reason why it has no plan and what to do."""
    result = outcome.result
    words = _refusal_line(result) if isinstance(result, SisSyncError) else counts_in_words(result.counts)
    click.echo(f"{outcome.school_system}: {words}")


def _refusal_line(refusal: SisSyncError) -> str:
    verdict = "refused" if isinstance(refusal, FileRefused) else "not planned"
    words = " ".join(f"{refusal.message} {refusal.fix}".split())
    return f"{click.style(verdict, fg='red')} ({_code_of(refusal)}): {words}"


def print_all_systems(outcomes: Sequence[PlanOutcome], folder: Path) -> None:
    """Print the total counts of the finished plans, list the plans that would be held, and name the folder."""
    planned = sum(isinstance(outcome.result, Plan) for outcome in outcomes)
    counts = _counts_of_all(outcomes)
    systems = counted(len(outcomes), "school system", "school systems")
    click.echo(f"\n{planned:,} of {systems} planned, {counted(counts.rows, 'row', 'rows')}:")
    click.echo(counts_in_words(counts))
    for outcome in outcomes:
        for hit in outcome.hits:
            click.echo(held_line(hit, outcome.school_system))
    if planned:
        click.echo(f"The plans are in {folder}.")


def print_systems_json(outcomes: Sequence[PlanOutcome]) -> None:
    """Print one document with the school systems in the order of SYSTEMS.csv."""
    systems = [{"school_system": outcome.school_system, **_document(outcome)} for outcome in outcomes]
    print_json({"school_systems": systems, "counts": _counts_of_all(outcomes).as_dict()})


def _document(outcome: PlanOutcome) -> dict[str, object]:
    result = outcome.result
    if not isinstance(result, SisSyncError):
        return document_of(result, outcome.hits)
    line = result.line if isinstance(result, FileRefused) else None
    return {"refused": {"code": _code_of(result), "message": result.message, "line": line, "fix": result.fix}}


def _code_of(refusal: SisSyncError) -> str:
    """Return a stable code: the code of the refused file, `configuration`, or `unexpected` for a bug."""
    if isinstance(refusal, FileRefused):
        return refusal.code
    return "configuration" if isinstance(refusal, ConfigurationError) else "unexpected"


def _counts_of_all(outcomes: Sequence[PlanOutcome]) -> Counts:
    made = [outcome.result.counts for outcome in outcomes if isinstance(outcome.result, Plan)]
    return Counts(**{each.name: sum(getattr(counts, each.name) for counts in made) for each in fields(Counts)})
