"""Write the rows of the accounts table to FILE, for the floor: CSV from PostgreSQL, batches in JSON from SQLite."""

import json
import sys
from pathlib import Path

BATCH_ROWS = 2000


def main() -> None:
    """Export every account except the approver's."""
    import django

    django.setup()
    from django.db import connection

    query = "SELECT * FROM accounts_account WHERE custom_id IS NOT NULL ORDER BY id"
    with Path(sys.argv[1]).open("wb") as file, connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with cursor.copy(f"COPY ({query}) TO STDOUT (FORMAT csv)") as rows:
                for block in rows:
                    file.write(block)
        else:
            cursor.execute(query)
            while batch := cursor.fetchmany(BATCH_ROWS):
                file.write(json.dumps(batch, default=str).encode() + b"\n")


if __name__ == "__main__":
    main()
