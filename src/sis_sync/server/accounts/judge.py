"""Judges typed values by the rules for files: one row goes through the engine's own steps."""

import csv
import tempfile
from pathlib import Path

from sis_sync.core.errors import FileRefused
from sis_sync.core.fields import FIELD_NAMES
from sis_sync.core.findings import FINDING_CODES
from sis_sync.core.wording import fill
from sis_sync.engine.duckdb import Session, open_session
from sis_sync.server.accounts.values import ORG_FIELD
from sis_sync.server.refused_values import ValuesRefused
from sis_sync.steps.pipeline import check_file

MEMORY_MB = 128
# By hand an account may do without an ID, and its org is chosen from a list.
NEEDED_IN_FILES_ONLY = ("custom_id.required", "custom_id.placeholder", f"{ORG_FIELD}.required")
WHOLE_ROW = "values"
UNREADABLE = "One of the values is too long or holds a character that no text may hold. Type it again."


def judge_values(values: dict[str, str]) -> dict[str, str]:
    """The ten values as they are stored: trimmed, spelled as in the lists, grade or position by user type.

    ValuesRefused with a message per field that is wrong. Orgs and other accounts are not looked at.
    """
    with open_session(memory_limit_mb=MEMORY_MB, threads=1) as session, tempfile.TemporaryDirectory() as folder:
        try:
            return judge_row(session, values, Path(folder) / "values.csv")
        except (FileRefused, UnicodeEncodeError) as refused:
            raise ValuesRefused({WHOLE_ROW: UNREADABLE}) from refused


def judge_row(session: Session, values: dict[str, str], path: Path) -> dict[str, str]:
    """Write the row, take it through read, map and validate, and give back what came out."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, FIELD_NAMES, quoting=csv.QUOTE_ALL)
        writer.writeheader()
        writer.writerow({name: values.get(name, "") for name in FIELD_NAMES})
    check_file(session, path)
    errors = dict(
        wording(code, value) for code, value in session.rows("SELECT code, value FROM findings ORDER BY code")
    )
    people = session.rows(f"SELECT {', '.join(FIELD_NAMES)} FROM people")
    errors.pop("", None)
    if errors or len(people) != 1:
        raise ValuesRefused(errors or {WHOLE_ROW: UNREADABLE})
    return dict(zip(FIELD_NAMES, people[0], strict=True))


def wording(code: str, value: str) -> tuple[str, str]:
    """The field and the message of one finding; an empty field where it is no fault by hand."""
    finding = FINDING_CODES[code]
    if finding.severity == "warning" or (code in NEEDED_IN_FILES_ONLY and not value):
        return "", ""
    if not finding.column:
        return WHOLE_ROW, UNREADABLE
    message = fill(finding.message, value=value).removeprefix(f"{finding.column}: ")
    message = message.removeprefix(finding.column).strip()
    colon = ":" if message.startswith('"') else ""
    return finding.column, f"{finding.column.replace('_', ' ').capitalize()}{colon} {message}."
