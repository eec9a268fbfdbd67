"""Plan: decide one action per row and per absent account (section 2 of the sync rules). It changes no account."""

from dataclasses import dataclass
from pathlib import Path

from sis_sync.core.fields import NAME_FIELDS
from sis_sync.core.modes import Mode, OnAbsent
from sis_sync.core.plan import Counts
from sis_sync.core.whole_files import sha256_of
from sis_sync.engine.base import Engine
from sis_sync.engine.duckdb import Session
from sis_sync.engine.sql import literal, sql_text
from sis_sync.steps.map.settle import NOTHING_SETTLED, Settled
from sis_sync.steps.read.read import Records
from sis_sync.steps.validate.validate import Judged, count_findings

# The fields that `people` contains twice: as they would be stored, and as they are after mapping (given_*).
GIVEN = ("user_type", "position", "grade", "status")
_COUNTED = """
SELECT (SELECT count(*) FROM brought_passwords WHERE is_newcomer) AS of_newcomers,
  (SELECT count(*) FROM brought_passwords WHERE is_set AND NOT is_newcomer) AS of_existing,
  (SELECT count(*) FROM plan AS x JOIN people AS p ON p.line = x.line
   WHERE x.action = 'create' AND p.status = 'Disabled') AS disabled
"""
# The messages of a plan without findings. Preparing the query that words them is a tenth of the work on a small file.
_NO_REMARKS = """
CREATE OR REPLACE TEMP VIEW remarks AS
SELECT CAST(NULL AS BIGINT) AS line, '' AS codes, '' AS message WHERE FALSE
"""


@dataclass(frozen=True)
class Plan:
    """The result of make_plan. The session contains `plan` (line, action, custom_id, fields, codes, message).

    `findings` is the number of rows, columns or files with each code. `acts_on_absence`: absent accounts leave.
    `newcomers_with_password` is the number of accounts to create whose row brings a password, `passwords_of_existing`
    the number of other accounts that get one, `disabled_newcomers` the number of accounts to create that are Disabled,
    and `ended_edits` the number of rows that end an edit of a name. `settled` is what the accounts decided before.
    """

    records: Records
    mode: Mode
    counts: Counts
    findings: dict[str, int]
    acts_on_absence: bool
    newcomers_with_password: int = 0
    passwords_of_existing: int = 0
    disabled_newcomers: int = 0
    ended_edits: int = 0
    settled: Settled = NOTHING_SETTLED


def make_plan(session: Engine, judged: Judged, *, on_absent: OnAbsent = "delete") -> Plan:
    """Decide the action of each row and each absent account. `on_absent` is a setting of the mode."""
    acts_on_absence = judged.mode.judges_absence and on_absent != "nothing"
    session.run(
        sql_text(__package__, "absent"),
        on_absent=on_absent,
        judges_absence=acts_on_absence,
        mode_types=judged.mode.user_types,
    )
    return decide(session, judged, acts_on_absence=acts_on_absence)


def decide(session: Engine, judged: Judged, *, acts_on_absence: bool) -> Plan:
    """Decide the action of each row, and of each account in the table `absent`."""
    session.run(sql_text(__package__, "leaving_managers"))
    if session.value("SELECT count(*) FROM leaving_managers"):  # keep the last active managers of the district
        session.run(sql_text(__package__, "managers"))
    _judge_addresses(session)
    findings = count_findings(session, judged.records)
    if not findings:
        session.run(_NO_REMARKS)
    session.run(sql_text(__package__, "rows"))
    session.run(sql_text(__package__, "passwords"))
    actions = dict(session.rows("SELECT action, count(*) FROM plan GROUP BY action"))
    records = judged.records
    actions["unchanged"] = actions.get("unchanged", 0) + session.value("SELECT people FROM pair_totals")
    counts = Counts(rows=records.facts.rows, **actions)
    with_password, of_existing, disabled = session.rows(_COUNTED)[0]
    return Plan(
        records,
        judged.mode,
        counts,
        findings,
        acts_on_absence,
        newcomers_with_password=with_password,
        passwords_of_existing=of_existing,
        disabled_newcomers=disabled,
        settled=judged.settled,
    )


def mark_rows(session: Session) -> int:
    """Make `marks` (see marks.sql). Return the number of rows with which edited names end."""
    session.run(sql_text(__package__, "marks"))
    return int(session.value("SELECT count(*) FROM marks WHERE ended_edits <> ''"))


def _judge_addresses(session: Engine) -> None:
    """Fail the rows whose address is not free after the run. Each pass follows chains of rows twice as far."""
    session.run(sql_text(__package__, "clashes"))
    if not session.value("SELECT count(*) FROM clashes"):
        return
    session.run(sql_text(__package__, "addresses"))
    longest_chain = session.value("SELECT count(*) FROM waits")
    for _ in range(longest_chain.bit_length()):
        session.run(sql_text(__package__, "addresses_pass"))
    session.run(sql_text(__package__, "taken"))


def save_plan(session: Session, plan: Plan, path: Path, unchanged: Path, *, has_values: bool = False) -> None:
    """Write the plan to three Parquet files: `path` has the old and new values of all rows except the unchanged ones.

    An unchanged row is in it if it has a mark (see marks.sql). `unchanged` has the line and the custom ID of the other
    unchanged rows, the file of `notes_of` has more of a few of them. No password is in any file. `brings_password`
    marks the rows whose password is set. With `has_values`, the notes have the values of all unchanged rows, because
    reading the file again would not give them.
    """
    parts = {"path": path, "unchanged": unchanged, "notes": notes_of(unchanged)}
    session.run(
        sql_text(__package__, "save"), **{name: str(part) for name, part in parts.items()}, has_values=has_values
    )
    files = (path, unchanged)
    stored = sum(session.value("SELECT count(*) FROM read_parquet(:file)", file=str(file)) for file in files)
    if stored != plan.counts.rows + plan.counts.leaving:
        raise AssertionError(f"{plan.counts.rows + plan.counts.leaving} rows in the plan, but {stored} were stored")


def notes_of(unchanged: Path) -> Path:
    """Return the file that has more of some unchanged rows: findings and names, or all values."""
    return unchanged.with_name(f"{unchanged.stem}-notes{unchanged.suffix}")


def unchanged_rows(unchanged: Path) -> str:
    """Return the query of the unchanged rows of a stored plan. What only the file has is NULL.

    Plans of earlier versions have no notes: all is in one file.
    """
    notes = notes_of(unchanged)
    values = ("email", "school_district_external_id", *(f"given_{name}" for name in GIVEN))
    columns = ", ".join(f"n.{name}" for name in (*NAME_FIELDS, *values))
    return (
        "SELECT u.line, 'unchanged' AS action, u.custom_id, '' AS fields, coalesce(n.codes, '') AS codes, "
        f"coalesce(n.message, '') AS message, {columns} FROM read_parquet({literal(unchanged)}) AS u "
        f"LEFT JOIN read_parquet({literal(notes if notes.is_file() else unchanged)}) AS n ON n.line = u.line"
    )


def plan_digest(*files: Path) -> str:
    """Return the SHA-256, in hex, of the files of a stored plan in this order. It identifies the plan."""
    return sha256_of(*files)
