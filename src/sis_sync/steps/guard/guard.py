"""Guard: check the limits that hold a plan, before anything is written (section 3 of the sync rules).

Each guard is one .sql file in this folder. It returns a row (subject, found, base, bound) for each case over the limit,
the whole before its parts.
"""

from dataclasses import asdict

from sis_sync.core.fields import EMAIL_PATTERN
from sis_sync.core.guards import GUARDS, NO_HISTORY, RECENT_COLUMNS, Guard, GuardHit, GuardLimits, History
from sis_sync.core.modes import Mode
from sis_sync.core.wording import Count, percent
from sis_sync.engine.base import Engine
from sis_sync.engine.duckdb import Session
from sis_sync.engine.sql import bind, sql_text
from sis_sync.steps.plan.plan import Plan

NAMELESS_ORG = "an org without an external ID"  # in messages; the SQL uses an empty text for all orgs together
MOST_NAMED = 5  # of the other cases of a guard

HISTORY_TABLES = ("previous_rows", "lately")
_PREVIOUS_ROWS = """
INSERT INTO previous_rows SELECT max(line), custom_id FROM read_parquet([:changing, :unchanged], union_by_name = true)
WHERE line > :after AND custom_id <> '' GROUP BY custom_id
"""
# What recent.sql makes of no changes. Preparing its query takes longer than all other guards of a small file.
_NO_RECENT_CHANGES = """
CREATE TEMP TABLE lately (account_id VARCHAR, is_import BOOLEAN, left_lately BOOLEAN, has_arrived BOOLEAN,
  was_enabled BOOLEAN, has_new_address BOOLEAN, has_new_name BOOLEAN, has_new_org BOOLEAN, has_new_type BOOLEAN,
  base_status VARCHAR, base_org VARCHAR, base_type VARCHAR)
"""


def load_history(session: Session, history: History) -> None:
    """Make `previous_rows` (line and custom_id of the last applied file) and `lately` (see recent.sql).

    Call it before another engine starts, because only DuckDB reads files.
    """
    load_recent_changes(session, history)
    load_previous_rows(session, history)


def load_previous_rows(session: Session, history: History, *, after: int = 0) -> None:
    """Make `previous_rows` of the rows after this line of the last applied file."""
    session.run("CREATE TEMP TABLE previous_rows (line BIGINT, custom_id VARCHAR)")
    if history.last_plan:
        session.run(_PREVIOUS_ROWS, **previous_files(session, history), after=after)


def previous_files(session: Session, history: History) -> dict[str, str]:
    """Return the paths of the last applied plan's two files as values for SQL: `changing` and `unchanged`."""
    names = (str(session.plainly_named(part)) for part in history.last_plan)
    return dict(zip(("changing", "unchanged"), names, strict=True))


def load_recent_changes(session: Session, history: History) -> None:
    """Make `lately`."""
    if not history.recent_changes:
        session.run(_NO_RECENT_CHANGES)
        return
    changes = session.csv_source(history.recent_changes, RECENT_COLUMNS, skip=0)
    session.run(f"CREATE TEMP VIEW recent_changes AS SELECT * FROM {changes}")
    session.run(sql_text(__package__, "recent"))


def guard(session: Engine, plan: Plan, limits: GuardLimits, history: History | None = None) -> tuple[GuardHit, ...]:
    """Return the guards that hold this plan, in the order of the rules.

    load_history must have made its tables. Without `history`, the guards that need it are skipped.
    """
    checked = [rule for rule in GUARDS if _may_hold(rule, plan, has_history=history is not None)]
    if plan.counts.changes:  # only guards of changes read these tables
        session.run(sql_text(__package__, "base"), mode_types=plan.mode.user_types, nameless_org=NAMELESS_ORG)
        if any("slices" in sql_text(__package__, rule.name) for rule in checked):
            session.run(sql_text(__package__, "slices"))
    earlier = history or NO_HISTORY
    most_new, most_changed, most_leaving = earlier.most_of_runs or (0, 0, 0)
    values: dict[str, object] = {
        **asdict(limits),
        "has_final_newline": plan.records.facts.has_final_newline,
        "nameless_org": NAMELESS_ORG,
        "email_pattern": EMAIL_PATTERN,
        "mode_types": plan.mode.user_types,
        "acts_on_absence": plan.acts_on_absence,
        "last_rows": earlier.last_rows,
        "had_deleting_sync": earlier.had_deleting_sync,
        "recent_passwords": earlier.recent_passwords,
        "recent_passwords_of_existing": earlier.recent_passwords_of_existing,
        "recent_password_tries": earlier.recent_password_tries,
        "knows_runs": earlier.most_of_runs is not None,
        "most_new": most_new,
        "most_changed": most_changed,
        "most_leaving": most_leaving,
        "is_first_import": plan.counts.create > 0 and is_first_import(session, plan.mode, earlier),
    }
    hits = (_check(session, rule, values) for rule in checked)
    return tuple(hit for hit in hits if hit is not None)


def is_first_import(session: Engine, mode: Mode, history: History) -> bool:
    """Return True if the directory has no managed account of the mode's types, not even a deleted one, and never had.

    Otherwise a sender could give a few people other types, and then add any number of those types.
    """
    known = "SELECT count(*) FROM accounts WHERE custom_id <> '' AND user_type IN :mode_types"
    if history.has_retyped_all or session.value("SELECT people FROM pair_totals"):
        return False
    return not session.rows(bind(known, mode_types=mode.user_types))[0][0]


def count_leaving(session: Session) -> int:
    """Return how many accounts the plan deletes or disables. The session has the tables of the plan."""
    going = "old_status = 'Active' AND status = 'Disabled' AND NOT is_deleted"
    absent, disabled = "SELECT count(*) FROM absent", f"SELECT count(*) FROM differences WHERE {going}"
    return int(session.value(absent)) + int(session.value(disabled))


def _may_hold(rule: Guard, plan: Plan, *, has_history: bool) -> bool:
    actions = plan.counts.as_dict()
    of_rule = sum(actions[action] for action in rule.of_actions)
    return of_rule >= rule.least and (has_history or not rule.needs_history)


def _check(session: Engine, rule: Guard, values: dict[str, object]) -> GuardHit | None:
    found = session.rows(bind(sql_text(__package__, rule.name), **values))
    if not found:
        return None
    _, count, base, limit = found[0]
    return GuardHit(rule.code, _message(rule, found), count, base, limit)


def _message(rule: Guard, found: list[tuple[str, int, int, str]]) -> str:
    """Return the sentence of the first case, followed by the names of the others.

    The same subject again is the same people, counted once for the mode and once for the whole school system.
    """
    subject, count, base, limit = found[0]
    share = percent(count, base) or "all"
    message = rule.message.format(subject=subject, count=Count(count), base=Count(base), percent=share, limit=limit)
    message = " ".join(message.split())
    others = [case for case in found[1:] if case[0] != subject]
    return f"{message} {_also(others)}" if others else message


def _also(found: list[tuple[str, int, int, str]]) -> str:
    """Return the other cases, the largest first: Also at 020 (12 of 14), Student (8 of 20) and 3 more."""
    largest = sorted(found, key=lambda case: (-case[1], case[0]))[:MOST_NAMED]
    named = ", ".join(f"{subject} ({count:,} of {base:,})" for subject, count, base, _ in largest)
    more = len(found) - len(largest)
    return f"Also {named} and {more:,} more." if more else f"Also {named}."
