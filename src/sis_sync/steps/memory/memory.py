"""The memory of a school system: its accounts as last exported, and the lines of files that changed nothing.

If a line of a new file has the same bytes as such a line, it and its account are a pair, and cancel out: the steps see
only the other rows and accounts, and the totals of the pairs. The result for a pair depends on its bytes alone. A line
that may also depend on another row is no pair; the steps judge it with all others.

The memory is one DuckDB file. It is a cache and may be deleted at any time. It is never used for an account that may
have changed since: the caller exports these accounts again, or all accounts.
"""

import functools
import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import duckdb
import numpy as np

import sis_sync
from sis_sync.core.fields import FIELD_NAMES, PASSWORD
from sis_sync.core.modes import FieldSettings, Mode
from sis_sync.engine.duckdb import Session
from sis_sync.engine.sql import literal, quoted, sql_text
from sis_sync.steps.directory.directory import Remembered, read_header
from sis_sync.steps.map.columns import kept_fields
from sis_sync.steps.read.load import PlainFile, split_lines
from sis_sync.steps.read.read import ReadAs, Records

# learned.sql considers each of these columns. With an unknown column in the export, the memory cannot be used.
_OWN_COLUMNS = ("state", "account_id", "protected", "held_by_hand", "rights", "in_scope", "deleted_on", "edited_names")
_COLUMNS = frozenset({*FIELD_NAMES, *_OWN_COLUMNS})
_SETS_ALL = FieldSettings(names="always")
_LINE = "\x01"  # no plain line contains it, so as a delimiter it makes each line one cell
_LOCKED = ("lock on file", "already attached")
_LEAST_SHARE = 10  # with less than one pair per 10 lines, leaving the pairs out saves nothing
_LAST_LINES = 1000  # of the last file: one of them is almost always in a pair
_PAIRS = """
CREATE TABLE known.known_pairs (
  account_id BIGINT, front_hash UBIGINT, back_hash UBIGINT, custom_id VARCHAR, id_key VARCHAR, email_key VARCHAR,
  org VARCHAR, user_type VARCHAR, status VARCHAR, first_name VARCHAR, middle_name VARCHAR, last_name VARCHAR
)
"""
# Without the salt, no one can make a line that has both hashes of another line.
_TEXTS = """
CREATE OR REPLACE TEMP TABLE plain_texts AS
SELECT l.line, p.text, hash(:salt || p.text) AS front_hash, hash(p.text || :salt) AS back_hash
FROM plain_lines AS l POSITIONAL JOIN {source} AS p
"""
# An address that two accounts had at different times proves nothing, so both pairs are forgotten.
_LEARN = """
CREATE TEMP TABLE new_pairs AS SELECT l.* FROM learned AS l
LEFT JOIN known.known_pairs AS k
  ON k.account_id = l.account_id AND k.front_hash = l.front_hash AND k.back_hash = l.back_hash
WHERE k.account_id IS NULL;
BEGIN;
DELETE FROM known.known_pairs WHERE account_id IN (SELECT account_id FROM new_pairs);
INSERT INTO known.known_pairs BY NAME SELECT * FROM new_pairs;
DELETE FROM known.known_pairs WHERE email_key IN (
  SELECT k.email_key FROM known.known_pairs AS k JOIN (SELECT DISTINCT email_key FROM new_pairs) AS l
    ON l.email_key = k.email_key
  GROUP BY k.email_key HAVING count(*) > 1);
COMMIT;
DROP TABLE new_pairs
"""
_NOTHING_FOUND = """
CREATE TEMP TABLE plain_texts (line BIGINT, text VARCHAR, front_hash UBIGINT, back_hash UBIGINT);
CREATE TEMP TABLE found_pairs AS
SELECT CAST(0 AS BIGINT) AS line, account_id, org, user_type, status FROM known.known_pairs LIMIT 0
"""
_LAST_LINE = """
SELECT max(r.line) FROM read_parquet([:changing, :unchanged], union_by_name = true) AS r
JOIN pairs AS p ON p.custom_id = r.custom_id WHERE r.line > :after
"""
_CHANGING = """
CREATE TEMP TABLE changing_accounts AS
SELECT * REPLACE (CAST(account_id AS VARCHAR) AS account_id) FROM known.known_accounts
WHERE account_id IN (
  SELECT CAST(a.account_id AS BIGINT) FROM accounts AS a JOIN plan AS x ON x.custom_id = a.custom_id
  WHERE a.custom_id <> '' AND x.action IN ('update', 'restore', 'delete', 'disable'));
DROP VIEW directory_accounts;
DROP VIEW learned;
DROP TABLE plain_texts
"""


