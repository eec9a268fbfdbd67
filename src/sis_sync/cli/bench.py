"""`bench`: measure the cost of the steps on this machine, each compared with a peer or a floor in the same run."""

import json
from pathlib import Path
from typing import Any

import click

from sis_sync.core.errors import UsageFault


@click.command()
@click.argument("scenarios", nargs=-1)
@click.option("--rows", type=click.IntRange(1), help="People in the files.  [default: set by each scenario]")
@click.option(
    "--repeats",
    default=5,
    show_default=True,
    type=click.IntRange(1),
    help="How often to run each side; the two sides alternate.",
)
@click.option(
    "--json", "json_file", type=click.Path(path_type=Path, dir_okay=False), help="Also write the figures to this file."
)
@click.option("--resume", is_flag=True, help="Keep the scenarios that the file of --json contains; measure the others.")
@click.option("--cache", type=click.Path(path_type=Path, file_okay=False), help="Folder for the made-up files.")
@click.option(
    "--reference",
    type=click.Path(path_type=Path, exists=True),
    help="Another csv script to compare with. It is called with the folder of the files.",
)
@click.option("--database", help="URL of a PostgreSQL database.  [default: a temporary server]")
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
    """Measure SCENARIOS, or all of them: CPU seconds, wall seconds, peak memory, and the ratio to a peer.

    The two sides of a comparison alternate, each run in its own process. The figures are medians. Compare the CPU
    seconds: other work on the machine hardly changes them.
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
        if json_file:  # only after a whole scenario: --resume repeats an interrupted scenario
            _write(json_file, report.document(results))
    click.echo(report.as_text(report.document(results)))
    return 0


def _measured_before(json_file: Path | None) -> list[dict[str, Any]]:
    if json_file is None:
        raise UsageFault("--resume needs --json.", fix="Name the file with the earlier figures.")
    if not json_file.is_file():
        return []
    results: list[dict[str, Any]] = json.loads(json_file.read_text(encoding="utf-8"))["results"]
    return [result for result in results if "scenario" in result]


def _write(json_file: Path, document: dict[str, Any]) -> None:
    """Replace the file in one step, so that an interrupted run does not damage the earlier figures."""
    written = json_file.with_name(f"{json_file.name}.new")
    written.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    written.replace(json_file)
