"""`check` and `plan`: run the steps on files, without a server."""

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Any, Literal

import click

from sis_sync.cli.reading_flags import FLAGS, reading_flags
from sis_sync.core.errors import FileRefused, UsageFault
from sis_sync.core.exit_codes import DONE, ROWS_FAILED
from sis_sync.core.modes import MODES
from sis_sync.core.reading_options import ReadingOptions

_mode = click.Choice(list(MODES))
_path = click.Path(path_type=Path)
_day = click.option(
    "--day",
    type=click.DateTime(["%Y-%m-%d"]),
    callback=lambda _ctx, _param, value: value.date() if isinstance(value, datetime) else value,
    help="The day that a mapping's first and last days are compared with.  [default: today on this machine]",
)


@click.command()
@click.argument("file")
@click.option("--mode", type=_mode, help="Also check that this mode manages the user types.")
@click.option("--orgs", type=_path, help="CSV with external_id,name. Also check the orgs of the rows.")
@click.option("--mapping", help="Name of a preset, or a .properties file with mapper lines.")
@reading_flags
@_day
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document to stdout.")
def check(
    file: str,
    mode: str | None,
    orgs: Path | None,
    mapping: str | None,
    options: ReadingOptions,
    day: date | None,
    as_json: bool,
) -> int:
    """Read, map and validate FILE (- for stdin); print its findings by code, then by line."""
    from sis_sync.cli.print_plan import print_check, print_refusal
    from sis_sync.engine.duckdb import open_session
    from sis_sync.steps.map.mapper_lines import load_mapping
    from sis_sync.steps.map.mapping import NO_MAPPING
    from sis_sync.steps.pipeline import check_file

    lines = load_mapping(mapping) if mapping else NO_MAPPING
    with _input(file) as path, open_session() as session:
        try:
            judged = check_file(
                session, path, mode=MODES[mode] if mode else None, mapping=lines, options=options, orgs=orgs, today=day
            )
        except FileRefused as refusal:
            return print_refusal(refusal, as_json=as_json)
        print_check(session, judged, as_json=as_json)
        return ROWS_FAILED if judged.failed_rows else DONE


@click.command()
@click.argument("file", required=False, metavar="FILE")
@click.option("--mode", type=_mode, help="What the file lists: some people (partial), or all people of these types.")
@click.option("--orgs", type=_path, help="CSV with external_id,name and an optional kind.")
@click.option(
    "--accounts",
    type=_path,
    help="CSV with the ten fields and optional state, protected. Without it, no one has an account yet.",
)
@click.option("--mapping", help="Name of a preset, or a .properties file with mapper lines.")
@reading_flags
@_day
@click.option("--create-disabled", is_flag=True, help="Make accounts for Disabled people who have none.")
@click.option(
    "--two-people",
    metavar="ID",
    multiple=True,
    help="This ID in the file is another person than the known one that differs in leading zeros only. Repeatable.",
)
@click.option(
    "--systems", type=_path, help="CSV with a row for each school system. Replaces FILE and the options above."
)
@click.option(
    "--at-once",
    type=click.IntRange(min=1),
    help="With --systems: how many to plan at the same time.  [default: 1; on Spark 4]",
)
@click.option("--output", type=_path, help="Write the plan to this CSV file; with --systems, the plans to this folder.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document to stdout.")
@click.option(
    "--engine",
    type=click.Choice(["duckdb", "spark"]),
    default="duckdb",
    show_default=True,
    help="The engine that makes the plan. docs/scale.md says when to use Spark.",
)
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 8 if a guard would hold the plan.")
@click.pass_context
def plan(ctx: click.Context, /, systems: Path | None, at_once: int | None, **given: Any) -> int:
    """Show what FILE (- for stdin) would change: counts, guards that would hold it, and the plan. Change nothing.

    For one file, pass FILE, --mode and --orgs. For many school systems, pass --systems and --output. The file of
    --systems has the columns school_system, file, mode, orgs, and optionally accounts and mapping. Relative paths in it
    start in the folder of that file.
    """
    if systems:
        return _plan_systems(systems, at_once=at_once, **given)
    if at_once:
        raise UsageFault("--at-once works only with --systems.", fix="Leave it out for a single file.")
    for param in ctx.command.params:
        if param.name in ("file", "mode", "orgs") and given[param.name] is None:
            raise click.MissingParameter(ctx=ctx, param=param)
    return _plan_file(**given)


