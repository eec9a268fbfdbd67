"""What earlier runs did, into the session, for the guards that ask for it."""

from sis_sync.core.guards import History
from sis_sync.engine.session import Session

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
