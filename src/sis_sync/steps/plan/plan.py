"""Plan: decide one action per row and per absent account (section 2 of the sync rules). It changes no account."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sis_sync.core.modes import Mode, OnAbsent
from sis_sync.core.plan import Counts
from sis_sync.core.whole_files import sha256_of
from sis_sync.engine.base import Engine
from sis_sync.engine.duckdb import Session
from sis_sync.engine.sql import sql_text
from sis_sync.steps.read.read import Records
from sis_sync.steps.validate.validate import Judged, count_findings


@dataclass(frozen=True)
class Plan:
    """The result of make_plan. The session contains `plan` (line, action, custom_id, fields, codes, message).

    `findings` is the number of rows, columns or files with each code. `acts_on_absence`: absent accounts leave.
    """

    records: Records
    mode: Mode
    counts: Counts
    findings: dict[str, int]
    acts_on_absence: bool


def make_plan(session: Engine, judged: Judged, *, on_absent: OnAbsent = "delete") -> Plan:
    """Decide the action of each row and each absent account. `on_absent` is a setting of the mode."""
    records, mode = judged.records, judged.mode
    acts_on_absence = mode.judges_absence and on_absent != "nothing"
    session.run(
        sql_text(__package__, "absent"),
        on_absent=on_absent,
        judges_absence=acts_on_absence,
        mode_types=mode.user_types,
    )
    _judge_managers(session)
    _judge_addresses(session)
    session.run(sql_text(__package__, "rows"))
    actions = dict(session.rows("SELECT action, count(*) FROM plan GROUP BY action"))
    counts = Counts(rows=records.facts.rows, **actions)
    return Plan(records, mode, counts, count_findings(session, records), acts_on_absence)


def _judge_managers(session: Engine) -> None:
    """Keep the last active managers of the district: fail their rows, forget their absence."""
    session.run(sql_text(__package__, "leaving_managers"))
    if session.value("SELECT count(*) FROM leaving_managers"):
        session.run(sql_text(__package__, "managers"))


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


def save_plan(
    session: Session, plan: Plan, path: Path, unchanged: Path, *, hash_password: Callable[[str], str] | None = None
) -> None:
    """Write the plan to two Parquet files: `path` has the old and new values of all rows except the unchanged ones.

    `hash_password` hashes the passwords of rows that create an account, or that failed but could create one after
    the fault is corrected on the server. The hashes are stored nowhere else.
    """
    _hash_passwords(session, hash_password)
    session.run(sql_text(__package__, "save"), path=str(path), unchanged=str(unchanged))
    files = (path, unchanged)
    stored = sum(session.value("SELECT count(*) FROM read_parquet(:file)", file=str(file)) for file in files)
    if stored != plan.counts.rows + plan.counts.leaving:
        raise AssertionError(f"{plan.counts.rows + plan.counts.leaving} rows in the plan, but {stored} were stored")


def _hash_passwords(session: Session, hash_password: Callable[[str], str] | None) -> None:
    """Make `password_hashes` (line, password_hash)."""
    session.run("CREATE OR REPLACE TEMP TABLE password_hashes (line BIGINT, password_hash VARCHAR)")
    if hash_password is None:
        return
    given = session.rows(
        "SELECT r.line, r.password FROM roster AS r JOIN plan AS x ON x.line = r.line "
        "JOIN people AS p ON p.line = x.line "
        "WHERE x.action IN ('create', 'failed') AND NOT p.is_known AND r.password <> '' ORDER BY r.line"
    )
    rows = [{"line": line, "password_hash": hash_password(password)} for line, password in given]
    if rows:
        session.insert(
            "INSERT INTO password_hashes SELECT h.line, h.password_hash FROM "
            "(SELECT unnest(?::STRUCT(line BIGINT, password_hash VARCHAR)[]) AS h)",
            [rows],
        )


def plan_digest(*files: Path) -> str:
    """Return the SHA-256, in hex, of the files of a stored plan in this order. It identifies the plan."""
    return sha256_of(*files)
