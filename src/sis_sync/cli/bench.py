"""`bench`: what the steps cost on this machine, each measured beside a peer or a floor in the same run."""

import json
from pathlib import Path

import click

from sis_sync.core.errors import UsageFault


@click.command()
@click.argument("scenarios", nargs=-1)
@click.option("--rows", type=click.IntRange(1), help="People in the files; without it, as many as is promised for.")
@click.option("--repeats", default=5, show_default=True, type=click.IntRange(1), help="Runs of each side, in turn.")
@click.option(
    "--json", "json_file", type=click.Path(path_type=Path, dir_okay=False), help="Write the figures here too."
)
@click.option("--cache", type=click.Path(path_type=Path, file_okay=False), help="Where the made-up files are kept.")
@click.option(
    "--reference",
    type=click.Path(path_type=Path, exists=True),
    help="Another csv script as the peer; given a folder.",
)
@click.option("--database", help="URL of a PostgreSQL database; without it a throw-away server is started.")
def bench(
    scenarios: tuple[str, ...],
    rows: int | None,
    repeats: int,
    json_file: Path | None,
    cache: Path | None,
    reference: Path | None,
    database: str | None,
) -> int:
    """Measure SCENARIOS, or all: CPU seconds, wall seconds, peak memory, and the ratio to a peer.

    Both sides of a comparison run in turn, each in a process of its own; the figures are medians.
    CPU seconds are the ones to go by: other work on the machine hardly moves them.
    """
    import platformdirs

    from sis_sync.bench import report
    from sis_sync.bench.compare import compare
    from sis_sync.bench.scenarios import SCENARIOS, Setting

    unknown = [name for name in scenarios if name not in SCENARIOS]
    if unknown:
        raise UsageFault(f"There is no scenario {unknown[0]}.", fix=f"The scenarios are {', '.join(SCENARIOS)}.")
    folder = cache or platformdirs.user_cache_path("sis-sync", appauthor=False) / "bench"
    setting = Setting(folder.absolute(), rows, reference, database)
    outcomes = []
    for name in scenarios or SCENARIOS:
        for comparison in SCENARIOS[name](setting):
            click.echo(f"Measuring: {comparison.title}, {comparison.rows:,} rows, {repeats} times", err=True)
            outcomes.append(compare(comparison, repeats))
    made = report.document(outcomes)
    if json_file:
        json_file.write_text(json.dumps(made, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    click.echo(report.as_text(made))
    return 0
