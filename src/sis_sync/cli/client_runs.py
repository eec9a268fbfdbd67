"""The commands for single files and runs on the server, and the commands that check the client: doctor and token."""

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sis_sync.cli.client import config_option, connected, load
from sis_sync.cli.reading_flags import reading_flags
from sis_sync.cli.terminal import may_ask, note
from sis_sync.core.errors import FileRefused, GaveUpWaiting, UsageFault
from sis_sync.core.modes import MODES
from sis_sync.core.reading_options import ReadingOptions
from sis_sync.core.run_states import DECIDABLE
from sis_sync.core.wording import counted

if TYPE_CHECKING:
    from sis_sync.client.responses import RunStatus

LONGEST_WAIT_SECONDS = 3600.0
json_option = click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--mode", type=click.Choice(list(MODES)), required=True, help="The mode of the file.")
@click.option("--mapper", help="Name of a mapping of client.properties, or of a preset.")
@reading_flags
@click.option("--wait", "is_waiting", is_flag=True, help="Wait until the run has ended or waits for a person.")
@click.option("--timeout", type=click.FloatRange(1, 86400), default=LONGEST_WAIT_SECONDS, help="Seconds to wait.")
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 8 if the run is held or waits for approval.")
@config_option
@json_option
def upload(
    file: Path,
    mode: str,
    mapper: str | None,
    options: ReadingOptions,
    is_waiting: bool,
    timeout: float,
    detailed_exitcode: bool,
    config_path: Path | None,
    as_json: bool,
) -> int:
    """Check FILE here and send it once. The file stays where it is."""
    from sis_sync.client.report import run_exit_code
    from sis_sync.client.upload import upload_file, wait_for

    config = load(config_path)
    if not file.is_file():
        raise FileRefused("file.not_found", f"There is no file {file}.", fix="Check the path.")
    with connected(config) as api:
        found = upload_file(api, config, file, mode=MODES[mode], mapper=mapper or "", options=options, announce=note)
        if is_waiting:
            found = wait_for(api, found, seconds=timeout)
    _print_run(found, as_json=as_json)
    if is_waiting and found.is_moving:
        raise GaveUpWaiting(
            f"Run {found.id} has not ended in {timeout:,.0f} seconds.", fix=f"sis-sync status {found.id}"
        )
    return run_exit_code(found, is_detailed=detailed_exitcode) if is_waiting else 0


@click.command()
@click.argument("run_id", metavar="[RUN]", required=False)
@config_option
@json_option
def status(run_id: str | None, config_path: Path | None, as_json: bool) -> None:
    """Show RUN, or the latest runs."""
    from sis_sync.cli.print_client import run_line

    with connected(load(config_path)) as api:
        if run_id:
            _print_run(api.get_run(run_id), as_json=as_json)
            return
        runs = api.list_runs()
    if as_json:
        click.echo(json.dumps({"schema_version": 1, "runs": [run.as_dict() for run in runs]}, ensure_ascii=False))
        return
    for found in runs:
        click.echo(f"{found.file_name} ({found.mode}): {run_line(found)}")
    if not runs:
        click.echo("No runs yet.")


@click.command()
@click.argument("run_id", metavar="RUN")
@click.option("--failed", "is_failed", is_flag=True, help="Only the failed rows, in the file's own format.")
@click.option("--output", type=click.Path(path_type=Path), help="Write to this file instead of stdout.")
@config_option
def results(run_id: str, is_failed: bool, output: Path | None, config_path: Path | None) -> None:
    """Print the results CSV of RUN."""
    import tempfile

    kind = "failed.csv" if is_failed else "results.csv"
    with connected(load(config_path)) as api, tempfile.TemporaryDirectory(prefix="sis-sync-") as folder:
        target = output or Path(folder) / kind
        api.download(run_id, kind, target)
        if output is None:
            sys.stdout.buffer.write(target.read_bytes())
            sys.stdout.buffer.flush()
        else:
            note(f"Wrote {output}.")


