"""`mapper`: list the presets, show one, try a mapping on a file."""

import json
from dataclasses import asdict
from pathlib import Path

import click

from sis_sync.core.errors import FileRefused

ROWS_SHOWN = 5


@click.group()
def mapper() -> None:
    """List and try column mappings."""


@mapper.command()
@click.argument("name", required=False)
def presets(name: str | None) -> None:
    """The built-in presets, or the lines of the one named, to start your own from."""
    from sis_sync.formats.mapping_lines import preset_names, preset_text

    click.echo(preset_text(name).rstrip() if name else "\n".join(preset_names()))


@mapper.command("test")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--mapping", required=True, help="A preset, or a .properties file with mapper lines.")
def try_mapping(file: Path, mapping: str) -> int:
    """The first rows of FILE as the mapping makes them, and what it leaves out."""
    from sis_sync.cli.offline_report import say_refusal
    from sis_sync.core.fields import FIELD_NAMES
    from sis_sync.engine.session import open_session
    from sis_sync.formats.mapping_lines import load_mapping
    from sis_sync.steps.map import map_records
    from sis_sync.steps.read import read

    with open_session() as session:
        try:
            records = read(session, file, mapping=load_mapping(mapping))
        except FileRefused as refusal:
            return say_refusal(refusal, as_json=False)
        map_records(session, records)
        fields = ", ".join(FIELD_NAMES)
        rows = session.rows(f"SELECT line, is_skipped, {fields} FROM roster ORDER BY line LIMIT :rows", rows=ROWS_SHOWN)
    click.echo(f"{file.name}: {records.facts.rows:,} rows, mapping {records.mapping.name}")
    for line, is_skipped, *values in rows:
        click.echo(f"\nline {line}" + (" (left out by the mapping)" if is_skipped else ""))
        for name, value in zip(FIELD_NAMES, values, strict=True):
            click.echo(f"  {name:<28} {'(bytes that are no text)' if value is None else value}")
    for warning in records.warnings:
        click.echo(f"\n{warning.message}")
    return 0


@mapper.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def suggest(file: Path, as_json: bool) -> int:
    """The preset that fits FILE best, or mapper lines with the reason of each, ready for a .properties file."""
    from sis_sync.cli.offline_report import say_refusal
    from sis_sync.formats.suggest import best_fits, lines, propose
    from sis_sync.steps.sample import read_sample

    try:
        header, rows = read_sample(file)
    except FileRefused as refusal:
        return say_refusal(refusal, as_json=as_json)
    fits, proposals = best_fits(header), propose(header, rows)
    if as_json:
        click.echo(json.dumps({"presets": [asdict(fit) for fit in fits], "columns": [asdict(p) for p in proposals]}))
    elif len(fits) == 1:
        missing = ", ".join(fits[0].missing)
        click.echo(f"# The preset {fits[0].name} fits best." + (f" It still misses {missing}." if missing else ""))
        click.echo(f"mapper.suggested.extends={fits[0].name}")
        for name in fits[0].missing:
            click.echo(f"# Fill in and take off the #:\n#mapper.suggested.constant.{name}=")
    else:
        for fit in fits:
            click.echo(f"# The preset {fit.name} fits as well as another: choose.")
        click.echo("\n".join(lines(proposals)))
    return 0
