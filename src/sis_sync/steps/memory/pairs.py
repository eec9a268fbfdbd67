"""Pairs: a line of a file and the account that it does not change cancel out.

The steps see only the other rows and accounts, and the totals of the pairs. The result for a pair depends on its bytes
alone. A line that may also depend on another row is no pair; the steps judge it with all others.
"""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import numpy as np

from sis_sync.core.fields import FIELD_NAMES, PASSWORD
from sis_sync.core.modes import FieldSettings, Mode
from sis_sync.engine.duckdb import Session
from sis_sync.engine.sql import quoted, sql_text
from sis_sync.steps.directory.directory import Remembered, orgs_query
from sis_sync.steps.map.columns import kept_fields
from sis_sync.steps.map.mapping import FieldRule
from sis_sync.steps.memory.own_lines import has_own_lines, own_lines_sql
from sis_sync.steps.read.lines import Flags
from sis_sync.steps.read.load import PlainFile, copy_lines, split_lines
from sis_sync.steps.read.read import ReadAs, Records

# The columns of known_accounts: own.sql and learned.sql look at each of them.
OWN_COLUMNS = ("state", "account_id", "protected", "held_by_hand", "rights", "in_scope", "deleted_on", "edited_names")
COLUMNS = (*FIELD_NAMES, *OWN_COLUMNS)
_LAST_LINES = 1000  # of the last file: one of them is almost always in a pair
_SETS_ALL = FieldSettings(names="always")
_LINE = "\x01"  # no plain line contains it, so as a delimiter it makes each line one cell
PART_ROWS = 122_880  # of one row group: the engine reads only the groups that a part needs
_NO_NUMBERS = np.empty(0, dtype=np.int64)
_LEAST_SHARE = 10  # with less than one pair per 10 lines, leaving the pairs out saves nothing
# Without the salt, no one can make a line that has both hashes of another line. The texts are not kept: for a large
# file, they would be a third of the memory of a plan.
_HASHES = """
CREATE OR REPLACE TEMP TABLE plain_hashes AS
SELECT l.line, CASE WHEN p.text IS NOT NULL THEN hash(:salt || p.text) END AS front_hash,
  hash(p.text || :salt) AS back_hash
FROM plain_lines AS l POSITIONAL JOIN {source} AS p
"""
_PAIR = """
account_id BIGINT, custom_id VARCHAR, front_hash UBIGINT, back_hash UBIGINT, id_hash UBIGINT, email_hash UBIGINT
"""
NOTHING_KNOWN = f"CREATE TABLE known.known_pairs ({_PAIR})"
_NOTHING_FOUND = f"""
CREATE TEMP TABLE plain_hashes (line BIGINT, front_hash UBIGINT, back_hash UBIGINT);
CREATE TEMP TABLE found_pairs
  (line BIGINT, account_id BIGINT, custom_id VARCHAR, id_hash UBIGINT, email_hash UBIGINT);
CREATE TEMP TABLE own_lines ({_PAIR})
"""
_LEAVE_FOUND = "DELETE FROM left_ids WHERE account_id IN (SELECT account_id FROM found_pairs)"
_LEFT = "WHERE account_id IN (SELECT account_id FROM left_ids)"
_ALL_ACCOUNTS = "CREATE TEMP VIEW left_accounts AS SELECT * FROM known.known_accounts"
_LEFT_ACCOUNTS = f"CREATE TEMP TABLE left_accounts AS SELECT * FROM known.known_accounts {_LEFT}"
_DEMOTE = """
INSERT INTO left_ids SELECT account_id FROM demoted;
DELETE FROM found_pairs WHERE line IN (SELECT line FROM demoted)
"""
# They are few on most nights, and several steps read them.
_STORE_UNPAIRED = """
CREATE TEMP TABLE unpaired AS SELECT * FROM unpaired_accounts;
CREATE OR REPLACE TEMP VIEW unpaired_accounts AS SELECT * FROM unpaired
"""
# No one asks for them any more, and of a million pairs they are 16 MB.
_FORGET_HASHES = "ALTER TABLE found_pairs DROP id_hash; ALTER TABLE found_pairs DROP email_hash"
_LAST_LINE = """
SELECT max(r.line) FROM read_parquet([:changing, :unchanged], union_by_name = true) AS r
JOIN pairs AS p ON p.custom_id = r.custom_id WHERE r.line > :after
"""


class MemoryUnusable(Exception):
    """The memory cannot be read or written. Make the plan again in another session, without it."""


def exported(session: Session, accounts: Path, header: Sequence[str], *, account_id: str) -> str:
    """Return the query that reads a file of accounts with the columns of known_accounts, empty where it has none."""
    columns = [quoted(name) if name in header else f"'' AS {name}" for name in COLUMNS if name != "account_id"]
    return f"SELECT {account_id} AS account_id, {', '.join(columns)} FROM {session.csv_source(accounts, header)}"


@contextmanager
def usable() -> Iterator[None]:
    """Raise MemoryUnusable if the engine raises an error, but not if someone stops it."""
    try:
        yield
    except duckdb.InterruptException:
        raise
    except duckdb.Error as error:
        raise MemoryUnusable from error


