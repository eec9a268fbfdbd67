"""A floor: write the rows of FILE to the accounts table with its indexes, in one transaction, without checks."""

import json
import sys
from pathlib import Path

BLOCK_BYTES = 1024 * 1024


def main() -> None:
    """Write by COPY on PostgreSQL, by executemany on SQLite; then print the number of rows."""
    import django

    django.setup()
    from django.db import connection, transaction

    with Path(sys.argv[1]).open("rb") as file, transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with cursor.copy("COPY accounts_account FROM STDIN (FORMAT csv)") as copy:
                while block := file.read(BLOCK_BYTES):
                    copy.write(block)
        else:
            for line in file:
                batch = json.loads(line)
                places = ", ".join(["%s"] * len(batch[0]))
                cursor.executemany(f"INSERT INTO accounts_account VALUES ({places})", batch)
        cursor.execute("SELECT count(*) FROM accounts_account")
        sys.stdout.write(json.dumps({"rows": cursor.fetchone()[0]}))


if __name__ == "__main__":
    main()
