"""`mapper`: list the presets, try a mapping on a file, propose a mapping for a file."""

import json
from dataclasses import asdict
from pathlib import Path

import click

from sis_sync.cli.reading_flags import reading_flags
from sis_sync.core.errors import ConfigurationError, FileRefused
from sis_sync.core.reading_options import ReadingOptions
from sis_sync.core.wording import counted

ROWS_SHOWN = 5


@click.group()
def mapper() -> None:
    """List, propose and try column mappings."""


@mapper.command()
@click.argument("name", required=False)
def presets(name: str | None) -> None:
    """List the built-in presets, or print the lines of preset NAME as a starting point for your own."""
    from sis_sync.steps.map.mapper_lines import preset_names, preset_text

    click.echo(preset_text(name).rstrip() if name else "\n".join(preset_names()))


@mapper.command("test")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--mapping", required=True, help="Name of a preset, or a .properties file with mapper lines.")
@reading_flags
def try_mapping(file: Path, mapping: str, options: ReadingOptions) -> int:
    """Print the first rows of FILE as the mapping reads them, and list what it leaves out."""
    from sis_sync.cli.print_plan import print_refusal
    from sis_sync.core.fields import FIELD_NAMES
    from sis_sync.engine.duckdb import open_session
    from sis_sync.steps.map.mapper_lines import load_mapping
    from sis_sync.steps.pipeline import map_file

    with open_session() as session:
        try:
            records = map_file(session, file, mapping=load_mapping(mapping), options=options).records
        except FileRefused as refusal:
            return print_refusal(refusal, as_json=False)
        fields = ", ".join(FIELD_NAMES)
        rows = session.rows(f"SELECT line, is_skipped, {fields} FROM roster ORDER BY line LIMIT :rows", rows=ROWS_SHOWN)
    click.echo(f"{file.name}: {counted(records.facts.rows, 'row', 'rows')}, mapping {records.mapping.name}")
    for line, is_skipped, *values in rows:
        click.echo(f"\nline {line}" + (" (left out by the mapping)" if is_skipped else ""))
        for name, value in zip(FIELD_NAMES, values, strict=True):
            click.echo(f"  {name:<28} {'(bytes that are not text)' if value is None else value}")
    for warning in records.warnings:
        click.echo(f"\n{warning.message}")
    return 0


@mapper.command()
@click.argument("file", type=click.Path(path_type=Path))
@reading_flags
@click.option("--write", type=click.Path(path_type=Path), help="Write the lines to this new file.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document to stdout.")
def suggest(file: Path, options: ReadingOptions, write: Path | None, as_json: bool) -> int:
    """Propose the preset that fits FILE best, or mapper lines with the reason for each."""
    from sis_sync.cli.next_command import quoted
    from sis_sync.cli.print_plan import print_refusal
    from sis_sync.steps.map.suggest.sample import read_sample
    from sis_sync.steps.map.suggest.suggestion import suggest as suggest_mapping

    try:
        suggestion = suggest_mapping(read_sample(file, options))
    except FileRefused as refusal:
        return print_refusal(refusal, as_json=as_json)
    text = "\n".join(suggestion.lines())
    if write:
        _write_new(write, text)
    if as_json:
        click.echo(json.dumps({**asdict(suggestion), "lines": text}))
    elif write:
        command = quoted("sis-sync", "mapper", "test", str(file), "--mapping", str(write))
        click.echo(f"Wrote {write}. Check each line, then run: {command}")
    else:
        click.echo(text)
    return 0


def _write_new(path: Path, text: str) -> None:
    """Write the text as UTF-8. A shell that redirects stdout may write UTF-16, and such a mapping file is refused."""
    try:
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text + "\n")
    except FileExistsError:
        raise ConfigurationError(f"{path} exists already.", fix="Name a new file.") from None
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be written: {error.strerror}.", fix="Name another file.") from None
