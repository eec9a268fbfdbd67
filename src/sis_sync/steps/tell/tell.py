"""Tell: reduce a plan to what the sender of its file may learn (section 4 of the sync rules).

A sender that may only upload learns nothing about people here: the senders of two school systems that differ only in
their accounts are told the same, except for which rows failed. Another sender may see the results of its own rows.
DuckDB reduces the plans of every engine.
"""

from collections.abc import Collection
from dataclasses import dataclass

from sis_sync.core.findings import (
    ASK_A_MANAGER,
    DECIDED_BY_FILE,
    KEEPING_CODES,
    NAMING_CODES,
    OTHER_ACCOUNT,
    OWN_VALUE,
)
from sis_sync.engine.duckdb import Session
from sis_sync.engine.sql import quoted, sql_text
from sis_sync.steps.directory.directory import Directory
from sis_sync.steps.map.map import Roster
from sis_sync.steps.map.settle import settle
from sis_sync.steps.plan.plan import Plan
from sis_sync.steps.read.read import Records
from sis_sync.steps.validate.messages import make_messages
from sis_sync.steps.validate.validate import validate

# The tables of the file, the directory and the plan. All others follow from them.
_KEPT = (
    *("cells", "kept_cells", "broken", "broken_by_cell", "broken_cells", "roster", "password_rows"),
    *("orgs", "accounts", "name_edits", "two_people", "listed_values", "plan"),
)
# Findings about an address or a name that an account may keep.
_JUDGED_AS_STORED = ("email.taken", "email.taken_unmanaged", "name.placeholder", "name.damaged")

_MADE = """
SELECT 'VIEW', view_name FROM duckdb_views() WHERE temporary AND NOT internal
UNION ALL SELECT 'TABLE', table_name FROM duckdb_tables() WHERE temporary AND NOT internal
"""


@dataclass(frozen=True)
class Told:
    """The number of taken, ignored and failed rows, and the number of rows, columns or files with each code.

    A row is taken if it is neither ignored nor failed. Whether it changes anything is not told.
    """

    counts: dict[str, int]
    findings: dict[str, int]


def tell_of_rows(session: Session, plan: Plan) -> None:
    """Make `told` of the plan's rows, with their actions, codes and messages, but without absent people."""
    hidden = {"naming_codes": NAMING_CODES, "other_account": OTHER_ACCOUNT}
    hidden |= {"keeping_codes": KEEPING_CODES, "own_value": OWN_VALUE, "judged_as_stored": _JUDGED_AS_STORED}
    session.run(sql_text(__package__, "of_rows"), **hidden)
    _make_told(session, plan.records, names_accounts=True)


def tell_of_file(session: Session, plan: Plan, *, page: str) -> Told:
    """Make `told` of what the file alone decides, and of the rows that failed. Return its counts.

    If only a manager may see the reason, the message names `page`, the address of the run's page. Call this last,
    because it may replace the findings in the session.
    """
    by_accounts = "SELECT count(*) FROM ignored WHERE code NOT IN :decided_by_file OR code = 'row.other_org'"
    if plan.settled.by_accounts or session.value(by_accounts, decided_by_file=DECIDED_BY_FILE):
        # A row that its account makes ignored has no other findings, and other rows may share its address without one.
        # Which row of a person counts, and a value that an account keeps, depend on the account too. So validate the
        # file again as if there were no accounts.
        _drop(session, [name for _, name in session.rows(_MADE) if name not in _KEPT])
        session.run("DELETE FROM accounts; DELETE FROM name_edits")
        settled = settle(session, plan.records)
        validate(session, Roster(plan.records), Directory(), plan.mode, settled=settled)
    session.run(
        sql_text(__package__, "of_file"),
        decided_by_file=DECIDED_BY_FILE,
        ask_a_manager=ASK_A_MANAGER.code,
        page=page,
    )
    _make_told(session, plan.records, names_accounts=False)
    actions = dict(session.rows("SELECT action, count(*) FROM told_rows GROUP BY action"))
    findings = dict(session.rows("SELECT code, count(*) FROM told_findings GROUP BY code"))
    for warning in plan.records.warnings:
        findings[warning.code] = findings.get(warning.code, 0) + 1
    ignored, failed = actions.get("ignored", 0), actions.get("failed", 0)
    counts = {"taken": plan.counts.rows - ignored - failed, "ignored": ignored, "failed": failed}
    return Told(counts, dict(sorted(findings.items())))


def _make_told(session: Session, records: Records, *, names_accounts: bool) -> None:
    """Make `told`, which has the columns of `plan` but `fields`, because that would answer guesses of values."""
    _drop(session, ["all_findings", "said", "remarks"])
    session.run("CREATE TEMP VIEW all_findings AS SELECT * FROM told_findings")
    codes = [code for (code,) in session.rows("SELECT DISTINCT code FROM told_findings")]
    make_messages(session, codes=codes, file_name=records.facts.name, names_accounts=names_accounts)
    session.run(
        "CREATE OR REPLACE TEMP TABLE told AS SELECT r.line, r.action, r.custom_id, "
        "coalesce(m.codes, '') AS codes, coalesce(m.message, '') AS message "
        "FROM told_rows AS r LEFT JOIN remarks AS m ON m.line = r.line"
    )


def _drop(session: Session, names: Collection[str]) -> None:
    """Drop the tables and views of these names that exist. Spark returns as tables what are views in DuckDB."""
    found = [(kind, name) for kind, name in session.rows(_MADE) if name in names]
    if found:
        session.run("; ".join(f"DROP {kind} {quoted(name)}" for kind, name in found))
