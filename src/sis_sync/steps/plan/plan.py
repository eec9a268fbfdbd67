"""Plan: one action per row, one per absent account (the sync rules' section 2).

Nothing is written; the plan is the dry run.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sis_sync.core.modes import Mode, OnAbsent
from sis_sync.core.plan import Counts
from sis_sync.core.whole_files import sha256_of
from sis_sync.engine.base import Engine
from sis_sync.engine.duckdb import Session
from sis_sync.engine.sql import sql_text
from sis_sync.steps.validate.validate import Judged, count_findings



@dataclass(frozen=True)
class Plan:
    """The session's table `plan` (line, action, custom_id, fields, codes, message), and its sums.

    `acts_on_absence`: whether accounts leave that are not in the file.
    """

    judged: Judged
    mode: Mode
    counts: Counts
    findings: dict[str, int]
    acts_on_absence: bool


def make_plan(session: Engine, judged: Judged, *, on_absent: OnAbsent = "delete") -> Plan:
    """Decide what each row and each absent account becomes. `on_absent` is a setting of the mode."""
    mode = judged.mode
    acts_on_absence = mode.judges_absence and on_absent != "nothing"
    session.run(
        sql_text(__package__, "absent"),
        on_absent=on_absent,
        judges_absence=acts_on_absence,
        mode_types=mode.user_types,
    )
    session.run(sql_text(__package__, "managers"))
    _judge_addresses(session)
    session.run(sql_text(__package__, "rows"))
    counts = _count(session, judged)
    return Plan(judged, mode, counts, count_findings(session, judged.roster), acts_on_absence)


def _judge_addresses(session: Engine) -> None:
    """Addresses are judged on the state after the run; failures travel along chains in doubling passes."""
    session.run(sql_text(__package__, "addresses"))
    longest_chain = session.value("SELECT count(*) FROM waits")
    for _ in range(longest_chain.bit_length()):
        session.run(sql_text(__package__, "addresses_pass"))
    session.run(sql_text(__package__, "taken"))


def _count(session: Engine, judged: Judged) -> Counts:
    """Counts checks that no record of the file is without an action."""
    counts = dict(session.rows("SELECT action, count(*) FROM plan GROUP BY action"))
    return Counts(rows=judged.roster.records.facts.rows, **counts)


def save_plan(
    session: Session, plan: Plan, path: Path, unchanged: Path, *, hash_password: Callable[[str], str] | None = None
) -> None:
    """Write the plan as two Parquet files: what is not unchanged, with new and old values, and what is.

    Passwords of rows that create an account, or would but for a fault that may be mended on our side, are hashed here
    and written nowhere else.
    """
    _hash_passwords(session, hash_password)
    session.run(sql_text(__package__, "save"), path=str(path), unchanged=str(unchanged))
    _assert_complete(session, plan, path, unchanged)


def plan_digest(*files: Path) -> str:
    """What a stored plan is known by: the SHA-256 of its files, one behind the other, in hex."""
    return sha256_of(*files)


def _assert_complete(session: Session, plan: Plan, *paths: Path) -> None:
    stored = sum(session.value("SELECT count(*) FROM read_parquet(:path)", path=str(path)) for path in paths)
    if stored != plan.counts.rows + plan.counts.leaving:
        raise AssertionError(f"{plan.counts.rows + plan.counts.leaving} rows in the plan, but {stored} were stored")


def _hash_passwords(session: Session, hash_password: Callable[[str], str] | None) -> None:
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
