"""The memory of a school system: its accounts as last exported, and the lines of files that changed nothing.

If a line of a new file has the same bytes as such a line, it and its account are a pair (pairs.py).

The memory is one DuckDB file. It is a cache and may be deleted at any time. It is never used for an account that may
have changed since: the caller exports these accounts again, or all accounts.
"""

import functools
import hashlib
from contextlib import suppress
from datetime import date
from pathlib import Path

import duckdb

import sis_sync
from sis_sync.engine.duckdb import Session
from sis_sync.engine.sql import literal, quoted, sql_text
from sis_sync.steps.directory.directory import Remembered, read_header
from sis_sync.steps.memory.pairs import COLUMNS, NOTHING_KNOWN, Known, MemoryUnusable, Pairs, exported, usable
from sis_sync.steps.read.read import Records

_LOCKED = ("lock on file", "already attached")
# Own lines are learned too, because the next night finds their hashes faster than it could make the lines again. If two
# accounts had the same address at different times, the address identifies neither, so both pairs are forgotten.
_NEW = """
CREATE TEMP TABLE new_pairs AS SELECT * FROM learned
UNION ALL BY NAME SELECT o.* FROM own_lines AS o JOIN found_pairs AS f ON f.account_id = o.account_id
"""
_LEARN = """
DELETE FROM new_pairs WHERE EXISTS (
  SELECT 1 FROM known.known_pairs AS k
  WHERE k.account_id = new_pairs.account_id
    AND k.front_hash = new_pairs.front_hash AND k.back_hash = new_pairs.back_hash);
BEGIN;
DELETE FROM known.known_pairs WHERE account_id IN (SELECT account_id FROM new_pairs);
INSERT INTO known.known_pairs BY NAME SELECT * FROM new_pairs;
DELETE FROM known.known_pairs WHERE email_hash IN (
  SELECT k.email_hash FROM known.known_pairs AS k JOIN (SELECT DISTINCT email_hash FROM new_pairs) AS l
    ON l.email_hash = k.email_hash
  GROUP BY k.email_hash HAVING count(*) > 1);
COMMIT
"""
_CHANGING = """
CREATE TEMP TABLE changing_accounts AS
SELECT * REPLACE (CAST(account_id AS VARCHAR) AS account_id) FROM unpaired_accounts
WHERE account_id IN (
  SELECT CAST(a.account_id AS BIGINT) FROM accounts AS a JOIN plan AS x ON x.custom_id = a.custom_id
  WHERE a.custom_id <> ''
    AND (x.action IN ('update', 'restore', 'delete', 'disable') OR x.line IN (SELECT line FROM marks)));
DROP VIEW directory_accounts;
DROP VIEW learned;
DROP VIEW unpaired_accounts;
DROP TABLE IF EXISTS unpaired;
DROP TABLE plain_hashes
"""


def open_memory(session: Session, path: Path, *, key: str) -> "Memory | None":
    """Attach the memory in this file, or start a new one. Return None if both fail, for example if it is locked.

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
        _log_of(path).unlink(missing_ok=True)  # left from a memory that someone deleted
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


class Memory(Pairs):
    """A memory that is attached to the session as `known`. `position` says how current it is, None if it is new."""

    def __init__(self, session: Session, path: Path, key: str, position: str | None) -> None:
        super().__init__(session, key)
        self.path, self.position = path, position

    def deleted_until(self, day: date) -> list[int]:
        """Return the IDs of the accounts that were deleted up to this day. The export may no longer contain them."""
        query = "SELECT account_id FROM known.known_accounts WHERE deleted_on <> '' AND deleted_on <= :day"
        with usable():
            return [row[0] for row in self._session.rows(query, day=day.isoformat())]

    def take_accounts(self, accounts: Path, known: Known) -> Remembered:
        """Bring the accounts up to date. Return the view of the accounts that are in no pair."""
        header = read_header(accounts)
        if set(header) != set(COLUMNS):
            raise MemoryUnusable
        with usable():
            query = exported(self._session, accounts, header, account_id="CAST(account_id AS BIGINT)")
            if self.position is None:
                self._begin(query, known.position)
            else:
                self._session.run(f"CREATE TEMP TABLE exported AS {query}")
                self._refresh(known)
            self._find_nothing_yet()
        return Remembered("directory_accounts", COLUMNS)

    def _begin(self, query: str, position: str) -> None:
        self._session.run(
            f"BEGIN; CREATE TABLE known.known_accounts AS {query}; {NOTHING_KNOWN}; CREATE TABLE known.state AS "
            f"SELECT {literal(self._key)} AS key, {literal(position)} AS position; COMMIT"
        )

    def _refresh(self, known: Known) -> None:
        """Replace the accounts that may have changed, and forget their pairs."""
        names = [quoted(name) for name in COLUMNS]
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

    def learn(self, records: Records) -> None:
        """Remember the lines that change nothing.

        Make `changing_accounts`: the accounts that the plan changes or marks, as they were exported.
        """
        with usable():
            self._session.run(sql_text(__package__, "learned"))
            if not records.text_formulas:
                # The rows of one file without findings share no address.
                is_first = not self._session.value("SELECT count(*) FROM known.known_pairs")
                self._session.run(_NEW)
                self._session.run("INSERT INTO known.known_pairs SELECT * FROM new_pairs" if is_first else _LEARN)
            self._session.run(_CHANGING)
