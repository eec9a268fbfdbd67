"""Load the directory, which is the current orgs and accounts, from two CSV files into the session."""

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from sis_sync.core.errors import ConfigurationError
from sis_sync.core.fields import FIELD_NAMES, LISTED_VALUES
from sis_sync.core.wording import shown
from sis_sync.engine.base import Engine
from sis_sync.engine.duckdb import Session
from sis_sync.engine.sql import bind, quoted, sql_text
from sis_sync.steps.directory.csv_file import tidied

_ACCOUNT_EXTRAS = {
    "state": "live",
    "protected": "",
    "account_id": "",
    "held_by_hand": "",
    "rights": "",
    "in_scope": "yes",
    "deleted_on": "",
    "edited_names": "",
}
_ORG_FIELDS = ("external_id", "name")
_ORG_EXTRAS = {"kind": "school", "in_scope": "yes"}
_TYPED_EXTRAS = ("state", "protected", "kind")  # people may write them, in the files of the command line


@dataclass(frozen=True)
class Remembered:
    """A table or view of the session with accounts as in a file: the columns of `header`, as text."""

    table: str
    header: tuple[str, ...]


@dataclass(frozen=True)
class Directory:
    """The session has the tables `orgs`, `accounts`, `name_edits` and `two_people`.

    An account without custom_id is unmanaged.
    """


def load_directory(
    session: Session,
    *,
    orgs: Path,
    accounts: Path | None,
    two_people: Sequence[str] = (),
    remembered: Remembered | None = None,
) -> Directory:
    """Load both files. Raise ConfigurationError if one is missing, lacks a column or is not CSV in UTF-8.

    `two_people` are custom IDs of which a manager said that those with other leading zeros belong to other people.
    With `remembered`, load the accounts of that table instead of those of a file.
    """
    load_listed_values(session)
    session.insert("CREATE TEMP TABLE two_people AS SELECT unnest(?::VARCHAR[]) AS custom_id", [list(two_people)])
    try:
        _load_both(session, orgs, remembered or accounts)
    except duckdb.Error:
        if remembered:
            raise
        session.run("DROP TABLE IF EXISTS orgs; DROP TABLE IF EXISTS accounts")
        _load_tidied(session, orgs, accounts)
    _refuse_shared_ids(session)
    # Preparing its JSON takes longer than all other tables of a small directory.
    if session.value("SELECT count(*) FROM accounts WHERE edited_names <> ''"):
        session.run(sql_text(__package__, "name_edits"))
    return Directory()


def _load_both(session: Session, orgs: Path, accounts: Path | Remembered | None) -> None:
    # Queries, not views: the engine would prepare each of the many expressions of a view twice.
    queries = {
        ":orgs_read": orgs_query(session, orgs),
        ":accounts_read": _reading(session, accounts, FIELD_NAMES, _ACCOUNT_EXTRAS),
    }
    text = sql_text(__package__, "directory")
    session.run(re.sub(":(orgs|accounts)_read", lambda found: f"({queries[found[0]]})", text))


def _load_tidied(session: Session, orgs: Path, accounts: Path | None) -> None:
    """Load files that the engine refused. Often only their line ends are mixed; for other faults, name the line."""
    tidy_orgs = tidied(orgs, session.folder / "tidied-orgs.csv")
    tidy_accounts = tidied(accounts, session.folder / "tidied-accounts.csv") if accounts else None
    try:
        _load_both(session, tidy_orgs, tidy_accounts)
    except duckdb.Error as error:
        names = " or ".join(path.name for path in (orgs, accounts) if path)
        raise ConfigurationError(
            f"{names} cannot be read as CSV.", fix="Save it as CSV UTF-8 with commas and quotation marks."
        ) from error


def _refuse_shared_ids(session: Session) -> None:
    shared = session.rows(
        "SELECT custom_id FROM accounts WHERE custom_id <> '' GROUP BY custom_id HAVING count(*) > 1 ORDER BY 1 LIMIT 3"
    )
    if shared:
        ids = ", ".join(row[0] for row in shared)
        raise ConfigurationError(
            f"Several accounts have the same custom_id, for example {ids}.", fix="Keep one of each."
        )


def load_no_directory(session: Session) -> None:
    """Make empty tables, for a file that is checked without a directory."""
    load_listed_values(session)
    session.run(sql_text(__package__, "no_directory"))


def load_listed_values(session: Engine) -> None:
    """Make the table `listed_values` from the lists of the format: field, folded (lower case), value (as stored)."""
    rows = ", ".join(
        bind("(:field, :folded, :value)", field=field, folded=value.lower(), value=value)
        for field, values in LISTED_VALUES.items()
        for value in values
    )
    session.run(
        f"CREATE OR REPLACE TEMP TABLE listed_values AS SELECT * FROM (VALUES {rows}) AS v(field, folded, value)"
    )


def orgs_query(session: Session, orgs: Path) -> str:
    """Return the query that reads the file of orgs: external_id, name, kind, in_scope."""
    return _reading(session, orgs, _ORG_FIELDS, _ORG_EXTRAS)


def _reading(session: Session, path: Path | Remembered | None, fields: tuple[str, ...], extras: dict[str, str]) -> str:
    """Return the query that reads a file or a table. Without either it returns no rows."""
    if path is None:
        empty = ", ".join(f"'' AS {name}" for name in (*fields, *extras))
        return f"SELECT {empty} WHERE FALSE"
    if isinstance(path, Remembered):
        return _picking(path.table, path.header, fields, extras)
    header = read_header(path)
    missing = [name for name in fields if name not in header]
    if missing:
        raise ConfigurationError(
            f"{path.name} lacks the columns {', '.join(missing)}.", fix=f"It needs {', '.join(fields)}."
        )
    return _picking(session.csv_source(path, header), header, fields, extras)


def _picking(source: str, header: Sequence[str], fields: tuple[str, ...], extras: dict[str, str]) -> str:
    # Cleaning takes longest here, and the words that only the server writes do not need it.
    typed = (*fields, *_TYPED_EXTRAS)
    cells = [
        f"{'clean' if name in typed else 'trim'}({quoted(name)}) AS {name}" if name in header else f"'' AS {name}"
        for name in (*fields, *extras)
    ]
    filled = [
        bind(f"CASE {name} WHEN '' THEN :default ELSE {name} END AS {name}", default=default) if default else name
        for name, default in extras.items()
    ]
    # Not in one query: the engine would prepare each cell twice.
    return f"SELECT {', '.join((*fields, *filled))} FROM (SELECT {', '.join(cells)} FROM {source})"


def read_header(path: Path) -> list[str]:
    """Return the names of the columns. Raise ConfigurationError."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            header = next(csv.reader(file), [])
    except FileNotFoundError as error:
        raise ConfigurationError(f"There is no file {path}.", fix="Check the path.") from error
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ConfigurationError(
            f"{shown(path.name)} cannot be read as CSV in UTF-8.", fix="Check the path; save the file as CSV UTF-8."
        ) from error
    names = [name.strip().lower() for name in header]
    _refuse_repeated_names(path, names)
    return [name or f" {position}" for position, name in enumerate(names)]


def _refuse_repeated_names(path: Path, names: list[str]) -> None:
    repeated = sorted({name for name in names if name and names.count(name) > 1})
    if repeated:
        raise ConfigurationError(f"{path.name} has the column {repeated[0]} twice.", fix="Keep one of the two.")
