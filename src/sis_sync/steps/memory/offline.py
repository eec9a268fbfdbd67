"""The pairs of a plan without a server: each is an account and its own line (own_lines.py).

Nothing is remembered afterwards. Pairs only make such a plan quicker.
"""

from pathlib import Path

from sis_sync.core.errors import ConfigurationError
from sis_sync.core.fields import FIELD_NAMES
from sis_sync.engine.duckdb import Session
from sis_sync.steps.directory.directory import Remembered, read_header
from sis_sync.steps.memory.own_lines import has_own_lines
from sis_sync.steps.memory.pairs import COLUMNS, NOTHING_KNOWN, Known, MemoryUnusable, Pairs, exported, usable
from sis_sync.steps.read.load import PlainFile
from sis_sync.steps.read.read import ReadAs, Records

LEAST_BYTES = 1 << 20  # with a smaller file of accounts, a plan without pairs is as quick
_SHARED_ID = """
SELECT 1 FROM known.known_accounts WHERE custom_id <> '' GROUP BY clean(custom_id) HAVING count(*) > 1 LIMIT 1
"""


def are_many_accounts(accounts: Path | None) -> bool:
    """Return True if looking for pairs is worth it."""
    return accounts is not None and accounts.is_file() and accounts.stat().st_size >= LEAST_BYTES


class OfflineMemory(Pairs):
    """Knows the accounts of a file during one plan. It may have faults: a plan without pairs then reports them."""

    def __init__(self, session: Session) -> None:
        super().__init__(session, "")
        self._query = ""
        with usable():
            session.attach(Path(":memory:"), "known")

    def take_accounts(self, accounts: Path, known: Known) -> Remembered:
        """Return the view of the accounts that are in no pair. Read them only if the file may have own lines."""
        try:
            header = read_header(accounts)
        except ConfigurationError as error:
            raise MemoryUnusable from error
        if not set(FIELD_NAMES) <= set(header):
            raise MemoryUnusable
        with usable():
            # Their IDs are of another system, if they have any.
            self._query = exported(self._session, accounts, header, account_id="row_number() OVER ()")
            self._session.run(f"CREATE TABLE known.known_accounts AS {self._query} LIMIT 0; {NOTHING_KNOWN}")
            self._find_nothing_yet()
            self._session.run(
                "CREATE OR REPLACE TEMP VIEW directory_accounts AS "
                f"SELECT * REPLACE (CAST(account_id AS VARCHAR) AS account_id) FROM ({self._query})"
            )
        return Remembered("directory_accounts", COLUMNS)

    def leave_out(self, session: Session, plain: PlainFile, read_as: ReadAs) -> PlainFile:
        """Find the own lines of the accounts. Return the lines that are left."""
        if not has_own_lines(read_as):
            return plain
        with usable():
            session.run(f"INSERT INTO known.known_accounts {self._query}")
            if session.rows(_SHARED_ID):
                raise MemoryUnusable
            self._show_accounts()
        return super().leave_out(session, plain, read_as)

    def demote(self, records: Records) -> None:
        """Find the pairs that may depend on another row too. The history of a server names accounts by other IDs."""
        if self._session.value("SELECT count(*) FROM lately"):
            raise MemoryUnusable
        super().demote(records)

    def learn(self, records: Records) -> None:
        """Remember nothing."""
