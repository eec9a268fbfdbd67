"""Settle: the values that depend on the accounts (section 3 of the file format, the lines create, unique and keep).

An account keeps some of its values because the mapping says so, because the settings of the mode say so, or because a
person edited a name on the server. All three cases are one rule, in settle.sql.

This is the last part of mapping. It runs after the directory is loaded, always on DuckDB. The steps after it see one
table of rows, and do not need to know which values come from the file.
"""

from dataclasses import dataclass
from pathlib import Path

from sis_sync.core.fields import NAME_FIELDS
from sis_sync.core.modes import OTHER_FIELDS, STANDARD_FIELD_SETTINGS, FieldSettings
from sis_sync.engine.duckdb import Session
from sis_sync.engine.sql import sql_text
from sis_sync.steps.map.columns import kept_fields
from sis_sync.steps.map.value_sql import is_placeholder
from sis_sync.steps.read.read import Records

_NOTHING_TO_SETTLE = """
CREATE TEMP VIEW settled AS
SELECT * EXCLUDE (password), FALSE AS keeps_values, FALSE AS keeps_address FROM roster;

CREATE TEMP TABLE kept_values (line BIGINT, field VARCHAR, given VARCHAR, code VARCHAR, other VARCHAR);

CREATE TEMP TABLE ended_edits (line BIGINT, fields VARCHAR)
"""
_SPARE_NUMBERS = 20  # tried in each series, if those that are not known to be taken are too few


@dataclass(frozen=True)
class HeldAddresses:
    """Addresses that people held here once, as keyed hashes (`keyed_hash` of the engine, of the lower-case address).

    `digests` is a CSV file of one column, without a header.
    """

    digests: Path
    key: str


@dataclass(frozen=True)
class Settled:
    """The result of settle. The session has `settled` and `kept_values` (line, field, given, code, other).

    `kept` are the fields that accounts keep, `kept_while_live` those that they keep unless they are restored.
    `by_accounts`: some values depend on the accounts. `beyond_names`: not only names do. `has_remarks`:
    `kept_values` has rows.
    """

    kept: tuple[str, ...] = ()
    kept_while_live: tuple[str, ...] = ()
    by_accounts: bool = False
    beyond_names: bool = False
    has_remarks: bool = False


NOTHING_SETTLED = Settled()


def is_settled_by_accounts(records: Records, field_settings: FieldSettings = STANDARD_FIELD_SETTINGS) -> bool:
    """Return True if values other than names depend on the accounts, even if no one edited a name."""
    is_kept = any(getattr(field_settings, name) != "on" for name in OTHER_FIELDS)
    return is_kept or records.mapping.numbers_addresses or bool(kept_fields(records.columns, records.mapping))


def settle(
    session: Session,
    records: Records,
    *,
    held: HeldAddresses | None = None,
    field_settings: FieldSettings = STANDARD_FIELD_SETTINGS,
) -> Settled:
    """Make `settled` from `roster` and `accounts`: the values that accounts keep, and numbers for made addresses.

    Make `kept_values` too: the values of the file that differ from those that accounts keep although the file has them,
    and the edited names that are replaced. Make `ended_edits`: the edited names that end (line, fields).
    """
    by_mapping = kept_fields(records.columns, records.mapping)
    kept, while_live = kept_by_setting(field_settings)
    has_edits = bool(session.value("SELECT count(*) FROM name_edits"))
    numbers, keeps_fields = records.mapping.numbers_addresses, bool(by_mapping or kept or while_live)
    if not (numbers or keeps_fields or has_edits):
        session.run(_NOTHING_TO_SETTLE)
        return NOTHING_SETTLED
    told = tuple(name for name in (*kept, *while_live) if name not in by_mapping)
    kept = (*by_mapping, *kept)
    session.run("CREATE OR REPLACE TEMP TABLE numbered (line BIGINT, email VARCHAR)")
    if numbers:
        _number(session, held, kept="email" in kept, kept_while_live="email" in while_live)
    session.run(
        sql_text(__package__, "settle"),
        kept=(*kept, ""),
        while_live=(*while_live, ""),
        told=(*told, ""),
        keeps_fields=keeps_fields,
        keeps_edits=field_settings.names == "unless_edited",
        numbers=numbers,
    )
    has_remarks = bool((told or has_edits) and session.value("SELECT count(*) FROM kept_values"))
    beyond_names = is_settled_by_accounts(records, field_settings)
    return Settled(kept, while_live, by_accounts=True, beyond_names=beyond_names, has_remarks=has_remarks)


def kept_by_setting(settings: FieldSettings) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the fields that accounts always keep, and those that they keep unless they are restored."""
    of_field = {name: getattr(settings, name) for name in OTHER_FIELDS}
    while_live = tuple(name for name, setting in of_field.items() if setting == "off")
    names = NAME_FIELDS if settings.names == "never" else ()
    return tuple(name for name, setting in of_field.items() if setting == "create"), (*names, *while_live)


def _number(session: Session, held: HeldAddresses | None, *, kept: bool, kept_while_live: bool) -> None:
    """Make `numbered`: made addresses that another person has, or had once, get the next free number.

    Accounts may keep their address, or keep it while they are live.
    """
    source = session.csv_source(held.digests, ("digest",), skip=0) if held else "(SELECT '' AS digest WHERE FALSE)"
    session.run(f"CREATE OR REPLACE TEMP TABLE held_addresses AS SELECT digest FROM {source}")
    text = sql_text(__package__, "number").replace(":is_placeholder", is_placeholder("r.custom_id"))
    spare, is_complete = _SPARE_NUMBERS if held else 0, False
    while not is_complete:
        session.run(
            text,
            keeps_email=kept,
            keeps_email_while_live=kept_while_live,
            spare=spare,
            has_held=held is not None,
            key=held.key if held else "",
        )
        is_complete = not session.value("SELECT count(*) FROM unnumbered")
        spare = max(_SPARE_NUMBERS, spare * 10)
