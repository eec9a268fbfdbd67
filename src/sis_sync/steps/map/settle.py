"""Settle: the values of a row that its account decides (section 3 of the file format, the lines create and keep).

This is the last part of mapping. It runs after the directory is loaded, always on DuckDB.
"""

from sis_sync.engine.duckdb import Session
from sis_sync.engine.sql import sql_text
from sis_sync.steps.map.columns import kept_fields
from sis_sync.steps.read.read import Records

_NOTHING_TO_SETTLE = """
CREATE TEMP VIEW settled AS
SELECT * EXCLUDE (password), FALSE AS keeps_values, FALSE AS keeps_address FROM roster
"""


def settle(session: Session, records: Records) -> None:
    """Make `settled` from `roster` and `accounts`: the roster with the values that accounts keep."""
    kept = kept_fields(records.columns, records.mapping)
    if not kept:
        session.run(_NOTHING_TO_SETTLE)
        return
    session.run(sql_text(__package__, "settle"), kept=kept)
