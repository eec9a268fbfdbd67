"""Settle: the values that depend on the accounts (section 3 of the file format, the lines create, unique and keep).

This is the last part of mapping. It runs after the directory is loaded, always on DuckDB. The steps after it see one
table of rows, and need not know which values the file sets.
"""

from dataclasses import dataclass
from pathlib import Path

from sis_sync.engine.duckdb import Session
from sis_sync.engine.sql import sql_text
from sis_sync.steps.map.columns import kept_fields
from sis_sync.steps.map.value_sql import is_placeholder
from sis_sync.steps.read.read import Records

_NOTHING_TO_SETTLE = """
CREATE TEMP VIEW settled AS
SELECT * EXCLUDE (password), FALSE AS keeps_values, FALSE AS keeps_address FROM roster
"""
_SPARE_NUMBERS = 20  # tried in each series, if those that are not known to be taken are too few


@dataclass(frozen=True)
class HeldAddresses:
    """Addresses that people held here once, as keyed hashes (`keyed_hash` of the engine, of the lower-case address).

    `digests` is a CSV file of one column, without a header.
    """

    digests: Path
    key: str


def is_settled_by_accounts(records: Records) -> bool:
    """Return True if values of this file depend on the accounts."""
    return records.mapping.numbers_addresses or bool(kept_fields(records.columns, records.mapping))


def settle(session: Session, records: Records, held: HeldAddresses | None = None) -> None:
    """Make `settled` from `roster` and `accounts`: the values that accounts keep, and numbers for made addresses."""
    if not is_settled_by_accounts(records):
        session.run(_NOTHING_TO_SETTLE)
        return
    kept = kept_fields(records.columns, records.mapping)
    session.run("CREATE OR REPLACE TEMP TABLE numbered (line BIGINT, email VARCHAR)")
    if records.mapping.numbers_addresses:
        _number(session, held, keeps_email="email" in kept)
    session.run(sql_text(__package__, "settle"), kept=(*kept, ""))


def _number(session: Session, held: HeldAddresses | None, *, keeps_email: bool) -> None:
    """Make `numbered`: made addresses that another person has, or had once, get the next free number."""
    source = session.csv_source(held.digests, ("digest",), skip=0) if held else "(SELECT '' AS digest WHERE FALSE)"
    session.run(f"CREATE OR REPLACE TEMP TABLE held_addresses AS SELECT digest FROM {source}")
    text = sql_text(__package__, "number").replace(":is_placeholder", is_placeholder("r.custom_id"))
    spare, is_complete = _SPARE_NUMBERS if held else 0, False
    while not is_complete:
        session.run(text, keeps_email=keeps_email, spare=spare, has_held=held is not None, key=held.key if held else "")
        is_complete = not session.value("SELECT count(*) FROM unnumbered")
        spare = max(_SPARE_NUMBERS, spare * 10)
