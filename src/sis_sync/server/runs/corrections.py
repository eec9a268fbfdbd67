"""Corrects the failed rows of a run, in the page or by file. The correction is always a partial run.

In the page, only the fields with a fault can be changed. The others, above all the custom ID, come from the
stored plan, so that no spreadsheet and no typing error can create a second account for the same person.
"""

import csv
import io
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import IO, Any

from sis_sync.core.errors import ConfigurationError, FileRefused, NotPermitted, UsageFault
from sis_sync.core.fields import FIELD_NAMES, PASSWORD
from sis_sync.core.findings import FINDING_CODES
from sis_sync.core.modes import MODES, PARTIAL
from sis_sync.server.accounts.models import Account
from sis_sync.server.runs.files import reading_session, run_files, unless_gone
from sis_sync.server.runs.models import Run
from sis_sync.server.runs.passwords import kept_passwords
from sis_sync.server.runs.permission import may_decide
from sis_sync.server.runs.planning import mapping_of
from sis_sync.server.runs.receive import Upload, receive_run
from sis_sync.server.runs.selectors import refuse_removed_report
from sis_sync.steps.read.keep import had_passwords

MOST_ROWS = 50
NO_PASSWORDS: Mapping[int, str] = {}
MOST_CHARACTERS = 3_000  # of all values of a row: more than twice of what a valid one has
# A record that could not be split has no values, and no page should show those of a row that are far too long. Such
# rows can be corrected in the file only.
_FAILED = f"""
SELECT line, account_id <> '' AS is_known, codes, message, {", ".join(FIELD_NAMES)} FROM read_parquet(:plan)
WHERE action = 'failed' AND concat({", ".join(name for name in FIELD_NAMES if name != "custom_id")}) <> ''
  AND length(concat({", ".join(FIELD_NAMES)})) <= {MOST_CHARACTERS}
ORDER BY line
"""


@dataclass(frozen=True)
class FailedRow:
    """A row that failed. `open_fields` may be changed: those with a fault, or nearly all if no field has it.

    `is_password_kept`: the row brought a password, which is still kept and is sent with the corrected row.
    `needs_password`: the file had passwords, but none is kept for this row of a new person.
    """

    line: int
    codes: tuple[str, ...]
    message: str
    values: dict[str, str]
    open_fields: tuple[str, ...]
    is_password_kept: bool
    needs_password: bool


def failed_rows(run: Run, *, most: int = MOST_ROWS) -> tuple[FailedRow, ...]:
    """Return the first failed rows that can be corrected one by one."""
    plan = run_files(run).plan
    if not run.counts.get("failed") or run.mode not in MODES:
        return ()
    found, has_column = [], False
    with unless_gone(plan), reading_session() as session:
        found = session.rows(f"{_FAILED} LIMIT {most:d}", plan=str(plan))
        with suppress(FileRefused, ConfigurationError):  # this version may refuse what an earlier one read
            has_column = had_passwords(session, run_files(run).reading, mapping=mapping_of(run))
    kept = kept_passwords(run, [line for line, *_ in found]) if has_column else {}
    return tuple(_row(*row, is_password_kept=row[0] in kept, has_column=has_column) for row in found)


def send_corrections(
    *,
    run: Run,
    corrected: Mapping[int, Mapping[str, str]],
    passwords: Mapping[int, str] = NO_PASSWORDS,
    promised: Collection[int] = (),
    by: Account,
    now: datetime,
) -> Run:
    """Return a partial run of these rows, by their lines, with new values for fields that may be changed.

    A row has the password of `passwords`, or else the one that it brought, if that is still kept. Those of the lines
    in `promised` must be: the page said that they are sent too.
    Raise UsageFault if there are no rows or a promised password is gone, NotPermitted or ReportRemoved.
    """
    _check_may_correct(run, by)
    rows = [row for row in failed_rows(run) if row.line in corrected]
    if not rows:
        raise UsageFault("No row was corrected.", fix="Change a value, or tick a row to send it again as it is.")
    brought = {**kept_passwords(run, corrected), **passwords}
    _refuse_lost(row.line for row in rows if row.line in promised and row.line not in brought)
    columns = (*FIELD_NAMES, PASSWORD) if any(brought.get(row.line) for row in rows) else FIELD_NAMES
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, extrasaction="ignore", quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writeheader()
    for row in rows:
        allowed = {name: value for name, value in corrected[row.line].items() if name in row.open_fields}
        writer.writerow({**row.values, **allowed, PASSWORD: brought.get(row.line, "")})
    file = io.BytesIO(text.getvalue().encode())
    return receive_run(_upload(run, by, file=file, file_name=f"corrections-of-run-{run.pk}.csv"), now=now)


def _refuse_lost(lines: Iterable[int]) -> None:
    if lost := ", ".join(map(str, lines)):
        raise UsageFault(
            f"Line {lost}: the password that the file brought is not kept any more, because the run was decided "
            "meanwhile. Nothing was sent.",
            fix="Type a password where the page now asks for one, or send the rows again without it.",
        )


def send_corrected_file(*, run: Run, file: IO[bytes], file_name: str, by: Account, now: datetime) -> Run:
    """Return a partial run of a corrected file, read with the mapping of the run that it corrects."""
    _check_may_correct(run, by)
    mapped = {"mapping_lines": run.mapping_lines, "mapping_name": run.mapping_name}
    return receive_run(_upload(run, by, file=file, file_name=file_name, **mapped), now=now)


def _row(
    line: int, is_known: bool, codes: str, message: str, *values: str, is_password_kept: bool, has_column: bool
) -> FailedRow:
    found = tuple(code for code in codes.split(";") if code in FINDING_CODES)
    errors = [FINDING_CODES[code] for code in found if FINDING_CODES[code].severity == "error"]
    columns = {"" if code.code.startswith("account.") else code.column for code in errors}  # the ID is right
    # If no field has the fault, all may be changed except the custom ID, which says who the person is.
    whole_row = {name for name in FIELD_NAMES if name != "custom_id"} if columns <= {""} else set()
    opened = tuple(name for name in FIELD_NAMES if name in columns | whole_row)
    return FailedRow(
        line=line,
        codes=found,
        message=message,
        values=dict(zip(FIELD_NAMES, values, strict=True)),
        open_fields=opened,
        is_password_kept=is_password_kept,
        needs_password=has_column and not is_password_kept and not is_known,
    )


def _check_may_correct(run: Run, by: Account) -> None:
    if not may_decide(run=run, actor=by):
        raise NotPermitted("You do not manage the org of this run, so you cannot correct its rows.")
    refuse_removed_report(run)
    if run.mode not in MODES or not run.counts.get("failed"):
        raise UsageFault(f"Run {run.pk} has no failed rows.", fix="Send a partial file instead.")


def _upload(run: Run, by: Account, **values: Any) -> Upload:
    return Upload(scope_org=run.scope_org, mode=PARTIAL.name, based_on=run, by=by, **values)