def _plan_file(
    *,
    file: str,
    mode: str,
    orgs: Path,
    accounts: Path | None,
    mapping: str | None,
    options: ReadingOptions,
    day: date | None,
    create_disabled: bool,
    two_people: tuple[str, ...],
    output: Path | None,
    engine: Literal["duckdb", "spark"],
    as_json: bool,
    detailed_exitcode: bool,
) -> int:
    from sis_sync.cli.plan_request import PlanRequest, exit_code_of_plan, make_requested_plan
    from sis_sync.cli.print_plan import print_plan, print_refusal

    if output:
        _refuse_unwritable(output)
    with _input(file) as path:
        request = PlanRequest(
            path,
            mode,
            orgs,
            accounts,
            mapping,
            options=options,
            creates_disabled=create_disabled,
            two_people=two_people,
            day=day,
        )
        try:
            with make_requested_plan(request, output=output, engine=engine) as made:
                print_plan(made, output=output, as_json=as_json)
                return exit_code_of_plan(made.plan, made.hits, detailed_exitcode=detailed_exitcode)
        except FileRefused as refusal:
            return print_refusal(refusal, as_json=as_json)


def _refuse_unwritable(output: Path) -> None:
    """Raise UsageFault if the plan cannot be written. Check this first, because planning a large file takes minutes."""
    if output.is_dir() or not output.parent.is_dir() or not os.access(output.parent, os.W_OK):
        raise UsageFault(
            f"The plan cannot be written to {output}.", fix="Name a file in an existing folder that you may write to."
        )


def _plan_systems(
    systems: Path,
    *,
    file: str | None,
    mode: str | None,
    orgs: Path | None,
    accounts: Path | None,
    mapping: str | None,
    options: ReadingOptions,
    day: date | None,
    create_disabled: bool,
    two_people: tuple[str, ...],
    output: Path | None,
    **given: Any,
) -> int:
    from sis_sync.cli import plan_systems

    of_one: dict[str, object] = {
        "FILE": file,
        "--mode": mode,
        "--orgs": orgs,
        "--accounts": accounts,
        "--mapping": mapping,
    }
    of_one |= {"--day": day, "--create-disabled": create_disabled or None, "--two-people": two_people or None}
    of_one |= {flag: word for word, flag in FLAGS.items() if word in options.as_words()}
    refused = [name for name, value in of_one.items() if value is not None]
    if refused:
        raise UsageFault(
            f"--systems cannot be combined with {', '.join(refused)}.",
            fix="Leave it out. The file of --systems says in each row what applies to one school system.",
        )
    if output is None:
        raise UsageFault("--systems needs --output.", fix="Name a folder for the plans of the school systems.")
    return plan_systems.plan_systems(systems, output=output, **given)


@contextmanager
def _input(file: str) -> Iterator[Path]:
    """Yield the path of the file. For `-`, yield the path of a copy of stdin."""
    if file != "-":
        yield Path(file)
        return
    if sys.stdin.isatty():
        raise UsageFault(
            "- reads the file from stdin, but stdin is a terminal.", fix="Pipe the file into the command, or name it."
        )
    with tempfile.TemporaryDirectory(prefix="sis-sync-") as folder:
        path = Path(folder) / "stdin"
        with path.open("wb") as out:
            shutil.copyfileobj(sys.stdin.buffer, out)
        yield path