class MemoryUnusable(Exception):
    """The memory cannot be read or written. Make the plan again in another session, without it."""


@dataclass(frozen=True)
class Known:
    """The memory, and how the exported accounts bring it up to date.

    `position` identifies this export; the caller gets it back the next time. `touched` are the IDs of all accounts that
    may have changed since `memory.position`; the file of accounts has those of them that still exist. None means that
    the file has all accounts. `live` is the number of accounts that are not deleted, to compare with the memory.
    """

    memory: "Memory"
    position: str
    touched: Sequence[int] | None = None
    live: int | None = None


def open_memory(session: Session, path: Path, *, key: str) -> "Memory | None":
    """Attach the memory in this file, or start a new one. Return None if that is impossible, such as if it is locked.

    `key` identifies everything else that the export depends on. A memory with another key is replaced by a new one.
    """
    whole_key = f"{_rules()} {key}"
    for _ in ("as it is", "as a new file"):
        try:
            return Memory(session, path, whole_key, _position(session, path, whole_key))
        except (duckdb.Error, MemoryUnusable, OSError) as error:
            session.detach()
            if any(sign in str(error) for sign in _LOCKED):
                return None
            forget_memory(path)
    return None


def forget_memory(path: Path) -> None:
    """Remove a memory."""
    for each in (path, _log_of(path)):
        with suppress(OSError):
            each.unlink(missing_ok=True)


def _position(session: Session, path: Path, key: str) -> str | None:
    """Attach the file. Return its position, or None for a new file. Raise MemoryUnusable if it has another key."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not path.exists():
        _log_of(path).unlink(missing_ok=True)  # of a memory that someone deleted
    session.attach(path, "known")
    path.chmod(0o600)
    if not session.value("SELECT count(*) FROM duckdb_tables() WHERE database_name = 'known'"):
        return None
    ((found, position),) = session.rows("SELECT key, position FROM known.state")
    if found != key:
        raise MemoryUnusable
    return str(position)


def _log_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.wal")


@functools.cache
def _rules() -> str:
    """Return a digest of our rules and of the engine's version, because both decide what a line means."""
    root = Path(sis_sync.__file__).parent
    digest = hashlib.sha256(duckdb.__version__.encode())
    for part in ("core", "engine", "steps"):
        for path in sorted((root / part).rglob("*.*")):
            if path.suffix in (".py", ".sql"):
                digest.update(path.read_bytes())
    return digest.hexdigest()


@contextmanager
def _usable() -> Iterator[None]:
    """Raise MemoryUnusable if the engine raises an error, but not if someone stops it."""
    try:
        yield
    except duckdb.InterruptException:
        raise
    except duckdb.Error as error:
        raise MemoryUnusable from error