@dataclass(frozen=True)
class Known:
    """The memory, and how the exported accounts bring it up to date.

    `position` identifies this export; the caller gets it back the next time. `touched` are the IDs of all accounts that
    may have changed since `memory.position`; the file of accounts has those of them that still exist. None means that
    the file has all accounts. `live` is the number of accounts that are not deleted, to compare with the memory.
    """

    memory: "Pairs"
    position: str = ""
    touched: Sequence[int] | None = None
    live: int | None = None


class Pairs(ABC):
    """Finds the pairs of a plan.

    The attached database `known` has the accounts (known_accounts) and the hashes of lines that are known to change
    nothing (known_pairs).

    Call each method at most once, in the order: depends_on, take_accounts, leave_out, demote, count_pairs, learn.
    """

    def __init__(self, session: Session, key: str) -> None:
        self._session, self._key = session, key
        self._mode_types: tuple[str, ...] = ()
        self._depends_on: tuple[object, ...] = ()
        self._keeps_values = True
        self._today = date.min
        self._orgs = Path()
        self._plain: PlainFile | None = None

    @abstractmethod
    def take_accounts(self, accounts: Path, known: Known) -> Remembered:
        """Read the file of accounts. Return the view of the accounts that are in no pair."""

    @abstractmethod
    def learn(self, records: Records) -> None:
        """End the plan, and remember its lines if there is a memory."""

    def depends_on(
        self, *, mode: Mode, orgs: Path, today: date, field_settings: FieldSettings, others: Sequence[object]
    ) -> None:
        """Set what else decides the meaning of a line: the mode, the orgs, the day, and other settings of the plan."""
        self._mode_types, self._today, self._orgs = mode.user_types, today, orgs
        self._keeps_values = replace(field_settings, names="always", passwords="off") != _SETS_ALL
        self._keeps_values |= field_settings.names == "never"
        try:
            self._depends_on = (self._key, mode, hashlib.sha256(orgs.read_bytes()).hexdigest(), *others)
        except OSError as error:
            raise MemoryUnusable from error

    def _find_nothing_yet(self) -> None:
        """Make the tables of the found pairs, and the views of the accounts that are in no pair."""
        self._session.run(_NOTHING_FOUND)
        self._show_accounts()

    def _show_accounts(self, condition: str = "") -> None:
        """Make the views `unpaired_accounts` and, with IDs as text, `directory_accounts`."""
        name, columns = quoted("account_id"), ", ".join(map(quoted, COLUMNS))
        self._session.run(
            f"CREATE OR REPLACE TEMP VIEW unpaired_accounts AS SELECT * FROM known.known_accounts {condition}; "
            "CREATE OR REPLACE TEMP VIEW directory_accounts AS "
            f"SELECT {columns.replace(name, f'CAST({name} AS VARCHAR) AS {name}')} FROM unpaired_accounts"
        )

    def leave_out(self, session: Session, plain: PlainFile, read_as: ReadAs) -> PlainFile:
        """Find the pairs. Return the other lines, or all lines if there are too few pairs."""
        if not len(plain.lines) or self._keeps_values or not _is_meaning_in_bytes(read_as):
            return plain
        day = self._today if read_as.mapping.dates.headers() else ""
        salt = hashlib.sha256(repr((*self._depends_on, day, read_as)).encode()).hexdigest()
        with usable():
            session.connection.register("plain_lines", {"line": plain.lines})
            cells = session.csv_source(plain.path, ("text",), delimiter=_LINE, skip=plain.skip)
            lines = cells.replace("""quote='"'""", "quote=''").replace("""escape='"'""", "escape=''")
            session.run(_HASHES.format(source=lines), salt=salt)
            session.connection.unregister("plain_lines")
            if session.value("SELECT count(*) FROM plain_hashes WHERE line IS NULL OR front_hash IS NULL"):
                raise MemoryUnusable
            self._find(read_as, salt)
            if session.value("SELECT count(*) FROM found_pairs") * _LEAST_SHARE < len(plain.lines):
                session.run("DELETE FROM found_pairs")
                return plain
        self._plain = plain
        self._show_accounts(_LEFT)
        return copy_lines(plain, ~self._flags(plain, "found_pairs"), session.folder / "lines-left.csv")

    def _find(self, read_as: ReadAs, salt: str) -> None:
        """Find the known lines, then the own lines of the other accounts. Make `left_ids`."""
        self._session.run(sql_text(__package__, "found"))
        has_left_out = has_forgotten = False
        if has_own_lines(read_as):
            self._session.run(f"CREATE TEMP VIEW orgs_read AS {orgs_query(self._session, self._orgs)}")
            # Without a table, the engine makes the own lines of all accounts before it leaves out the others.
            has_left_out = self._session.value("SELECT count(*) FROM found_pairs") > 0
            if has_left_out:
                self._leave_accounts()
            self._session.run(_LEFT_ACCOUNTS if has_left_out else _ALL_ACCOUNTS)
            self._session.run(own_lines_sql(read_as, salt=salt, mode_types=self._mode_types))
            self._session.run("DROP VIEW orgs_read")
            has_forgotten = self._forget_repeated("email_hash")
        has_forgotten |= self._forget_repeated("account_id")
        if has_left_out and not has_forgotten:
            self._session.run(_LEAVE_FOUND)  # only the own lines are new
        else:
            self._leave_accounts()

    def _forget_repeated(self, column: str) -> bool:
        """Forget the pairs that have the same account, because their lines are equal, or the same address.

        Return True if there were any.
        """
        values = self._sorted(column, "found_pairs")
        repeated = values[1:][values[1:] == values[:-1]]
        if len(repeated):
            self._session.insert(
                f"DELETE FROM found_pairs WHERE {column} IN (SELECT unnest(?::UBIGINT[]))", [repeated.tolist()]
            )
        return len(repeated) > 0

    def _leave_accounts(self) -> None:
        """Make `left_ids`: the accounts that are in no pair. Numbers are compared here in a fifth of a join's time."""
        found = self._sorted("account_id", "found_pairs")
        parts = [part[~_are_in(part, found)] for part in self._parts("account_id", "known.known_accounts")]
        self._session.connection.register("left_batch", {"account_id": np.concatenate([*parts, _NO_NUMBERS])})
        self._session.run("CREATE OR REPLACE TEMP TABLE left_ids AS SELECT account_id FROM left_batch")
        self._session.connection.unregister("left_batch")

    def _sorted(self, column: str, table: str) -> Any:
        """Return the numbers of a column in order."""
        parts = list(self._parts(column, table))
        numbers = np.concatenate(parts) if parts else _NO_NUMBERS
        parts.clear()
        numbers.sort()
        return numbers

    def _flags(self, plain: PlainFile, table: str) -> Flags:
        """Return for each line of the file whether the table has it."""
        flags = np.zeros(len(plain.lines), dtype=bool)
        for lines in self._parts("line", table):
            flags[np.searchsorted(plain.lines, lines)] = True
        return flags

    def _parts(self, column: str, table: str) -> Iterator[Any]:
        """Yield the numbers of a column, a part of the table at a time.

        The engine keeps a copy of what it returns, next to the array and outside its limit of memory. Call it outside a
        transaction: rows that are not committed have other numbers.
        """
        end = self._session.value(f"SELECT coalesce(max(rowid) + 1, 0) FROM {table}")
        for start in range(0, end, PART_ROWS):
            part = f"SELECT {column} FROM {table} WHERE rowid >= {start} AND rowid < {start + PART_ROWS}"
            yield np.asarray(self._session.connection.execute(part).fetchnumpy()[column])

    def demote(self, records: Records) -> None:
        """Find the pairs that may depend on another row too. Split their lines into records, and forget these pairs."""
        with usable():
            if records.layout is None or not self._session.value("SELECT count(*) FROM found_pairs"):
                return
            self._session.run(sql_text(__package__, "demoted"))
            if self._plain and self._session.value("SELECT count(*) FROM demoted"):
                path = self._session.folder / "lines-demoted.csv"
                lines = copy_lines(self._plain, self._flags(self._plain, "demoted"), path)
                split_lines(self._session, lines, records.layout)
                self._session.run(_DEMOTE)
            self._session.run(_STORE_UNPAIRED)
            self._session.run(_FORGET_HASHES)

    def count_pairs(self) -> None:
        """Make the tables of the pairs (see directory.sql)."""
        with usable():
            self._session.run("DROP TABLE pairs")
            self._session.run(sql_text(__package__, "totals"))

    def last_line(self, previous: dict[str, str]) -> int:
        """Return the last line of the last applied file whose person is now in a pair, or 0 if there is none.

        `previous` are the paths of that file's plan.
        """
        if not previous or not self._session.value("SELECT people FROM pair_totals"):
            return 0
        last = "SELECT max(line) FROM read_parquet([:changing, :unchanged], union_by_name = true)"
        with usable():
            end = self._session.value(last, **previous) or 0
            found = self._session.value(_LAST_LINE, **previous, after=max(end - _LAST_LINES, 0))
            return int(found or self._session.value(_LAST_LINE, **previous, after=0) or 0)


def _are_in(numbers: Any, ordered: Any) -> Flags:
    """Return for each number whether it is among the ordered ones."""
    if not len(ordered):
        return np.zeros(len(numbers), dtype=bool)
    places = np.searchsorted(ordered, numbers)
    is_in: Flags = ordered[np.minimum(places, len(ordered) - 1)] == numbers
    return is_in


def _is_meaning_in_bytes(read_as: ReadAs) -> bool:
    """Return True if the meaning of a line depends on its own bytes only."""
    columns, mapping = read_as.columns, read_as.mapping
    rules = [mapping.rule(name) for name in FIELD_NAMES]
    email, password = mapping.rule("email"), mapping.rule(PASSWORD)
    return not (
        kept_fields(columns, mapping)
        or mapping.choice
        or mapping.numbers_addresses
        or email.template is not None
        or email.default is not None
        or any(rule.decodes_html or rule.create is not None or rule.keep for rule in rules)
        or PASSWORD in columns.of_field
        or password != FieldRule(columns=password.columns)
        or columns.message_position is not None
    )
