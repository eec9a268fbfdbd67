"""A guard is skipped if the plan lacks what it is about, and a table if it would be empty: that must hide no case."""

from dataclasses import replace
from pathlib import Path

import pytest
from kit.districts import ORGS, mixed_district
from kit.plans import at_night

from sis_sync.core.guards import GUARDS, STANDARD_GUARD_LIMITS, GuardHit, History
from sis_sync.core.modes import MODES
from sis_sync.core.plan import ROW_ACTIONS, Counts
from sis_sync.engine.duckdb import Session, open_session
from sis_sync.steps.guard.guard import guard, load_history
from sis_sync.steps.pipeline import PlanInput, plan_file
from sis_sync.steps.plan.plan import Plan

MANY = max(rule.least for rule in GUARDS)
EVERY_ACTION = Counts(rows=len(ROW_ACTIONS) * MANY, **dict.fromkeys((*ROW_ACTIONS, "delete", "disable"), MANY))
BASE_TABLES = ("changed", "arriving", "base", "leaving", "totals", "slices")


def all_hits(session: Session, plan: Plan) -> tuple[GuardHit, ...]:
    """Return the hits of all guards, none skipped."""
    for table in BASE_TABLES:
        session.run(f"DROP TABLE IF EXISTS {table}")
    return guard(session, replace(plan, counts=EVERY_ACTION), STANDARD_GUARD_LIMITS)


@pytest.mark.parametrize("mode", ["partial", "students"])
@pytest.mark.parametrize("known", ["some", *at_night("none")])
def test_skipped_guard_has_no_case(known: str, mode: str, tmp_path: Path) -> None:
    district = mixed_district(300)
    accounts = district.accounts if known == "some" else district.accounts.splitlines()[0] + "\n"
    for name, content in (("roster", district.roster), ("orgs", ORGS.encode()), ("accounts", accounts.encode())):
        (tmp_path / f"{name}.csv").write_bytes(content)
    given = PlanInput(tmp_path / "roster.csv", MODES[mode], tmp_path / "orgs.csv", tmp_path / "accounts.csv")
    with open_session() as session:
        plan, hits = plan_file(session, given)
        assert hits == all_hits(session, plan)


def test_no_history_has_the_same_columns(tmp_path: Path) -> None:
    (tmp_path / "changes.csv").write_text("7,1,yes,guard.drip,update,{},{}\n")
    columns = []
    for history in (History(), History(recent_changes=tmp_path / "changes.csv")):
        with open_session() as session:
            load_history(session, history)
            columns.append(session.rows("SELECT column_name, column_type FROM (DESCRIBE lately)"))
    assert columns[0] == columns[1]