@click.command()
@click.argument("run_id", metavar="RUN")
@click.option("--digest", required=True, help="The digest of the plan that you have seen.")
@config_option
@json_option
def approve(run_id: str, digest: str, config_path: Path | None, as_json: bool) -> None:
    """Approve RUN with an API key. The key needs the right, and RUN must not be held or delete anyone."""
    with connected(load(config_path)) as api:
        _print_run(api.approve(run_id, digest), as_json=as_json)


@click.command()
@click.argument("run_id", metavar="RUN")
@click.option("--reason", required=True, help="Why; stored with the run.")
@config_option
@json_option
def reject(run_id: str, reason: str, config_path: Path | None, as_json: bool) -> None:
    """Reject RUN: nothing of it is ever applied."""
    with connected(load(config_path)) as api:
        _print_run(api.reject(run_id, reason), as_json=as_json)


@click.command()
@click.argument("run_id", metavar="RUN")
@config_option
@json_option
def cancel(run_id: str, config_path: Path | None, as_json: bool) -> None:
    """Cancel RUN, which this API key sent: its work stops and nothing of it is applied."""
    with connected(load(config_path)) as api:
        _print_run(api.cancel(run_id), as_json=as_json)


def _print_run(found: "RunStatus", *, as_json: bool) -> None:
    from sis_sync.cli.print_client import run_line

    if as_json:
        click.echo(json.dumps({"schema_version": 1, "run": found.as_dict()}, ensure_ascii=False))
        return
    click.echo(f"{found.file_name} ({found.mode}): {run_line(found)}")
    for guard in found.guards:
        click.echo(f"  held by {guard.get('code')}: {guard.get('message')}")
    if found.state in DECIDABLE and found.digest:
        note(f"Plan {found.digest}")


@click.command()
@config_option
@json_option
def doctor(config_path: Path | None, as_json: bool) -> int:
    """Examine settings, folders, rights, key, server, clock and disk. Exit with the code of the first that fails."""
    from sis_sync.client.doctor import FAIL, WARN, examine, exit_code_of

    checks = list(examine(load(config_path), now=datetime.now(UTC)))
    failed = sum(check.verdict == FAIL for check in checks)
    if as_json:
        document = {"schema_version": 1, "checks": [check.as_dict() for check in checks]}
        click.echo(json.dumps(document, ensure_ascii=False))
        return exit_code_of(checks)
    for check in checks:
        click.echo(f"{check.verdict:4} {check.part}: {check.message}")
        if check.fix:
            click.echo(f"     {check.fix}")
    warned = sum(check.verdict == WARN for check in checks)
    click.echo(f"{len(checks) - failed - warned} OK, {counted(warned, 'warning', 'warnings')}, {failed} failed")
    return exit_code_of(checks)


@click.group()
def token() -> None:
    """Store and test the API key."""


@token.command(name="set")
@config_option
def token_set(config_path: Path | None) -> None:
    """Read the key from the terminal or stdin, never from an argument, and store it next to the settings."""
    from sis_sync.client.api_key import checked_secret, store_secret
    from sis_sync.client.settings_file import find_settings_file

    path = find_settings_file(config_path)
    load(path)
    if sys.stdin.isatty() and not may_ask():
        raise UsageFault(
            "The key is read from stdin, but stdin is a terminal.", fix="sis-sync token set --no-input < FILE"
        )
    text = click.prompt("API key", hide_input=True, err=True) if may_ask() else sys.stdin.readline()
    click.echo(f"Wrote {store_secret(path, checked_secret(text))}; {path} names it.")


@token.command(name="test")
@config_option
def token_test(config_path: Path | None) -> None:
    """Ask the server if it accepts the key."""
    with connected(load(config_path)) as api:
        answer = api.ping()
    scopes = ", ".join(answer.get("scopes") or []).replace("_", " ")
    modes = ", ".join(answer.get("modes") or ["all"])
    click.echo(f"The key is good: {answer.get('school_system')}, modes {modes}, may {scopes}.")
