"""The reports of an ended run: fetch them, and write them next to the archived file."""

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from sis_sync.client.api import Api
from sis_sync.client.archive import companion_of
from sis_sync.client.journal import Delivery
from sis_sync.client.responses import NotThere
from sis_sync.client.sections import SectionMapping
from sis_sync.core.errors import ConfigurationError, FileRefused, NotPermitted, RunClosed
from sis_sync.core.modes import MODES
from sis_sync.core.whole_files import chunks_of, sha256_of, write_whole

if TYPE_CHECKING:
    from sis_sync.engine.duckdb import Session


def write_reports(api: Api, delivery: Delivery) -> list[Path]:
    """Write the results and the failed rows of the delivery's run next to its archived file. Return their paths.

    The results lack the rows that are unchanged or taken. The failed rows have all columns of the archived file, also
    those that the server does not keep. There are no results if the run was refused or superseded, if its stored
    plan is damaged, or if the key may not see them.
    """
    from sis_sync.engine.duckdb import open_session

    archived = Path(delivery.destination)
    results, failed = companion_of(archived, "results.csv"), companion_of(archived, "failed.csv")
    with tempfile.TemporaryDirectory(prefix="sis-sync-") as name, open_session(threads=1) as session:
        draft = Path(name) / "results.csv"
        try:
            api.download(delivery.run_id, "results.csv", draft, unchanged=False)
        except (NotThere, NotPermitted, RunClosed):
            return []
        write_whole(results, chunks_of(draft))
        _load(session, draft)
        if not session.value("SELECT count(*) FROM told WHERE action = 'failed'"):
            return [results]
        _write_failed_rows(api, session, delivery, draft)
        write_whole(failed, chunks_of(draft))
        return [results, failed]


def _load(session: "Session", results: Path) -> None:
    """Make the table `told` of a results file."""
    with results.open(encoding="utf-8") as file:
        columns = file.readline().strip().split(",")
    session.run(
        "CREATE TEMP TABLE told AS SELECT * REPLACE (CAST(nullif(line, '') AS BIGINT) AS line) "
        f"FROM {session.csv_source(results, columns)}"
    )


def _write_failed_rows(api: Api, session: "Session", delivery: Delivery, target: Path) -> None:
    """Write the failed rows as the archived file has them, or as the server has them if that file cannot be read."""
    from sis_sync.steps.pipeline import map_file
    from sis_sync.steps.report import write_failed_rows

    archived = Path(delivery.destination)
    is_as_it_came = sha256_of(archived) == delivery.sha256  # else it was written again as UTF-8
    try:
        roster = map_file(
            session,
            archived,
            mode=MODES[delivery.mode],
            mapping=SectionMapping(delivery.mapping_name, delivery.mapping_lines).rules(),
            options=delivery.options if is_as_it_came else replace(delivery.options, encoding=""),
        )
    except (FileRefused, ConfigurationError):
        api.download(delivery.run_id, "failed.csv", target)
    else:
        write_failed_rows(session, roster.records, target, of="told", all_columns=True)
