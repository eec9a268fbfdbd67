"""Validate: find every fault of every row in one pass (section 4 of the file format).

Faults are stored as findings, never raised.
"""

from dataclasses import dataclass

from sis_sync.core.damaged_names import DAMAGED_PATTERN, WORDS_FOR_NOTHING
from sis_sync.core.fields import EMAIL_PATTERN, FIELDS
from sis_sync.core.findings import ERROR_CODES, FINDING_CODES
from sis_sync.core.modes import PARTIAL, Mode
from sis_sync.core.placeholder_ids import ERROR_WORDS
from sis_sync.core.wording import MOST_SHOWN
from sis_sync.engine.base import Engine
from sis_sync.engine.sql import bind, literal, sql_text
from sis_sync.steps.directory.directory import Directory
from sis_sync.steps.map.made import made_by_lines
from sis_sync.steps.map.map import Roster
from sis_sync.steps.map.settle import NOTHING_SETTLED, Settled
from sis_sync.steps.map.value_sql import is_placeholder
from sis_sync.steps.read.read import Records
from sis_sync.steps.validate.messages import word_findings

# The code points are format characters of Unicode 14 and 15, which the regular expressions of Java 17 do not know.
FORMAT_CHARACTERS = r"[\p{Cc}\p{Cf}\x{890}\x{891}\x{13439}-\x{1343F}]"
# What an account keeps is no fault of the file.
_KEEP_UNJUDGED = """
DELETE FROM rule_findings WHERE code IN :codes AND line IN (SELECT line FROM people WHERE keeps_values)
"""
_KEEP_UNJUDGED_WHILE_LIVE = """
DELETE FROM rule_findings WHERE code IN :codes
  AND line IN (SELECT line FROM people WHERE keeps_values AND NOT is_deleted)
"""
_TELL_KEPT = "INSERT INTO rule_findings SELECT line, code, given, other FROM kept_values"
# Reading and mapping find these and store them in `codes` of cells and broken, `early_codes` of roster and people.
EARLY_CODES = (
    "row.columns",
    "row.quote",
    "row.encoding",
    "row.control_character",
    "user_type.unknown",
    "grade.unknown",
    "status.unknown",
    "org.unknown",
)


@dataclass(frozen=True)
class Judged:
    """The result of validate. The session contains `people`, `ignored`, `findings` and `failed` (lines with an error).

    `findings` is the number of rows, columns or files with each code. `settled` is what the accounts decided before.
    """

    records: Records
    mode: Mode
    findings: dict[str, int]
    failed_rows: int
    settled: Settled = NOTHING_SETTLED


def validate(
    session: Engine,
    roster: Roster,
    directory: Directory | None,
    mode: Mode | None,
    *,
    keeps_everyone: bool = False,
    creates_disabled: bool = True,
    settled: Settled = NOTHING_SETTLED,
) -> Judged:
    """Check all rows. Without a directory, skip the orgs and accounts; without a mode, allow every user type.

    With `keeps_everyone`, ignore the rows that would disable an account. Without `creates_disabled`, ignore Disabled
    people who have no account.
    """
    records = roster.records
    mode = mode or PARTIAL
    session.run(sql_text(__package__, "people").replace(":is_placeholder", is_placeholder("r.custom_id")))
    _run_rules(session, records, mode, are_orgs_known=directory is not None)
    for kept, statement in ((settled.kept, _KEEP_UNJUDGED), (settled.kept_while_live, _KEEP_UNJUDGED_WHILE_LIVE)):
        if codes := tuple(code.code for code in FINDING_CODES.values() if code.column in kept):
            session.run(statement, codes=codes)
    if settled.has_remarks:
        session.run(_TELL_KEPT)
    session.run(
        sql_text(__package__, "names"),
        words=WORDS_FOR_NOTHING,
        error_words=tuple(word.lower() for word in ERROR_WORDS),
    )
    # Preparing the pattern takes longer than all other rules of a small file.
    if session.value("SELECT count(*) FROM odd_names"):
        session.run(sql_text(__package__, "odd_names"), damaged=DAMAGED_PATTERN)
    session.run(sql_text(__package__, "known_people"))
    session.run(sql_text(__package__, "ignored"), keeps_everyone=keeps_everyone, creates_disabled=creates_disabled)
    if session.value("SELECT count(*) FROM repeated"):
        session.run(sql_text(__package__, "duplicates"))
    session.run(sql_text(__package__, "sharing"), email_pattern=EMAIL_PATTERN)
    if session.value("SELECT count(*) FROM sharing"):
        session.run(sql_text(__package__, "repeated_addresses"))
    _load_made_by_lines(session, records)
    session.run(sql_text(__package__, "collect"), errors=ERROR_CODES)
    findings = count_findings(session, records)
    word_findings(session, codes=findings, file_name=records.facts.name)
    return Judged(records, mode, findings, session.value("SELECT count(*) FROM failed"), settled)


def _run_rules(session: Engine, records: Records, mode: Mode, *, are_orgs_known: bool) -> None:
    limits = {f"{field.name}_max": field.max_length for field in FIELDS if field.max_length}
    early = ", ".join(f"({literal(code)})" for code in EARLY_CODES)
    text = sql_text(__package__, "rules").replace(":early_codes", f"(VALUES {early})")
    text = text.replace(":missing_cells", f"(VALUES {_missing_cells(records)})")
    session.run(
        bind(
            text,
            **limits,
            email_pattern=EMAIL_PATTERN,
            mode_types=mode.user_types,
            format_characters=FORMAT_CHARACTERS,
            columns=records.facts.columns,
            are_orgs_known=are_orgs_known,
        )
    )


def _load_made_by_lines(session: Engine, records: Records) -> None:
    """Make `made_by_lines`, the lines of the mapping that may have made a wrong value (see map/made.py)."""
    lines = made_by_lines(records.columns, records.mapping)
    session.run(
        "CREATE TEMP TABLE made_by_lines (code VARCHAR, place BIGINT, letter VARCHAR, line VARCHAR, says_value BOOLEAN)"
    )
    if lines:
        rows = ", ".join(literal((each.code, each.place, each.letter, each.line, each.says_value)) for each in lines)
        session.run(f"INSERT INTO made_by_lines VALUES {rows}")


def _missing_cells(records: Records) -> str:
    """Return SQL rows: the number of cells of a record that is too short, and the columns that it lacks."""
    names = [name.strip() or f"column {place}" for place, name in enumerate(records.columns.header, start=1)]
    rows = ((width, f"no {', '.join(names[width:])}"[: MOST_SHOWN + 1]) for width in range(len(names)))
    return ", ".join(map(literal, rows))


def count_findings(session: Engine, records: Records) -> dict[str, int]:
    """Count the rows, columns or files with each code, sorted by code."""
    counts = {warning.code: 0 for warning in records.warnings}
    for warning in records.warnings:
        counts[warning.code] += 1
    rows = session.rows(
        "SELECT code, count(*) FROM (SELECT code FROM findings UNION ALL SELECT code FROM ignored) GROUP BY code"
    )
    return dict(sorted({**counts, **dict(rows)}.items()))
