"""Export the rows of the accounts table, or write them back as a floor: export|write FILE.

export: write the rows of all accounts, except the approver's, to FILE. write: write the rows from FILE to the table
with its indexes, in one transaction, without checks and without the change feed. FILE is CSV on PostgreSQL, batches in
JSON on SQLite.
"""

import json
import sys
from pathlib import Path
from typing import Any

BLOCK_BYTES = 1024 * 1024
BATCH_ROWS = 2000
ROWS = "SELECT * FROM accounts_account WHERE custom_id IS NOT NULL ORDER BY id"


def main() -> None:
    """Export or write the rows, then print the number of rows in the table."""
    import django

    django.setup()
    from django.db import connection, transaction

    from sis_sync.server.accounts.feed_triggers import drop_triggers

    way, path = sys.argv[1], Path(sys.argv[2])
    with transaction.atomic(), connection.cursor() as cursor:
        is_postgresql = connection.vendor == "postgresql"
        if way == "write":
            drop_triggers()  # a script would have none
        {"export": export, "write": write}[way](cursor, path, is_postgresql=is_postgresql)
        cursor.execute("SELECT count(*) FROM accounts_account")
        sys.stdout.write(json.dumps({"rows": cursor.fetchone()[0]}))


def export(cursor: Any, path: Path, *, is_postgresql: bool) -> None:
    """Write the rows from the table to the file."""
    with path.open("wb") as file:
        if is_postgresql:
            with cursor.copy(f"COPY ({ROWS}) TO STDOUT (FORMAT csv)") as rows:
                for block in rows:
                    file.write(block)
            return
        cursor.execute(ROWS)
        while batch := cursor.fetchmany(BATCH_ROWS):
            file.write(json.dumps(batch, default=str).encode() + b"\n")


def write(cursor: Any, path: Path, *, is_postgresql: bool) -> None:
    """Write the rows to the table with COPY on PostgreSQL, with executemany on SQLite."""
    with path.open("rb") as file:
        if is_postgresql:
            with cursor.copy("COPY accounts_account FROM STDIN (FORMAT csv)") as copy:
                while block := file.read(BLOCK_BYTES):
                    copy.write(block)
            return
        for line in file:
            batch = json.loads(line)
            places = ", ".join(["%s"] * len(batch[0]))
            cursor.executemany(f"INSERT INTO accounts_account VALUES ({places})", batch)


if __name__ == "__main__":
    main()
