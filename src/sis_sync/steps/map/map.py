"""Map: make the ten fields from the columns of the file, by the rules of the mapping (section 3 of the file format).

The order of the steps for each field: column or constant, first, split, decode, dates, template or default, value, pad,
and after all fields create. What accounts keep is decided when they are known (settle.py).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sis_sync.core.fields import FIELD_NAMES, PASSWORD
from sis_sync.engine.duckdb import Session
from sis_sync.steps.map.field_maker import BROKEN_CELLS, NOTHING, FieldMaker
from sis_sync.steps.read.read import Records

# Preparing the rules of a mapping takes longer than following them for so many rows, and each step that reads a view
# prepares them again. The roster of a larger file stays a view, because a table would be a copy of the file.
SMALL_ROWS = 5_000


@dataclass(frozen=True)
class Roster:
    """The session has `roster`: line, early_codes, is_skipped, made, choice, is_email_made, the fields.

    The fields are the ten and password. A cell that does not decode is NULL. Of several rows of one person, the one
    with the greatest `choice` counts. `is_email_made`: a template made the address.
    """

    records: Records


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
        seen = maker.seen("custom_id")
        session.run(
            f"INSERT INTO broken_cells WITH found AS {BROKEN_CELLS} "
            f"SELECT * FROM (SELECT line, cell, raw FROM found UNION SELECT line, {seen}, raw FROM found) "
            "WHERE cell <> ''"
        )
    return Roster(records)


def today_here() -> date:
    """Return the day on this machine."""
    return datetime.now().astimezone().date()


def add_password_rows(session: Session, lines: Sequence[int]) -> None:
    """Add lines that brought a password to `password_rows`, for a file whose passwords have been removed since."""
    if lines:
        query = "SELECT unnest(?::BIGINT[]) AS line EXCEPT SELECT line FROM password_rows"
        session.insert(f"INSERT INTO password_rows SELECT line, NULL FROM ({query})", [list(lines)])
