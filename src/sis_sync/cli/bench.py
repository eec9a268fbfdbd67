"""`bench`: what the steps cost on this machine, each measured beside a peer or a floor in the same run."""

import json
from pathlib import Path
from typing import Any

import click

from sis_sync.core.errors import UsageFault


@click.command()
@click.argument("scenarios", nargs=-1)
@click.option("--rows", type=click.IntRange(1), help="People in the files; without it, as many as is promised for.")
@click.option("--repeats", default=5, show_default=True, type=click.IntRange(1), help="Runs of each side, in turn.")
@click.option(
    "--json", "json_file", type=click.Path(path_type=Path, dir_okay=False), help="Write the figures here too."
)
@click.option("--resume", is_flag=True, help="Keep the scenarios that the file of --json holds; measure the others.")
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
    resume: bool,
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
    results = _measured_before(json_file) if resume else []
    done = {result["scenario"] for result in results}
    for name in [name for name in scenarios or SCENARIOS if name not in done]:
        for comparison in SCENARIOS[name](setting):
            click.echo(f"Measuring: {comparison.title}, {comparison.rows:,} rows, {repeats} times", err=True)
            results.append({"scenario": name, **compare(comparison, repeats).as_dict()})
        if json_file:  # whole scenarios only: what breaks off is measured again
            _write(json_file, report.document(results))
    click.echo(report.as_text(report.document(results)))
    return 0


def _measured_before(json_file: Path | None) -> list[dict[str, Any]]:
    if json_file is None:
        raise UsageFault("--resume needs --json.", fix="Name the file that holds what was measured.")
    if not json_file.is_file():
        return []
    results: list[dict[str, Any]] = json.loads(json_file.read_text(encoding="utf-8"))["results"]
    return [result for result in results if "scenario" in result]


def _write(json_file: Path, document: dict[str, Any]) -> None:
    """The file is whole at any time."""
    written = json_file.with_name(f"{json_file.name}.new")
    written.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    written.replace(json_file)