class Memory:
    """The memory is attached to the session, as `known`. `position` is that of its accounts, None if it is new.

    Call each method at most once, in the order in which they are defined.
    """

    def __init__(self, session: Session, path: Path, key: str, position: str | None) -> None:
        self.path, self.position = path, position
        self._session, self._key = session, key
        self._mode_types: tuple[str, ...] = ()
        self._depends_on: tuple[object, ...] = ()
        self._keeps_values = True
        self._today = date.min
        self._header: tuple[str, ...] = ()

    def deleted_until(self, day: date) -> list[int]:
        """Return the IDs of the accounts that were deleted up to this day. The export may no longer contain them."""
        query = "SELECT account_id FROM known.known_accounts WHERE deleted_on <> '' AND deleted_on <= :day"
        with _usable():
            return [row[0] for row in self._session.rows(query, day=day.isoformat())]

    def take_accounts(self, accounts: Path, known: Known) -> Remembered:
        """Bring the accounts up to date. Return the view of the accounts that are in no pair."""
        self._header = tuple(read_header(accounts))
        if set(self._header) != _COLUMNS:
            raise MemoryUnusable
        with _usable():
            source = self._session.csv_source(accounts, self._header)
            exported = f"SELECT * REPLACE (CAST(account_id AS BIGINT) AS account_id) FROM {source}"
            if self.position is None:
                self._begin(exported, known.position)
            else:
                self._session.run(f"CREATE TEMP TABLE exported AS {exported}")
                self._refresh(known)
            self._session.run(_NOTHING_FOUND)
            name, columns = quoted("account_id"), ", ".join(map(quoted, self._header))
            cast = f"CAST({name} AS VARCHAR) AS {name}"
            self._session.run(
                "CREATE TEMP VIEW directory_accounts AS "
                f"SELECT {columns.replace(name, cast)} FROM known.known_accounts "
                "WHERE NOT account_id IN (SELECT account_id FROM found_pairs)"
            )
        return Remembered("directory_accounts", self._header)

    def _begin(self, exported: str, position: str) -> None:
        self._session.run(
            f"BEGIN; CREATE TABLE known.known_accounts AS {exported}; {_PAIRS}; CREATE TABLE known.state AS "
            f"SELECT {literal(self._key)} AS key, {literal(position)} AS position; COMMIT"
        )

    def _refresh(self, known: Known) -> None:
        """Replace the accounts that may have changed, and forget their pairs."""
        names = [quoted(name) for name in self._header]
        if known.touched is None:
            equal = " AND ".join(f"k.{name} = e.{name}" for name in names)
            self._session.run(
                "CREATE TEMP TABLE same AS "
                f"SELECT e.account_id FROM exported AS e JOIN known.known_accounts AS k ON {equal}; "
                "CREATE TEMP TABLE touched AS SELECT account_id FROM known.known_accounts "
                "WHERE NOT account_id IN (SELECT account_id FROM same) "
                "UNION SELECT account_id FROM exported WHERE NOT account_id IN (SELECT account_id FROM same)"
            )
        else:
            self._session.insert(
                "CREATE TEMP TABLE touched AS SELECT unnest(?::BIGINT[]) AS account_id "
                "UNION SELECT account_id FROM exported",
                [list(known.touched)],
            )
        touched = "account_id IN (SELECT account_id FROM touched)"
        columns = ", ".join(names)
        self._session.run(
            f"BEGIN; DELETE FROM known.known_pairs WHERE {touched}; DELETE FROM known.known_accounts WHERE {touched}; "
            f"INSERT INTO known.known_accounts ({columns}) "
            f"SELECT {columns} FROM exported WHERE {touched}; "
            f"UPDATE known.state SET position = {literal(known.position)}; COMMIT"
        )
        # Someone may have removed an account with the triggers disabled.
        live = self._session.value("SELECT count(*) FROM known.known_accounts WHERE state = ''")
        if known.live not in (None, live):
            raise MemoryUnusable(f"it has {live} accounts and not {known.live}")

    def depends_on(
        self, *, mode: Mode, orgs: Path, today: date, field_settings: FieldSettings, others: Sequence[object]
    ) -> None:
        """Set what else decides the meaning of a line: the mode, the orgs, the day, and other settings of the plan."""
        self._mode_types, self._today = mode.user_types, today
        self._keeps_values = replace(field_settings, names="always") != _SETS_ALL
        self._keeps_values |= field_settings.names == "never"
        self._depends_on = (self._key, mode, hashlib.sha256(orgs.read_bytes()).hexdigest(), *others)

    def leave_out(self, session: Session, plain: PlainFile, read_as: ReadAs) -> PlainFile:
        """Find the pairs. Return the other lines, or all lines if there are too few pairs."""
        if not len(plain.lines) or self._keeps_values or not _is_meaning_in_bytes(read_as):
            return plain
        day = self._today if read_as.mapping.dates.headers() else ""
        salt = hashlib.sha256(repr((*self._depends_on, day, read_as)).encode()).hexdigest()
        with _usable():
            session.connection.register("plain_lines", {"line": plain.lines})
            cells = session.csv_source(plain.path, ("text",), delimiter=_LINE, skip=plain.skip)
            lines = cells.replace("""quote='"'""", "quote=''").replace("""escape='"'""", "escape=''")
            session.run(_TEXTS.format(source=lines), salt=salt)
            session.connection.unregister("plain_lines")
            if session.value("SELECT count(*) FROM plain_texts WHERE line IS NULL OR text IS NULL"):
                raise MemoryUnusable
            session.run(sql_text(__package__, "found"), mode_types=self._mode_types)
            self._forget_repeated()
            if session.value("SELECT count(*) FROM found_pairs") * _LEAST_SHARE >= len(plain.lines):
                return self._lines("NOT line IN (SELECT line FROM found_pairs)")
            session.run("DELETE FROM found_pairs")
            return plain

    def _forget_repeated(self) -> None:
        """Forget the pairs of an account that several lines match. These lines are equal, so they are duplicates."""
        found = self._session.connection.execute("SELECT account_id FROM found_pairs").fetchnumpy()
        ids = np.sort(found["account_id"])
        repeated = ids[1:][ids[1:] == ids[:-1]]
        if len(repeated):
            self._session.insert(
                "DELETE FROM found_pairs WHERE account_id IN (SELECT unnest(?::BIGINT[]))", [repeated.tolist()]
            )

    def _lines(self, condition: str) -> PlainFile:
        """Write the lines that match the condition to a new file, in order."""
        path = self._session.folder / f"lines-{condition.startswith('NOT')}.csv"
        self._session.run(
            f"COPY (SELECT text FROM plain_texts WHERE {condition} ORDER BY line) TO {literal(path)} "
            f"(FORMAT csv, HEADER false, DELIMITER {literal(_LINE)}, QUOTE '', ESCAPE '', COMPRESSION none)"
        )
        found = self._session.connection.execute(f"SELECT line FROM plain_texts WHERE {condition} ORDER BY line")
        return PlainFile(path, 0, np.asarray(found.fetchnumpy()["line"], dtype=np.int64))

    def demote(self, records: Records) -> None:
        """Find the pairs that may depend on another row too. Split their lines into records, and forget these pairs."""
        with _usable():
            if records.layout is None or not self._session.value("SELECT count(*) FROM found_pairs"):
                return
            self._session.run(sql_text(__package__, "demoted"))
            if self._session.value("SELECT count(*) FROM demoted"):
                split_lines(self._session, self._lines("line IN (SELECT line FROM demoted)"), records.layout)
                self._session.run("DELETE FROM found_pairs WHERE line IN (SELECT line FROM demoted)")

    def count_pairs(self) -> None:
        """Make the tables of the pairs (see directory.sql)."""
        with _usable():
            self._session.run("DROP TABLE pairs")
            self._session.run(sql_text(__package__, "totals"))

    def last_line(self, previous: dict[str, str]) -> int:
        """Return the last line of the last applied file whose person is now in a pair, or 0 if there is none.

        `previous` are the paths of that file's plan.
        """
        if not previous or not self._session.value("SELECT people FROM pair_totals"):
            return 0
        last = "SELECT max(line) FROM read_parquet([:changing, :unchanged], union_by_name = true)"
        with _usable():
            end = self._session.value(last, **previous) or 0
            found = self._session.value(_LAST_LINE, **previous, after=max(end - _LAST_LINES, 0))
            return int(found or self._session.value(_LAST_LINE, **previous, after=0) or 0)

    def learn(self, records: Records) -> None:
        """Remember the lines that change nothing.

        Make `changing_accounts`: the accounts that the plan changes, as they were exported.
        """
        with _usable():
            self._session.run(sql_text(__package__, "learned"))
            if not records.text_formulas:
                # The rows of one file without findings share no address.
                is_first = not self._session.value("SELECT count(*) FROM known.known_pairs")
                self._session.run("INSERT INTO known.known_pairs BY NAME SELECT * FROM learned" if is_first else _LEARN)
            self._session.run(_CHANGING)


def _is_meaning_in_bytes(read_as: ReadAs) -> bool:
    """Return True if the meaning of a line depends on its own bytes only."""
    columns, mapping = read_as.columns, read_as.mapping
    rules = [mapping.rule(name) for name in FIELD_NAMES]
    email = mapping.rule("email")
    return not (
        kept_fields(columns, mapping)
        or mapping.choice
        or mapping.numbers_addresses
        or email.template is not None
        or email.default is not None
        or any(rule.decodes_html or rule.create is not None or rule.keep for rule in rules)
        or PASSWORD in columns.of_field
        or columns.message_position is not None
    )
