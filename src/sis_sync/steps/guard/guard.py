"""Guard: the limits that hold a plan, checked on the plan, before anything is written (the sync rules' section 3)."""

from dataclasses import asdict

from sis_sync.core.guards import GUARDS, Guard, GuardHit, GuardLimits, History
from sis_sync.core.mojibake import MOJIBAKE_PATTERN
from sis_sync.core.wording import Count, percent
from sis_sync.engine.base import Engine
from sis_sync.engine.duckdb import Session
from sis_sync.engine.sql import bind, sql_text
from sis_sync.steps.plan.plan import Plan

# How messages call an org that no file can name. An empty text means all orgs there.
NAMELESS_ORG = "an org without an external ID"
MOST_NAMED = 5  # cases of a guard beside the first


def guard(session: Engine, plan: Plan, limits: GuardLimits, history: History | None = None) -> tuple[GuardHit, ...]:
    """The guards that hold this plan, in the order of the rules; none if it may go on.

    Without `history`, as offline, the guards that compare with earlier runs are left out; with it, `load_history` has
    made its tables.
    """
    session.run(sql_text(__package__, "base"), mode_types=plan.mode.user_types, nameless_org=NAMELESS_ORG)
    values = _values(plan, limits, history or History())
    hits = (_judge(session, each, values) for each in GUARDS if history is not None or not each.needs_history)
    return tuple(hit for hit in hits if hit is not None)


def _values(plan: Plan, limits: GuardLimits, history: History) -> dict[str, object]:
    """What stands as `:name` in the texts of the guards."""
    return {
        **asdict(limits),
        "has_final_newline": plan.judged.roster.records.facts.has_final_newline,
        "mojibake": MOJIBAKE_PATTERN,
        "mode_types": plan.mode.user_types,
        "acts_on_absence": plan.acts_on_absence,
        "last_rows": history.last_rows,
        "had_deleting_sync": history.had_deleting_sync,
    }


def _judge(session: Engine, each: Guard, values: dict[str, object]) -> GuardHit | None:
    found = session.rows(bind(sql_text(__package__, each.name), **values))
    if not found:
        return None
    _, count, base, limit = found[0]
    return GuardHit(each.code, _message(each, found), count, base, limit)


def _message(each: Guard, found: list[tuple[str, int, int, str]]) -> str:
    """The first case in numbers, and the others by name."""
    subject, count, base, limit = found[0]
    share = percent(count, base) or "all"
    message = each.message.format(subject=subject, count=Count(count), base=Count(base), percent=share, limit=limit)
    message = " ".join(message.split())
    return f"{message} {_also(found[1:])}" if len(found) > 1 else message


def _also(found: list[tuple[str, int, int, str]]) -> str:
    """The others that are over the limit, the largest first: Also at 020 (12 of 14), Student (8 of 20) and 3 more."""
    largest = sorted(found, key=lambda each: (-each[1], each[0]))[:MOST_NAMED]
    named = ", ".join(f"{subject} ({count:,} of {base:,})" for subject, count, base, _ in largest)
    more = len(found) - len(largest)
    return f"Also {named} and {more:,} more." if more else f"Also {named}."


HISTORY_TABLES = ("previous_rows", "left_before")
_PREVIOUS_ROWS = """
INSERT INTO previous_rows SELECT max(line), custom_id FROM read_parquet([:changing, :unchanged], union_by_name = true)
WHERE line IS NOT NULL AND custom_id <> '' GROUP BY custom_id
"""


def load_history(session: Session, history: History) -> None:
    """Make `previous_rows` (line and custom_id of the last applied file) and `left_before` (custom_id).

    Files are read here, so call it before another engine takes over.
    """
    session.run("CREATE TEMP TABLE previous_rows (line BIGINT, custom_id VARCHAR)")
    if history.last_plan:
        changing, unchanged = (str(session.plainly_named(part)) for part in history.last_plan)
        session.run(_PREVIOUS_ROWS, changing=changing, unchanged=unchanged)
    session.run("CREATE TEMP TABLE left_before (custom_id VARCHAR)")
    if history.left_ids:
        session.insert("INSERT INTO left_before SELECT unnest(?::VARCHAR[])", [list(history.left_ids)])
