"""How findings are printed: grouped by code with counts and first examples, then the failed rows line by line."""

import click

from sis_sync.engine.duckdb import Session
from sis_sync.steps.validate.messages import FindingGroup

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
