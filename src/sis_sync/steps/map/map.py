"""Map: make the ten fields from the columns of the file, by the rules of the mapping (section 3 of the file format).

The order of the steps for each field: column or constant, first, split, decode, dates, template or default, value, pad,
and after all fields create. What accounts keep is decided when they are known (settle.py).

A row may bring a password too. Only DuckDB sees passwords. Other engines get the lines.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

from sis_sync.core.fields import FIELD_NAMES, PASSWORD
from sis_sync.engine.duckdb import Session
from sis_sync.engine.sql import sql_text
from sis_sync.steps.map.field_maker import BROKEN_CELLS, NOTHING, FieldMaker
from sis_sync.steps.read.read import Records

# Preparing the rules of a mapping takes longer than following them for so many rows, and each step that reads a view
# prepares them again. The roster of a larger file stays a view, because a table would be a copy of the file.
SMALL_ROWS = 5_000
_NO_PASSWORDS = "CREATE OR REPLACE TEMP TABLE passwords_of_existing (line BIGINT, is_new BOOLEAN)"


@dataclass(frozen=True)
class Roster:
    """The session has `roster`: line, early_codes, is_skipped, made, choice, is_email_made, the fields.

    The fields are the ten and password. A cell that does not decode is NULL. Of several rows of one person, the one
    with the greatest `choice` counts. `is_email_made`: a template made the address.
    """

    records: Records


@dataclass(frozen=True)
class KnownPasswords:
    """The last password that a file brought for each account, as a fingerprint that only the key can make.

    `fingerprints` is a CSV file of account IDs and fingerprints, without a header. A fingerprint is the `keyed_hash` of
    the account's ID, a line feed and the password, so that equal passwords of two people differ.
    """

    fingerprints: Path
    key: str = field(repr=False)


def map_records(session: Session, records: Records, *, today: date | None = None, is_complete: bool = True) -> Roster:
    """Make `roster` from `cells`, and the tables `broken_cells` (line, cell, raw) and `password_rows` (line).

    `roster` is a view, or a table if the file is small. Any cell of a broken record may be its custom ID. `raw` is
    the cell as found. `cell` is the cleaned cell and, in a second row, the ID that the mapping would make from it.
    `password_rows` has the lines that bring a password.
    `today` is the day that first and last days are compared with, None for that of this machine. `is_complete`:
    nothing is added to `cells` later.
    """
    maker = FieldMaker(records, today or today_here())
    fields = ",\n  ".join(f"{maker.field(name)} AS {name}" for name in (*FIELD_NAMES, PASSWORD))
    judged = f"{maker.early_codes()} AS early_codes,\n  {maker.is_skipped()} AS is_skipped,\n  {maker.made()} AS made"
    judged += f",\n  {maker.choice()} AS choice,\n  {maker.is_email_made()} AS is_email_made"
    kind = "TABLE" if is_complete and records.facts.rows <= SMALL_ROWS else "VIEW"
    session.run(f"CREATE TEMP {kind} roster AS SELECT line, {judged},\n  {fields}\nFROM {maker.steps()}")
    bringing = "SELECT line, password FROM roster WHERE password <> ''"
    empty = "(line BIGINT, password VARCHAR)"
    session.run(f"CREATE TEMP TABLE password_rows {empty if maker.field(PASSWORD) == NOTHING else f'AS {bringing}'}")
    session.run("CREATE TEMP TABLE broken_cells (line BIGINT, cell VARCHAR, raw VARCHAR)")
    if records.broken_rows:
        session.run(f"CREATE OR REPLACE TEMP TABLE found_cells AS {BROKEN_CELLS}")
        made = "found_cells"
        for step in maker.seen("custom_id"):
            made = f"(SELECT line, {step} AS cell, raw FROM {made})"
        session.run(
            "INSERT INTO broken_cells SELECT line, cell, raw FROM found_cells WHERE cell <> '' "
            f"UNION SELECT line, cell, raw FROM {made} WHERE cell <> ''"
        )
    return Roster(records)


def today_here() -> date:
    """Return the day on this machine."""
    return datetime.now().astimezone().date()


def add_kept_passwords(session: Session, kept: Mapping[int, str]) -> None:
    """Add the lines of these passwords to `password_rows`, and make `kept_passwords` (line, password) of them.

    They are those of a file that was stored without them. Lines that bring a password again are not added.
    """
    session.run("CREATE TEMP TABLE kept_passwords (line BIGINT, password VARCHAR)")
    if kept:
        rows = "SELECT unnest(?::BIGINT[]), unnest(?::VARCHAR[])"
        session.insert(f"INSERT INTO kept_passwords {rows}", [list(kept), list(kept.values())])
        session.run(
            "INSERT INTO password_rows SELECT line, NULL FROM kept_passwords "
            "WHERE NOT line IN (SELECT line FROM password_rows)"
        )


def find_passwords_of_existing(session: Session, known: KnownPasswords | None) -> None:
    """Make `passwords_of_existing` from `settled` and `accounts`: the rows that bring a password for such an account.

    Without `known`, the files of the mode set no passwords of accounts that exist, so the table is empty.
    """
    if known is None or not session.value("SELECT count(*) FROM password_rows"):
        session.run(_NO_PASSWORDS)
        return
    source = session.csv_source(known.fingerprints, ("account_id", "fingerprint"), skip=0)
    session.run(f"CREATE OR REPLACE TEMP TABLE known_passwords AS SELECT * FROM {source}")
    session.run(sql_text(__package__, "passwords_of_existing"), key=known.key)
    session.run("DROP TABLE kept_passwords")
